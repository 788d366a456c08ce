/* Readers of streamed bodies: get more bytes, and wait for them; see
 * client_reader.h. */
#include "client_reader.h"

#include <lauxlib.h>
#include <string.h>

#include "../core/class.h"
#include "../core/error.h"

static const struct luge_class reader_class = {"a body reader"};

static int advance(lua_State *L, struct luge__reader *reader,
                   struct luge_task *task);

static bool on_cancel(struct luge_task *task) {
  struct luge__reader *reader = task->wait.data;
  reader->stream->broken = true;
  luge__stream_close(reader->stream);
  return true;
}

static int raise_closed(lua_State *L, const struct luge__stream *stream) {
  return luge__raise(L, "closed",
                     stream->broken ? "the response has broken off"
                                    : "the response is closed");
}

static int on_more(lua_State *L, struct luge_task *task, int base) {
  struct luge__reader *reader = task->wait.data;
  lua_settop(L, base);
  if (reader->stream->transfer == NULL) { /* by another task, meanwhile */
    return raise_closed(L, reader->stream);
  }
  return advance(L, reader, task);
}

static const struct luge_wait_kind more = {
    .name = "more of an HTTP response", .cancel = on_cancel, .finish = on_more};

/* Takes the next piece; false: there is none now. */
static bool refill(struct luge__stream *stream) {
  stream->piece.len = stream->used = 0;
  return luge__transfer_read(stream->transfer, &stream->piece);
}

static int finish(lua_State *L, struct luge__reader *reader) {
  reader->stream->ended = true;
  luge__stream_close(reader->stream);
  return reader->kind->end(L, reader);
}

/* There is no transfer any more. That is an error, unless the body has ended or
 * the script has closed it. */
static int at_end(lua_State *L, struct luge__reader *reader) {
  if (reader->stream->broken) {
    return raise_closed(L, reader->stream);
  }
  if (reader->stream->ended) {
    return reader->kind->end(L, reader);
  }
  lua_pushnil(L);
  return 1;
}

static int advance(lua_State *L, struct luge__reader *reader,
                   struct luge_task *task) {
  struct luge__stream *stream = reader->stream;
  for (;;) {
    int results = reader->kind->step(L, reader);
    if (results != LUGE_READER_NEEDS_MORE) {
      return results;
    }
    struct luge__transfer *t = stream->transfer;
    if (t == NULL) {
      return at_end(L, reader);
    }
    if (refill(stream)) {
      continue;
    }
    if (t->failure != LUGE_FAILURE_NONE) {
      return luge__stream_raise(L, stream);
    }
    if (t->done && !luge__body_holds(&t->body)) {
      return finish(L, reader);
    }
    task->wait.data = reader;
    return luge__transfer_wait(L, t, task, LUGE_AWAIT_DATA, &more);
  }
}

static int start(lua_State *L, struct luge__reader *reader) {
  struct luge__stream *stream = reader->stream;
  struct luge_task *task = luge__enter(L);
  if (stream->transfer != NULL && stream->transfer->waiter != NULL) {
    return luge__raise(L, "invalid",
                       "another task is reading from this response");
  }
  if (stream->reader != NULL && stream->reader != reader) {
    return luge__raise(L, "invalid",
                       "the body is already being read in another way");
  }
  return advance(L, reader, task);
}

/* Pushes a reader for the stream at `index`. */
static struct luge__reader *new_reader(lua_State *L, int index,
                                       const struct luge__reader_kind *kind) {
  index = lua_absindex(L, index);
  struct luge__stream *stream = luge__stream_check(L, index);
  struct luge__reader *reader =
      luge__class_new(L, &reader_class, sizeof *reader, 1);
  reader->stream = stream;
  reader->kind = kind;
  lua_pushvalue(L, index);
  lua_setiuservalue(L, -2, 1);
  return reader;
}

