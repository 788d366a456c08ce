/* The kinds of readers: what each makes of the bytes at hand. */
#include <string.h>

#include "../core/error.h"
#include "client_reader.h"

static int raise_limit(lua_State *L, struct luge__reader *reader,
                       const char *what) {
  reader->stream->broken = true;
  luge__stream_close(reader->stream);
  luge__push_error(L, "limit", "%s of the body is longer than %I bytes",
                   strcmp(what, "line") == 0 ? "a line" : "an event",
                   (LUAI_UACINT)reader->max);
  luge__set_limit(L, what, (lua_Integer)reader->max);
  return lua_error(L);
}

/* Pieces as they come. */

static int step_chunk(lua_State *L, struct luge__reader *reader) {
  struct luge__stream *stream = reader->stream;
  if (stream->used == stream->piece.len) {
    return LUGE_READER_NEEDS_MORE;
  }
  lua_pushlstring(L, stream->piece.ptr + stream->used,
                  stream->piece.len - stream->used);
  stream->used = stream->piece.len;
  return 1;
}

static int end_empty(lua_State *L, struct luge__reader *reader) {
  (void)reader;
  lua_pushnil(L);
  return 1;
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
    return LUGE_READER_NEEDS_MORE;
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
    return luge__raise_memory(L);
  }
  stream->used += length + (lf != NULL);
  if (lf == NULL) {
    return LUGE_READER_NEEDS_MORE;
  }
  length = reader->line.len;
  reader->line.len = 0;
  return push_line(L, reader->line.ptr, length);
}

static int end_line(lua_State *L, struct luge__reader *reader) {
  if (reader->line.len == 0) {
    return end_empty(L, reader);
  }
  lua_pushlstring(L, reader->line.ptr, reader->line.len);
  reader->line.len = 0;
  return 1;
}

/* Events. */

static void push_type(lua_State *L, const struct luge__sse_event *event) {
  if (event->type.len > 0) {
    lua_pushlstring(L, event->type.ptr, event->type.len);
  } else {
    lua_pushvalue(L, lua_upvalueindex(LUGE_READER_MESSAGE));
  }
}

static void push_event(lua_State *L, const struct luge__sse *sse,
                       const struct luge__sse_event *event) {
  lua_createtable(L, 0, 2 + (sse->last_id.len > 0) + event->has_retry);
  lua_pushvalue(L, lua_upvalueindex(LUGE_READER_EVENT));
  push_type(L, event);
  lua_rawset(L, -3);
  lua_pushvalue(L, lua_upvalueindex(LUGE_READER_DATA));
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

/* Has the parser read on in the piece, which it is lent first if it is new. */
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
    return LUGE_READER_NEEDS_MORE;
  case LUGE_SSE_LINE_LIMIT:
    return raise_limit(L, reader, "line");
  case LUGE_SSE_EVENT_LIMIT:
    return raise_limit(L, reader, "event");
  case LUGE_SSE_NO_MEMORY:
    break;
  }
  return luge__raise_memory(L);
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
  if (next_event(L, reader, &event) == LUGE_READER_NEEDS_MORE) {
    return LUGE_READER_NEEDS_MORE;
  }
  lua_pushlstring(L, event.data.ptr, event.data.len);
  push_type(L, &event);
  return 2;
}

const struct luge__reader_kind luge__reader_kinds[LUGE_READER_KINDS] = {
    [LUGE_READER_CHUNKS] = {"chunks", step_chunk, end_empty},
    {"lines", step_line, end_line},
    {"events", step_event, end_empty},
    {"data", step_data, end_empty}};
