/* Bodies of answers that a script reads as they come, and their readers: the
 * pieces as they are, lines, or Server-Sent Events. */
#ifndef LUGE_HTTP_CLIENT_STREAM_H
#define LUGE_HTTP_CLIENT_STREAM_H

#include <lua.h>
#include <stdbool.h>

#include "bytes.h"
#include "client_head.h"
#include "sse.h"
#include "transfer.h"

struct luge__reader;

struct luge__stream {
  struct luge__transfer *transfer; /* NULL: ended, closed, or not begun */
  struct luge__head *head;         /* NULL: not come yet */
  struct luge__memory memory;
  struct luge__bytes piece;    /* taken from the transfer */
  size_t used;                 /* of that */
  struct luge__reader *reader; /* the one that alone may read; NULL: any may */
  bool ended;                  /* all was read */
  bool broken;                 /* an error or a cancelled read has ended it */
};

/* Its user values: what must live as long. */
enum {
  LUGE_STREAM_CLIENT = 1,
  LUGE_STREAM_BODY, /* of the request */
  LUGE_STREAM_HEAD,
  LUGE_STREAM_READER /* of read() */
};

/* Pushes a new one, not begun. */
struct luge__stream *luge__stream_new(lua_State *L);

/* Lets go of the transfer, wherever it is. */
void luge__stream_close(struct luge__stream *stream);

/* The same for a script that closes it: a task that waits for more of it is
 * woken. */
void luge__stream_abandon(struct luge__stream *stream);

struct luge__stream *luge__stream_check(lua_State *L, int index);

/* The stream's transfer has failed: raises why. */
int luge__stream_raise(lua_State *L, struct luge__stream *stream);

void luge__stream_init(lua_State *L);
void luge__reader_init(lua_State *L);

/* Pushes the table of the readers' methods. */
void luge__reader_push_methods(lua_State *L);

/* read(stream) -> the next piece, or nil at the end */
int luge__stream_read(lua_State *L);

/* close(stream) */
int luge__stream_close_lua(lua_State *L);

/* reader(stream, "chunks" | "lines" | "events", limit) -> a reader: callable,
 * with next() and close() */
int luge__reader_new(lua_State *L);

#endif