int luge__reader_new(lua_State *L) {
  struct luge__stream *stream = luge__stream_check(L, 1);
  const char *name = luaL_checkstring(L, 2);
  size_t max = (size_t)luaL_checkinteger(L, 3);
  int which = 0;
  while (which < LUGE_READER_KINDS - 1 &&
         strcmp(luge__reader_kinds[which].name, name) != 0) {
    which++;
  }
  if (stream->reader != NULL) {
    return luge__raise(L, "invalid",
                       "the body is already being read in another way");
  }
  struct luge__reader *reader = new_reader(L, 1, &luge__reader_kinds[which]);
  reader->max = max;
  luge__sse_init(&reader->sse, stream->memory, max, max);
  if (which != LUGE_READER_CHUNKS) {
    stream->reader = reader;
  }
  return 1;
}

static struct luge__reader *check(lua_State *L) {
  return luge__class_check(L, 1, &reader_class);
}

static int reader_next(lua_State *L) {
  lua_settop(L, 1);
  return start(L, check(L));
}

/* reader:last_id() -> text, "" for none: of the events given so far. */
static int reader_last_id(lua_State *L) {
  const struct luge__reader *reader = check(L);
  const struct luge__bytes *id = &reader->sse.last_id;
  lua_pushlstring(L, id->len > 0 ? id->ptr : "", id->len);
  return 1;
}

/* reader:go_on_from(text): the last id that an earlier connection gave. */
static int reader_go_on_from(lua_State *L) {
  struct luge__reader *reader = check(L);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  reader->sse.last_id.len = 0;
  if (!luge__bytes_append(&reader->sse.last_id, &reader->sse.memory, text,
                          length)) {
    return luge__raise_memory(L);
  }
  return 0;
}

/* reader:retry() -> milliseconds, or nil: the last one read. */
static int reader_retry(lua_State *L) {
  const struct luge__reader *reader = check(L);
  if (!reader->sse.has_retry) {
    return 0;
  }
  lua_pushinteger(L, (lua_Integer)reader->sse.retry);
  return 1;
}

static int reader_close(lua_State *L) {
  struct luge__reader *reader = check(L);
  luge__stream_abandon(reader->stream);
  return 0;
}

static int reader_gc(lua_State *L) {
  struct luge__reader *reader = check(L);
  luge__sse_free(&reader->sse);
  luge__bytes_free(&reader->line, &reader->sse.memory);
  return 0;
}

int luge__stream_read(lua_State *L) {
  struct luge__stream *stream = luge__stream_check(L, 1);
  lua_settop(L, 1);
  if (stream->transfer == NULL && !stream->ended) {
    return raise_closed(L, stream);
  }
  if (lua_getiuservalue(L, 1, LUGE_STREAM_READER) == LUA_TNIL) {
    new_reader(L, 1, &luge__reader_kinds[LUGE_READER_CHUNKS]);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, LUGE_STREAM_READER);
  }
  return start(L, lua_touserdata(L, -1));
}

static void push_next(lua_State *L) {
  lua_pushliteral(L, "event");
  lua_pushliteral(L, "data");
  lua_pushliteral(L, "message");
  lua_pushcclosure(L, reader_next, LUGE_READER_UPVALUES);
}

void luge__reader_init(lua_State *L) {
  static const luaL_Reg methods[] = {{"close", reader_close},
                                     {"last_id", reader_last_id},
                                     {"go_on_from", reader_go_on_from},
                                     {"retry", reader_retry},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__close", reader_close}, {"__gc", reader_gc}, {NULL, NULL}};
  luge__class_init(L, &reader_class, methods, metamethods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &reader_class);
  lua_getfield(L, -1, "__index");
  push_next(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "__call");
  lua_setfield(L, -2, "next");
  lua_pop(L, 1);
  /* Scripts see this as its metatable: it says that a reader can be called, and
   * closed. */
  lua_createtable(L, 0, 2);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "__call");
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "__close");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

void luge__reader_push_methods(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &reader_class);
  lua_getfield(L, -1, "__index");
  lua_remove(L, -2);
}
