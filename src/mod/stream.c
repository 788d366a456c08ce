/* luge.native.stream: producers, the tasks behind streams, and how an item
 * goes from one to whoever reads. The reader asks first: it waits in `next`,
 * and `emit` hands the item to the task that has waited longest, then waits
 * itself until the next one is asked for. An item that nobody asks for (the
 * reader was cancelled) stays with its emitter. So an item is never lost or
 * delivered twice.
 *
 * The stream is a userdata that the functions `next`, `close` and `emit` share.
 * Those on the reader's side share a second one, whose collection says that
 * nobody will read any more. Loop thread only. */
#include <lauxlib.h>

#include "../core/args.h"
#include "../core/block.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "modules.h"

struct stream {
  struct luge_list readers; /* wait in `next` */
  struct luge_list holders; /* wait in `emit` with an item nobody took */
  struct luge_list resting; /* wait in `emit`, their item was taken */
  struct luge_listener ended;
  struct luge_task *producer; /* NULL: not started */
  struct luge_task *maker;
  struct luge_scope *owner; /* a scope of the maker */
  lua_Integer capacity;     /* items that may be ready before they are read */
  lua_Integer head, count;  /* of the ring of these */
  int line;                 /* where it was made */
  bool closed;
};

struct reader {
  struct stream *stream;
};

/* User values of the stream. */
enum {
  FUNCTION = 1, /* until it has started; then the producer's Task */
  MAKER,        /* its Task */
  SITE,         /* the function that made the stream, until it has started */
  CONTEXT,      /* the maker's, or nil */
  ITEMS,        /* the ring, from 1; and the items of holders, by their task */
  VALUES = ITEMS
};

static const struct luge_class stream_class = {"a stream"};
static const struct luge_class reader_class = {"a reader"};

/* Functions have the stream as their first upvalue. */
static struct stream *self(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static bool has_ended(const struct stream *stream) {
  return stream->producer != NULL &&
         stream->producer->cell.state != LUGE_CELL_PENDING;
}

static int raise_closed(lua_State *L) {
  return luge__raise(L, "closed", "the stream is closed");
}

/* The items. */

static void push_ring(lua_State *L, struct stream *stream, int item) {
  lua_Integer at = (stream->head + stream->count) % stream->capacity;
  lua_getiuservalue(L, lua_upvalueindex(1), ITEMS);
  lua_pushvalue(L, item);
  lua_rawseti(L, -2, at + 1);
  lua_pop(L, 1);
  stream->count++;
}

static void shift_ring(lua_State *L, struct stream *stream) {
  lua_getiuservalue(L, lua_upvalueindex(1), ITEMS);
  lua_rawgeti(L, -1, stream->head + 1);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -3, stream->head + 1);
  lua_remove(L, -2);
  stream->head = (stream->head + 1) % stream->capacity;
  stream->count--;
}

/* Pushes the item of a holder, and forgets it. */
static void take_held(lua_State *L, struct luge_task *holder) {
  lua_getiuservalue(L, lua_upvalueindex(1), ITEMS);
  lua_rawgetp(L, -1, holder);
  lua_pushnil(L);
  lua_rawsetp(L, -3, holder);
  lua_remove(L, -2);
}

/* emit(item) */

static int on_emitted(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  const struct stream *stream = task->wait.data;
  return stream->closed || has_ended(stream) ? raise_closed(L) : 0;
}

static const struct luge_wait_kind emit_kind = {.name =
                                                    "the reader of its stream",
                                                .cancel = luge__waiters_leave,
                                                .finish = on_emitted};

static int join(lua_State *L, struct luge_task *task, struct stream *stream,
                struct luge_list *list) {
  task->wait.data = stream;
  return luge__waiters_join(L, task, list, &emit_kind);
}

/* Hands the item at index 1 to a task that waits for it. */
static int hand_over(lua_State *L, struct luge_task *task,
                     struct stream *stream, struct luge_task *reader) {
  if (!luge__wake_room(reader, 1)) {
    return luaL_error(L, "not enough memory");
  }
  luge__list_remove(&reader->wait.link);
  lua_pushvalue(L, 1);
  luge__wake_with(reader, L, 1);
  if (stream->capacity > 0 || !luge__list_empty(&stream->readers)) {
    return 0;
  }
  return join(L, task, stream, &stream->resting);
}

static int stream_emit(lua_State *L) {
  struct stream *stream = self(L);
  if (lua_isnoneornil(L, 1)) {
    return luge__arg_error(L, 1, "an item other than nil");
  }
  lua_settop(L, 1);
  struct luge_task *task = luge__enter(L);
  if (stream->closed || has_ended(stream)) {
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
  lua_getiuservalue(L, lua_upvalueindex(1), ITEMS);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, -2, task);
  return join(L, task, stream, &stream->holders);
}

