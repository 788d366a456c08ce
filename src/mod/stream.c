/* luge.native.stream: producers, the tasks behind streams: how they are started
 * and closed, and whose they are. See stream.h, and stream_item.c for how the
 * items go. The functions on the reader's side share a second userdata, whose
 * collection says that nobody will read any more. */
#include <lauxlib.h>

#include "../core/args.h"
#include "../core/block.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/wait.h"
#include "modules.h"
#include "stream.h"

struct reader {
  struct luge_channel *stream;
};

static const struct luge_class stream_class = {"a stream"};
static const struct luge_class reader_class = {"a reader"};

/* The producer. */

static void on_ended(struct luge_listener *listener) {
  luge__stream_wake_all(luge__container(listener, struct luge_channel, ended));
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

static bool owner_lives(const struct luge_channel *stream) {
  return !(stream->maker->root.flags & LUGE_SCOPE_CLOSED) &&
         is_inside(&stream->maker->root, stream->owner);
}

/* Tracebacks name the line that made the stream. The function that reads it
 * first must not be kept: it may be all that refers to the stream. */
static void set_site(lua_State *L, const struct luge_channel *stream) {
  lua_getiuservalue(L, lua_upvalueindex(1), STREAM_SITE);
  lua_setiuservalue(L, -2, 1);
  stream->producer->line = stream->line;
  lua_pushnil(L);
  lua_setiuservalue(L, lua_upvalueindex(1), STREAM_SITE);
}

/* For its maker, with the context of its maker. */
void luge__stream_start(lua_State *L, struct luge_channel *stream) {
  if (!owner_lives(stream)) {
    luge__raise(L, "closed", "the task that opened the stream has ended");
  }
  lua_getiuservalue(L, lua_upvalueindex(1), STREAM_FUNCTION);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, luge__stream_emit, 1);
  struct luge_task *producer = luge__spawn(L, stream->owner, 1);
  luge__task_serve(producer);
  stream->producer = producer;
  set_site(L, stream);
  luge__cell_listen(&producer->cell, &stream->ended, on_ended);
  lua_setiuservalue(L, lua_upvalueindex(1), STREAM_FUNCTION);
  if (lua_getiuservalue(L, lua_upvalueindex(1), STREAM_CONTEXT) != LUA_TNIL ||
      producer->has_context) {
    luge__task_set_context(L, producer);
  } else {
    lua_pop(L, 1);
  }
}

/* close() */

/* Whether the current task is the producer or belongs to it. */
static bool is_own(lua_State *L, const struct luge_channel *stream) {
  const struct luge_task *current = luge__host(L)->current;
  const struct luge_scope *scope = current != NULL ? current->scope : NULL;
  while (scope != NULL && scope != &stream->producer->root) {
    scope = scope->parent;
  }
  return scope != NULL;
}

static void cancel_producer(struct luge_channel *stream) {
  if (stream->producer != NULL && !luge__stream_has_ended(stream)) {
    luge__scope_cancel(NULL, &stream->producer->root, "its stream was closed");
  }
}

/* Ends the stream: readers get nil. The Task of the producer, if it is to be
 * waited for; else nothing, and an error that it has ended with is dropped:
 * what a closed stream would have given interests nobody. */
static int stream_close(lua_State *L) {
  struct luge_channel *stream = luge__stream_self(L);
  if (!stream->closed) {
    stream->closed = true;
    stream->count = 0;
    cancel_producer(stream);
    luge__stream_wake_all(stream);
    lua_pushnil(L);
    lua_setiuservalue(L, lua_upvalueindex(1), STREAM_ITEMS);
  }
  if (stream->producer == NULL) {
    lua_pushnil(L);
    lua_setiuservalue(L, lua_upvalueindex(1), STREAM_FUNCTION);
    return 0;
  }
  lua_getiuservalue(L, lua_upvalueindex(1), STREAM_FUNCTION);
  if (!luge__stream_has_ended(stream)) {
    return luge__can_wait(L) && !is_own(L, stream);
  }
  if (stream->producer->cell.state == LUGE_CELL_REJECTED) {
    luge__cell_forget_error(L, lua_gettop(L));
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

/* The line that makes the stream; or, in luge's own code, that of the task. */
static void keep_site(lua_State *L, struct luge_channel *stream, int index) {
  int level = luge__script_level(L);
  lua_Debug ar;
  if (level != 0 && lua_getstack(L, level, &ar)) {
    lua_getinfo(L, "lf", &ar);
    stream->line = ar.currentline;
  } else {
    stream->line = stream->maker->line;
    lua_getiuservalue(L, index, STREAM_MAKER);
    lua_getiuservalue(L, -1, 1);
    lua_remove(L, -2);
  }
  lua_setiuservalue(L, index, STREAM_SITE);
}

static void keep_maker(lua_State *L, struct luge_channel *stream, int index) {
  struct luge_task *task = luge__host(L)->current;
  stream->maker = task;
  stream->owner = owner_of(task);
  luge__task_push(L, task);
  lua_setiuservalue(L, index, STREAM_MAKER);
  keep_site(L, stream, index);
  if (task->has_context) {
    lua_rawgeti(task->host->store, LUGE_CONTEXTS, task->thread.slot);
    lua_xmove(task->host->store, L, 1);
    lua_setiuservalue(L, index, STREAM_CONTEXT);
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
  struct luge_channel *stream =
      luge__class_new(L, &stream_class, sizeof *stream, STREAM_VALUES);
  luge__list_init(&stream->readers);
  luge__list_init(&stream->holders);
  luge__list_init(&stream->resting);
  luge__list_init(&stream->ended.link);
  stream->capacity = capacity;
  keep_maker(L, stream, 3);
  lua_newtable(L);
  lua_setiuservalue(L, 3, STREAM_ITEMS);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 3, STREAM_FUNCTION);
  struct reader *reader = luge__class_new(L, &reader_class, sizeof *reader, 1);
  reader->stream = stream;
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, 4, 1);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 4);
  lua_pushcclosure(L, luge__stream_next, 2);
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
  luge__task_serve(luge__spawn_at(L, owner_of(task), lua_gettop(L) - 1,
                                  luge__script_level(L)));
  return 1;
}

static int stream_gc(lua_State *L) {
  struct luge_channel *stream = lua_touserdata(L, 1);
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
