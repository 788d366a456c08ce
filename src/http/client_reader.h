/* Readers of streamed bodies: what client_reader.c, which gets more bytes and
 * waits for them, shares with client_reader_kinds.c, which makes results of
 * the bytes at hand.
 *
 * A reader that may leave a value half read (lines, events) has the stream for
 * itself. */
#ifndef LUGE_HTTP_CLIENT_READER_H
#define LUGE_HTTP_CLIENT_READER_H

#include <lua.h>

#include "client_stream.h"

enum { LUGE_READER_NEEDS_MORE = -1 };

struct luge__reader_kind {
  const char *name;
  /* Makes a result of the stream's piece: pushes it and returns the number of
   * values, or returns LUGE_READER_NEEDS_MORE. May raise. */
  int (*step)(lua_State *L, struct luge__reader *reader);
  /* The body has ended: pushes what is left, or nil, and returns 1. */
  int (*end)(lua_State *L, struct luge__reader *reader);
};

/* Those that scripts may ask for, and the one of stream:read(). */
enum { LUGE_READER_CHUNKS, LUGE_READER_KINDS = 4 };
extern const struct luge__reader_kind luge__reader_kinds[LUGE_READER_KINDS];

struct luge__reader {
  struct luge__stream *stream;
  const struct luge__reader_kind *kind;
  size_t max;              /* bytes of a line, or of an event */
  struct luge__bytes line; /* the beginning of one that is not complete */
  struct luge__sse sse;
};

/* Strings that every event needs are upvalues of the C function that runs when
 * a reader of events makes a step. */
enum {
  LUGE_READER_EVENT = 1,
  LUGE_READER_DATA,
  LUGE_READER_MESSAGE,
  LUGE_READER_UPVALUES = LUGE_READER_MESSAGE
};

#endif
