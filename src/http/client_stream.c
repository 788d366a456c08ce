/* Streamed bodies; see client_stream.h. */
#include "client_stream.h"

#include <lauxlib.h>

#include "../core/class.h"
#include "../core/error.h"

static const struct luge_class stream_class = {"a response stream"};

struct luge__stream *luge__stream_new(lua_State *L) {
  struct luge__stream *stream =
      luge__class_new(L, &stream_class, sizeof *stream, LUGE_STREAM_READER);
  stream->memory.fn = lua_getallocf(L, &stream->memory.ud);
  return stream;
}

struct luge__stream *luge__stream_check(lua_State *L, int index) {
  return luge__class_check(L, index, &stream_class);
}

void luge__stream_close(struct luge__stream *stream) {
  struct luge__transfer *t = stream->transfer;
  if (t == NULL) {
    return;
  }
  stream->transfer = NULL;
  if (stream->head != NULL) {
    luge__head_finish(stream->head, t);
  }
  luge__transfer_drop(t);
}

int luge__stream_raise(lua_State *L, struct luge__stream *stream) {
  struct luge__transfer *t = stream->transfer;
  stream->transfer = NULL;
  stream->broken = true;
  return luge__transfer_raise(L, t);
}

void luge__stream_abandon(struct luge__stream *stream) {
  struct luge__transfer *t = stream->transfer;
  struct luge_task *reader = t != NULL ? t->waiter : NULL;
  luge__stream_close(stream);
  if (reader != NULL) {
    luge__wake(reader);
  }
}

int luge__stream_close_lua(lua_State *L) {
  luge__stream_abandon(luge__stream_check(L, 1));
  return 0;
}

static int stream_gc(lua_State *L) {
  struct luge__stream *stream = luge__stream_check(L, 1);
  stream->head = NULL; /* may be gone already */
  luge__stream_close(stream);
  luge__bytes_free(&stream->piece, &stream->memory);
  return 0;
}

void luge__stream_init(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__gc", stream_gc}, {"__close", luge__stream_close_lua}, {NULL, NULL}};
  luge__class_init(L, &stream_class, none, metamethods);
}