/* The producer. */

static void on_ended(struct luge_listener *listener) {
  struct stream *stream = luge__container(listener, struct stream, ended);
  luge__waiters_wake_all(&stream->readers);
  luge__waiters_wake_all(&stream->holders);
  luge__waiters_wake_all(&stream->resting);
}

/* Whether the scope is `in`, or one of the blocks that are open inside. */
static bool is_inside(const struct luge_scope *in,
                      const struct luge_scope *scope) {
  if (in == scope) {
    return true;
  }
  const struct luge_list *at;
  for (at = in->blocks.next; at != &in->blocks; at = at->next) {
    if (is_inside(&luge__container(at, struct luge_block, link)->scope,
                  scope)) {
      return true;
    }
  }
  return false;
}

static bool owner_lives(const struct stream *stream) {
  return !(stream->maker->root.flags & LUGE_SCOPE_CLOSED) &&
         is_inside(&stream->maker->root, stream->owner);
}

/* Tracebacks name the line that made the stream. The function that reads it
 * first must not be kept: it may be all that refers to the stream. */
static void set_site(lua_State *L, const struct stream *stream) {
  lua_getiuservalue(L, lua_upvalueindex(1), SITE);
  lua_setiuservalue(L, -2, 1);
  stream->producer->line = stream->line;
  lua_pushnil(L);
  lua_setiuservalue(L, lua_upvalueindex(1), SITE);
}

/* Spawns the producer: for its maker, with the context of its maker. */
static void start(lua_State *L, struct stream *stream) {
  if (!owner_lives(stream)) {
    luge__raise(L, "closed", "the task that opened the stream has ended");
  }
  lua_getiuservalue(L, lua_upvalueindex(1), FUNCTION);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, stream_emit, 1);
  struct luge_task *producer = luge__spawn(L, stream->owner, 1);
  luge__task_serve(producer);
  stream->producer = producer;
  set_site(L, stream);
  stream->ended.notify = on_ended;
  luge__list_append(&producer->cell.listeners, &stream->ended.link);
  lua_setiuservalue(L, lua_upvalueindex(1), FUNCTION);
  if (lua_getiuservalue(L, lua_upvalueindex(1), CONTEXT) != LUA_TNIL ||
      producer->has_context) {
    luge__task_set_context(L, producer);
  } else {
    lua_pop(L, 1);
  }
}

/* next() */

/* What `next` gives when there are no more items: nil, or the error of the
 * producer, every time. One that was cancelled, but not by `close`, has not
 * completed the stream: that is an error of its own, since the reader was not
 * cancelled. */
