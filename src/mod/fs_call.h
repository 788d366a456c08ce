/* What the operations of luge.native.fs have in common: a job with a path or
 * two and an errno. Where scripts are not trusted a call has two parts: the
 * paths are looked up on the pool, then what they lead to is decided about on
 * the loop's thread, and the work is done, on the pool again, at the places
 * that were found. */
#ifndef LUGE_MOD_FS_CALL_H
#define LUGE_MOD_FS_CALL_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "../core/operation.h"
#include "../core/place.h"
#include "job.h"

struct luge_fs_call {
  struct luge_job job;
  const char *verb;  /* of messages: "cannot <verb> <path>" */
  const char *path;  /* behind the job, as long as it lives */
  const char *other; /* of messages too: what it is renamed to, say */
  int error;         /* an errno; 0 */

  struct luge_place at, to; /* where the paths lead to */
  bool follow;              /* a link at the end of a path; true at first */
  bool makes_way;           /* missing directories on the way are no error */
  const struct luge_fs_use *use;
  const struct luge_job_kind *kind; /* of the work */
};

struct luge_fs_use {
  const char *verb;
  enum luge_operation first, second; /* on the path; or LUGE_OP_NONE */
  enum luge_operation other;         /* on the other; or there is none */
};

/* Pushes the box of a new call; the paths are the arguments 1 and 2. The kind's
 * `free` is, or ends by, luge__fs_free. */
void *luge__fs_call(lua_State *L, const struct luge_job_kind *kind, size_t size,
                    const struct luge_fs_use *use);

/* Decides, and waits for its work as luge__job_run does. */
int luge__fs_run(lua_State *L, struct luge_fs_call *call);
void luge__fs_free(struct luge_job *job);

/* The path at `arg`. Raises `invalid`. */
const char *luge__fs_check_path(lua_State *L, int arg, size_t *length);

/* Raises `io`, with errno and path; or `limit`, if there are no descriptors
 * left. The other raises unless error is 0. */
int luge__fs_raise(lua_State *L, const char *verb, const char *path,
                   const char *other, int error);
void luge__fs_check(lua_State *L, const struct luge_fs_call *call);

/* A `done` for what has no result. */
int luge__fs_done(lua_State *L, struct luge_job *job);

#endif
