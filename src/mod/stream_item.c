/* How an item goes from a producer to whoever reads; see stream.h. The reader
 * asks first: it waits in `next`, and `emit` hands the item to the task that
 * has waited longest, then waits itself until the next one is asked for. An
 * item that nobody asks for (the reader was cancelled) stays with its emitter.
 * So an item is never lost or delivered twice. */
#include <lauxlib.h>

#include "../core/error.h"
#include "../core/scope.h"
#include "../core/wait.h"
#include "stream.h"

static int raise_closed(lua_State *L) {
  return luge__raise(L, "closed", "the stream is closed");
}

/* The items. */

static void push_ring(lua_State *L, struct luge_channel *stream, int item) {
  lua_Integer at = (stream->head + stream->count) % stream->capacity;
  lua_getiuservalue(L, lua_upvalueindex(1), STREAM_ITEMS);
  lua_pushvalue(L, item);
  lua_rawseti(L, -2, at + 1);
  lua_pop(L, 1);
  stream->count++;
}

static void shift_ring(lua_State *L, struct luge_channel *stream) {
  lua_getiuservalue(L, lua_upvalueindex(1), STREAM_ITEMS);
  lua_rawgeti(L, -1, stream->head + 1);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -3, stream->head + 1);
  lua_remove(L, -2);
  stream->head = (stream->head + 1) % stream->capacity;
  stream->count--;
}

/* Pushes the item of a holder, and forgets it. */
static void take_held(lua_State *L, struct luge_task *holder) {
  lua_getiuservalue(L, lua_upvalueindex(1), STREAM_ITEMS);
  lua_rawgetp(L, -1, holder);
  lua_pushnil(L);
  lua_rawsetp(L, -3, holder);
  lua_remove(L, -2);
}

/* emit(item) */

/* A task that was cancelled after its item had been taken is told so by its
 * next wait: that the stream was closed with it is no error of its own. */
static int on_emitted(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  const struct luge_channel *stream = task->wait.data;
  if (task->scope->flags & LUGE_SCOPE_CANCELLED) {
    return 0;
  }
  return stream->closed || luge__stream_has_ended(stream) ? raise_closed(L) : 0;
}

static const struct luge_wait_kind emit_kind = {.name =
                                                    "the reader of its stream",
                                                .cancel = luge__waiters_leave,
                                                .finish = on_emitted};

static int join(lua_State *L, struct luge_task *task,
                struct luge_channel *stream, struct luge_list *list) {
  task->wait.data = stream;
  return luge__waiters_join(L, task, list, &emit_kind);
}

/* Hands the item at index 1 to a task that waits for it. */
static int hand_over(lua_State *L, struct luge_task *task,
                     struct luge_channel *stream, struct luge_task *reader) {
  if (!luge__wake_room(reader, 1)) {
    return luge__raise_memory(L);
  }
  luge__list_remove(&reader->wait.link);
  lua_pushvalue(L, 1);
  luge__wake_with(reader, L, 1);
  if (stream->capacity > 0 || !luge__list_empty(&stream->readers)) {
    return 0;
  }
  return join(L, task, stream, &stream->resting);
}

int luge__stream_emit(lua_State *L) {
  struct luge_channel *stream = luge__stream_self(L);
  if (lua_isnoneornil(L, 1)) {
    return luge__arg_error(L, 1, "an item other than nil");
  }
  lua_settop(L, 1);
  struct luge_task *task = luge__enter(L);
  if (stream->closed || luge__stream_has_ended(stream)) {
    return raise_closed(L);
  }
  struct luge_task *reader = luge__waiters_first(&stream->readers);
  if (reader != NULL) {
    return hand_over(L, task, stream, reader);
  }
  if (stream->count < stream->capacity) {
    push_ring(L, stream, 1);
    return 0;
  }
  lua_getiuservalue(L, lua_upvalueindex(1), STREAM_ITEMS);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, -2, task);
  return join(L, task, stream, &stream->holders);
}

void luge__stream_wake_all(struct luge_channel *stream) {
  luge__waiters_wake_all(&stream->readers);
  luge__waiters_wake_all(&stream->holders);
  luge__waiters_wake_all(&stream->resting);
}

/* next() */

/* What `next` gives when there are no more items: nil, or the error of the
 * producer, every time. One that was cancelled, but not by `close`, has not
 * completed the stream: that is an error of its own, since the reader was not
 * cancelled. */
static int end(lua_State *L, const struct luge_channel *stream) {
  if (stream->closed || stream->producer->cell.state == LUGE_CELL_RESOLVED) {
    lua_pushnil(L);
    return 1;
  }
  luaL_checkstack(L, 8, NULL);
  lua_getiuservalue(L, lua_upvalueindex(1), STREAM_FUNCTION);
  luge__cell_push_error(L, lua_gettop(L));
  if (stream->producer->cell.state == LUGE_CELL_CANCELLED) {
    luge__push_error(L, "closed", "the task of the stream was cancelled");
    lua_insert(L, -2);
    lua_setfield(L, -2, "cause");
  }
  return lua_error(L);
}

static int on_woken(lua_State *L, struct luge_task *task, int base) {
  return lua_gettop(L) > base ? 1 : end(L, task->wait.data);
}

/* Takes an item from an emitter that has waited with it. */
static void take_from_holder(lua_State *L, struct luge_channel *stream,
                             struct luge_task *holder) {
  take_held(L, holder);
  luge__list_remove(&holder->wait.link);
  luge__list_append(&stream->resting, &holder->wait.link);
}

/* Takes the first of the items that are ready. The place goes to the item of
 * the emitter that has waited longest. */
static void take_ready(lua_State *L, struct luge_channel *stream) {
  shift_ring(L, stream);
  struct luge_task *holder = luge__waiters_first(&stream->holders);
  if (holder != NULL) {
    take_held(L, holder);
    push_ring(L, stream, lua_gettop(L));
    lua_pop(L, 1);
    luge__waiters_wake_one(&stream->holders);
  }
}

int luge__stream_next(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "an item of a stream",
                                             .cancel = luge__waiters_leave,
                                             .finish = on_woken};
  struct luge_channel *stream = luge__stream_self(L);
  lua_settop(L, 0);
  struct luge_task *task = luge__enter(L);
  if (stream->closed) {
    lua_pushnil(L);
    return 1;
  }
  if (stream->producer == NULL) {
    luge__stream_start(L, stream);
  }
  if (stream->count > 0) {
    take_ready(L, stream);
    return 1;
  }
  if (luge__stream_has_ended(stream)) {
    return end(L, stream);
  }
  if (stream->producer == task) {
    return luge__raise(L, "invalid", "a producer cannot read its own stream");
  }
  luge__waiters_wake_all(&stream->resting);
  struct luge_task *holder = luge__waiters_first(&stream->holders);
  if (holder != NULL) {
    take_from_holder(L, stream, holder);
    return 1;
  }
  task->wait.data = stream;
  return luge__waiters_join(L, task, &stream->readers, &kind);
}