static int end(lua_State *L, const struct stream *stream) {
  if (stream->closed || stream->producer->cell.state == LUGE_CELL_RESOLVED) {
    lua_pushnil(L);
    return 1;
  }
  luaL_checkstack(L, 8, NULL);
  lua_getiuservalue(L, lua_upvalueindex(1), FUNCTION);
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
static void take_from_holder(lua_State *L, struct stream *stream,
                             struct luge_task *holder) {
  take_held(L, holder);
  luge__list_remove(&holder->wait.link);
  luge__list_append(&stream->resting, &holder->wait.link);
}

/* Takes the first of the items that are ready. The place goes to the item of
 * the emitter that has waited longest. */
static void take_ready(lua_State *L, struct stream *stream) {
  shift_ring(L, stream);
  struct luge_task *holder = luge__waiters_first(&stream->holders);
  if (holder != NULL) {
    take_held(L, holder);
    push_ring(L, stream, lua_gettop(L));
    lua_pop(L, 1);
    luge__waiters_wake_one(&stream->holders);
  }
}

static int stream_next(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "an item of a stream",
                                             .cancel = luge__waiters_leave,
                                             .finish = on_woken};
  struct stream *stream = self(L);
  lua_settop(L, 0);
  struct luge_task *task = luge__enter(L);
  if (stream->closed) {
    lua_pushnil(L);
    return 1;
  }
  if (stream->producer == NULL) {
    start(L, stream);
  }
  if (stream->count > 0) {
    take_ready(L, stream);
    return 1;
  }
  if (has_ended(stream)) {
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

/* close() */

/* Whether the current task is the producer or belongs to it. */
static bool is_own(lua_State *L, const struct stream *stream) {
  const struct luge_task *current = luge__host(L)->current;
  const struct luge_scope *scope = current != NULL ? current->scope : NULL;
  while (scope != NULL && scope != &stream->producer->root) {
    scope = scope->parent;
  }
  return scope != NULL;
}

static void cancel_producer(struct stream *stream) {
  if (stream->producer != NULL && !has_ended(stream)) {
    luge__scope_cancel(NULL, &stream->producer->root, "its stream was closed");
  }
}

/* Ends the stream: readers get nil. The Task of the producer, if it is to be
 * waited for; else nothing, and an error that it has ended with is dropped:
 * what a closed stream would have given interests nobody. */
static int stream_close(lua_State *L) {
  struct stream *stream = self(L);
  if (!stream->closed) {
    stream->closed = true;
    stream->count = 0;
    cancel_producer(stream);
    on_ended(&stream->ended);
    lua_pushnil(L);
    lua_setiuservalue(L, lua_upvalueindex(1), ITEMS);
  }
  if (stream->producer == NULL) {
    lua_pushnil(L);
    lua_setiuservalue(L, lua_upvalueindex(1), FUNCTION);
    return 0;
  }
  lua_getiuservalue(L, lua_upvalueindex(1), FUNCTION);
  if (!has_ended(stream)) {
    return luge__can_wait(L) && !is_own(L, stream);
  }
  if (stream->producer->cell.state == LUGE_CELL_REJECTED) {
    luge__cell_push_error(L, lua_gettop(L));
  }
  return 0;
}

/* Making one. */

/* A stream belongs to its task, or to the innermost shield: not to a timeout
 * or scope, which one may be opened in and outlive. */
static struct luge_scope *owner_of(const struct luge_task *task) {
  struct luge_scope *scope = task->scope;
  while (scope != &task->root && !(scope->flags & LUGE_SCOPE_SHIELD)) {
    scope = scope->parent;
  }
  return scope;
}

static void keep_maker(lua_State *L, struct stream *stream, int index) {
  struct luge_task *task = luge__host(L)->current;
  stream->maker = task;
  stream->owner = owner_of(task);
  luge__task_push(L, task);
  lua_setiuservalue(L, index, MAKER);
  lua_Debug ar;
  if (lua_getstack(L, luge__script_level(L), &ar)) {
    lua_getinfo(L, "lf", &ar);
    stream->line = ar.currentline;
    lua_setiuservalue(L, index, SITE);
  }
  if (task->has_context) {
    lua_rawgeti(task->host->store, LUGE_CONTEXTS, task->thread.slot);
    lua_xmove(task->host->store, L, 1);
    lua_setiuservalue(L, index, CONTEXT);
  }
}

/* stream(fn, capacity) -> next, close: `fn(emit)` as the producer, which may
 * be `capacity` items ahead of the reader. */
static int lib_stream(lua_State *L) {
  luge__check_callable(L, 1);
  lua_Integer capacity = luge__check_integer(L, 2, 0, "a capacity, from 0");
  if (luge__host(L)->current == NULL) {
    return luge__raise(L, "invalid", "there is no task here");
  }
  lua_settop(L, 2);
  struct stream *stream =
      luge__class_new(L, &stream_class, sizeof *stream, VALUES);
  luge__list_init(&stream->readers);
  luge__list_init(&stream->holders);
  luge__list_init(&stream->resting);
  luge__list_init(&stream->ended.link);
  stream->capacity = capacity;
  keep_maker(L, stream, 3);
  lua_newtable(L);
  lua_setiuservalue(L, 3, ITEMS);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 3, FUNCTION);
  struct reader *reader = luge__class_new(L, &reader_class, sizeof *reader, 1);
  reader->stream = stream;
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, 4, 1);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 4);
  lua_pushcclosure(L, stream_next, 2);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 4);
  lua_pushcclosure(L, stream_close, 2);
  return 2;
}

/* serve(fn, ...) -> Task: `fn(...)` as a servant of the current task. */
static int lib_serve(lua_State *L) {
  luge__check_callable(L, 1);
  struct luge_task *task = luge__host(L)->current;
  if (task == NULL) {
    return luge__raise(L, "invalid", "there is no task here");
  }
  luge__task_serve(luge__spawn(L, owner_of(task), lua_gettop(L) - 1));
  return 1;
}

static int stream_gc(lua_State *L) {
  struct stream *stream = lua_touserdata(L, 1);
  luge__list_remove(&stream->ended.link);
  return 0;
}

static int reader_gc(lua_State *L) {
  struct reader *reader = lua_touserdata(L, 1);
  cancel_producer(reader->stream);
  return 0;
}

int luge__open_stream(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg stream_meta[] = {{"__gc", stream_gc}, {NULL, NULL}};
  static const luaL_Reg reader_meta[] = {{"__gc", reader_gc}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"stream", lib_stream}, {"serve", lib_serve}, {NULL, NULL}};
  luge__class_init(L, &stream_class, none, stream_meta);
  luge__class_init(L, &reader_class, none, reader_meta);
  luaL_newlib(L, functions);
  return 1;
}
