/* Readers of streamed bodies; see client_stream.h. Each has a step, which
 * makes a result of the bytes at hand or says that it needs more; what gets
 * more, and waits for it, is the same for all.
 *
 * A reader that leaves a value half read (lines, events) has the stream for
 * itself. */
#include <lauxlib.h>
#include <string.h>

#include "../core/class.h"
#include "../core/error.h"
#include "client_stream.h"

enum { NEEDS_MORE = -1 };

struct reader_kind {
  struct luge_wait_kind wait; /* first: the wait's kind is this */
  const char *name;
  /* Pushes a result and returns 1, or NEEDS_MORE. */
  int (*step)(lua_State *L, struct luge__reader *reader);
  /* The body has ended: the same, or 0. */
  int (*end)(lua_State *L, struct luge__reader *reader);
};

struct luge__reader {
  struct luge__stream *stream;
  const struct reader_kind *kind;
  size_t max;
  struct luge__bytes line; /* a line that is not complete */
  struct luge__sse sse;
};

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

/* Pieces as they come. */

static int step_chunk(lua_State *L, struct luge__reader *reader) {
  struct luge__stream *stream = reader->stream;
  if (stream->used == stream->piece.len) {
    return NEEDS_MORE;
  }
  lua_pushlstring(L, stream->piece.ptr + stream->used,
                  stream->piece.len - stream->used);
  stream->used = stream->piece.len;
  return 1;
}

static int end_empty(lua_State *L, struct luge__reader *reader) {
  (void)L;
  (void)reader;
  return 0;
}

static int raise_limit(lua_State *L, struct luge__reader *reader,
                       const char *what) {
  reader->stream->broken = true;
  luge__stream_close(reader->stream);
  luge__push_error(L, "limit", "%s of the body is longer than %I bytes",
                   strcmp(what, "line") == 0 ? "a line" : "an event",
                   (LUAI_UACINT)reader->max);
  lua_pushstring(L, what);
  lua_setfield(L, -2, "what");
  lua_pushinteger(L, (lua_Integer)reader->max);
  lua_setfield(L, -2, "limit");
  return lua_error(L);
}

/* Lines. */

static int push_line(lua_State *L, const char *text, size_t length) {
  lua_pushlstring(L, text,
                  length > 0 && text[length - 1] == '\r' ? length - 1 : length);
  return 1;
}

static int step_line(lua_State *L, struct luge__reader *reader) {
  struct luge__stream *stream = reader->stream;
  size_t left = stream->piece.len - stream->used;
  if (left == 0) {
    return NEEDS_MORE;
  }
  const char *at = stream->piece.ptr + stream->used;
  const char *lf = memchr(at, '\n', left);
  size_t length = lf != NULL ? (size_t)(lf - at) : left;
  if (length > reader->max - reader->line.len) {
    return raise_limit(L, reader, "line");
  }
  if (lf != NULL && reader->line.len == 0) {
    push_line(L, at, length);
    stream->used += length + 1;
    return 1;
  }
  if (!luge__bytes_append(&reader->line, &stream->memory, at, length)) {
    return luaL_error(L, "not enough memory");
  }
  stream->used += length + (lf != NULL);
  if (lf == NULL) {
    return NEEDS_MORE;
  }
  length = reader->line.len;
  reader->line.len = 0;
  return push_line(L, reader->line.ptr, length);
}

static int end_line(lua_State *L, struct luge__reader *reader) {
  if (reader->line.len == 0) {
    return 0;
  }
  lua_pushlstring(L, reader->line.ptr, reader->line.len);
  reader->line.len = 0;
  return 1;
}

/* Events. */

/* Upvalues of the functions that read on. */
enum { EVENT = 1, DATA, MESSAGE, UPVALUES = MESSAGE };

static void push_type(lua_State *L, const struct luge__sse_event *event) {
  if (event->type.len > 0) {
    lua_pushlstring(L, event->type.ptr, event->type.len);
  } else {
    lua_pushvalue(L, lua_upvalueindex(MESSAGE));
  }
}

static void push_event(lua_State *L, const struct luge__sse *sse,
                       const struct luge__sse_event *event) {
  lua_createtable(L, 0, 2 + (sse->last_id.len > 0) + event->has_retry);
  lua_pushvalue(L, lua_upvalueindex(EVENT));
  push_type(L, event);
  lua_rawset(L, -3);
  lua_pushvalue(L, lua_upvalueindex(DATA));
  lua_pushlstring(L, event->data.ptr, event->data.len);
  lua_rawset(L, -3);
  if (sse->last_id.len > 0) {
    lua_pushlstring(L, sse->last_id.ptr, sse->last_id.len);
    lua_setfield(L, -2, "id");
  }
  if (event->has_retry) {
    lua_pushinteger(L, (lua_Integer)event->retry);
    lua_setfield(L, -2, "retry");
  }
}

