/* What the operations of luge.native.fs have in common: a job with a path or
 * two and an errno. Every operation on a path begins with luge__fs_call: the
 * place to decide whether the script may. */
#ifndef LUGE_MOD_FS_CALL_H
#define LUGE_MOD_FS_CALL_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "job.h"

enum luge_fs_access { LUGE_FS_READ = 1, LUGE_FS_WRITE = 2 };

struct luge_fs_call {
  struct luge_job job;
  const char *verb;  /* of messages: "cannot <verb> <path>" */
  const char *path;  /* behind the job, as long as it lives */
  const char *other; /* of messages too: what it is renamed to, say */
  int error;         /* an errno; 0 */
};

struct luge_fs_use {
  const char *verb;
  unsigned access, other_access; /* 0: no second path */
};

/* Pushes the box of a new call; the paths are the arguments 1 and 2. */
void *luge__fs_call(lua_State *L, const struct luge_job_kind *kind, size_t size,
                    const struct luge_fs_use *use);

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
