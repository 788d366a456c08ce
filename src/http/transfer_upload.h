/* Bodies of requests that come piece by piece: one task writes them, libcurl
 * takes them. A userdata of Lua's, lent to the transfer while that runs. */
#ifndef LUGE_HTTP_TRANSFER_UPLOAD_H
#define LUGE_HTTP_TRANSFER_UPLOAD_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"

struct luge__transfer;
struct luge_task;

struct luge__upload {
  struct luge__memory memory;
  struct luge__bytes bytes;        /* written, and not yet taken */
  size_t taken;                    /* of these */
  long long length;                /* of the whole; -1: not known */
  struct luge__transfer *transfer; /* NULL before and after */
  struct luge_task *writer;        /* waits for room */
  bool ended;                      /* all was written */
  bool over;                       /* nobody takes it any more */
  bool paused;                     /* libcurl waits for more */
};

/* For libcurl's read callback, and with its results. */
size_t luge__upload_take(struct luge__upload *upload, char *bytes, size_t room);

/* Nobody takes it any more: its writer goes on. */
void luge__upload_end(struct luge__upload *upload);

/* The upload at `index`, or NULL. */
struct luge__upload *luge__upload_test(lua_State *L, int index);

/* upload(length?) -> an upload with the methods write(text) -> boolean (goes
 * on?), which waits for room, and finish(). */
int luge__upload_new(lua_State *L);
void luge__upload_init(lua_State *L);

#endif