/* Reads on in what the parser was lent; lends it the piece if that is new. */
static int next_event(lua_State *L, struct luge__reader *reader,
                      struct luge__sse_event *event) {
  struct luge__stream *stream = reader->stream;
  if (stream->used < stream->piece.len) {
    luge__sse_feed(&reader->sse, stream->piece.ptr + stream->used,
                   stream->piece.len - stream->used);
    stream->used = stream->piece.len;
  }
  switch (luge__sse_next(&reader->sse, event)) {
  case LUGE_SSE_EVENT:
    return 1;
  case LUGE_SSE_MORE:
    return NEEDS_MORE;
  case LUGE_SSE_LINE_LIMIT:
    return raise_limit(L, reader, "line");
  case LUGE_SSE_EVENT_LIMIT:
    return raise_limit(L, reader, "event");
  case LUGE_SSE_NO_MEMORY:
    break;
  }
  return luaL_error(L, "not enough memory");
}

static int step_event(lua_State *L, struct luge__reader *reader) {
  struct luge__sse_event event;
  int found = next_event(L, reader, &event);
  if (found == 1) {
    push_event(L, &reader->sse, &event);
  }
  return found;
}

/* Without a table: data and the event's name. */
static int step_data(lua_State *L, struct luge__reader *reader) {
  struct luge__sse_event event;
  if (next_event(L, reader, &event) == NEEDS_MORE) {
    return NEEDS_MORE;
  }
  lua_pushlstring(L, event.data.ptr, event.data.len);
  push_type(L, &event);
  return 2;
}

#define KIND(what, stepper, ender)                                             \
  {                                                                            \
    .wait = {.name = "more of an HTTP response",                               \
             .cancel = on_cancel,                                              \
             .finish = on_more},                                               \
    .name = what, .step = stepper, .end = ender                                \
  }

static const struct reader_kind kinds[] = {
    KIND("chunks", step_chunk, end_empty), KIND("lines", step_line, end_line),
    KIND("events", step_event, end_empty), KIND("data", step_data, end_empty)};

enum { CHUNKS, KINDS = sizeof kinds / sizeof *kinds };

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

/* Nothing more comes: at its end and after `close` that is no error. */
static int at_end(lua_State *L, struct luge__reader *reader) {
  if (reader->stream->broken) {
    return raise_closed(L, reader->stream);
  }
  return reader->stream->ended ? reader->kind->end(L, reader) : 0;
}

static int advance(lua_State *L, struct luge__reader *reader,
                   struct luge_task *task) {
  struct luge__stream *stream = reader->stream;
  for (;;) {
    int results = reader->kind->step(L, reader);
    if (results != NEEDS_MORE) {
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
    return luge__transfer_wait(L, t, task, LUGE_AWAIT_DATA,
                               &reader->kind->wait);
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

/* The reader of a stream's read() is made with the first call. */
static struct luge__reader *new_reader(lua_State *L, int index,
                                       const struct reader_kind *kind) {
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
  while (which < KINDS - 1 && strcmp(kinds[which].name, name) != 0) {
    which++;
  }
  if (stream->reader != NULL) {
    return luge__raise(L, "invalid",
                       "the body is already being read in another way");
  }
  struct luge__reader *reader = new_reader(L, 1, &kinds[which]);
  reader->max = max;
  luge__sse_init(&reader->sse, stream->memory, max, max);
  if (which != CHUNKS) {
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
    return luaL_error(L, "not enough memory");
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
    new_reader(L, 1, &kinds[CHUNKS]);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, LUGE_STREAM_READER);
  }
  return start(L, lua_touserdata(L, -1));
}

static void push_next(lua_State *L) {
  lua_pushliteral(L, "event");
  lua_pushliteral(L, "data");
  lua_pushliteral(L, "message");
  lua_pushcclosure(L, reader_next, UPVALUES);
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
  /* What scripts see as the metatable says that it can be called. */
  lua_createtable(L, 0, 1);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "__call");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

void luge__reader_push_methods(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &reader_class);
  lua_getfield(L, -1, "__index");
  lua_remove(L, -2);
}
