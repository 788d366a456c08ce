/* What the operations on files have in common; see fs_call.h. */
#include "fs_call.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../core/error.h"
#include "../core/permission.h"

const char *luge__fs_check_path(lua_State *L, int arg, size_t *length) {
  if (lua_type(L, arg) != LUA_TSTRING) {
    luge__arg_error(L, arg, "a path");
  }
  const char *path = lua_tolstring(L, arg, length);
  if (memchr(path, '\0', *length) != NULL) {
    luge__arg_error(L, arg, "a path without zero bytes");
  }
  return path;
}

void *luge__fs_call(lua_State *L, const struct luge_job_kind *kind, size_t size,
                    const struct luge_fs_use *use) {
  size_t length, other_length = 0;
  const char *path = luge__fs_check_path(L, 1, &length), *other = NULL;
  if (use->other != LUGE_OP_NONE) {
    other = luge__fs_check_path(L, 2, &other_length);
  }
  struct luge_fs_call *call =
      luge__job_new(L, kind, size + length + other_length + 2);
  char *tail = (char *)call + size;
  call->verb = use->verb;
  call->use = use;
  call->follow = true;
  call->path = memcpy(tail, path, length);
  call->at = luge__place_here(call->path);
  if (other != NULL) {
    call->other = memcpy(tail + length + 1, other, other_length);
    call->to = luge__place_here(call->other);
  }
  return call;
}

void luge__fs_free(struct luge_job *job) {
  struct luge_fs_call *call = (struct luge_fs_call *)job;
  luge__place_leave(&call->at);
  luge__place_leave(&call->to);
}

static void free_found(struct luge_job *job) {
  ((struct luge_fs_call *)job)->kind->free(job);
}

static void work_find(struct luge_job *job) {
  struct luge_fs_call *call = (struct luge_fs_call *)job;
  call->error = luge__place_find(&call->at, call->path, call->follow);
  if (call->other != NULL) {
    int error = luge__place_find(&call->to, call->other, call->follow);
    call->error = call->error != 0 ? call->error : error;
  }
}

static void permit(lua_State *L, enum luge_operation operation,
                   const struct luge_place *place) {
  if (operation != LUGE_OP_NONE && place->path != NULL) {
    luge__permit(L, operation, place->path);
  }
}

/* Asks for the first of the missing directories, which is made too. */
static void permit_way(lua_State *L, const struct luge_fs_call *call) {
  const char *end = strchr(call->at.name, '/');
  if (end != NULL) {
    lua_pushlstring(L, call->at.path, (size_t)(end - call->at.path));
    luge__permit(L, call->use->first, lua_tostring(L, -1));
    lua_pop(L, 1);
  }
}

static void permit_all(lua_State *L, const struct luge_fs_call *call) {
  const struct luge_fs_use *use = call->use;
  permit(L, use->first, &call->at);
  permit(L, use->other, &call->to);
  if (use->second != LUGE_OP_FS_MOVE || call->to.path == NULL ||
      luge__can_be_read(call->job.host, call->to.path)) {
    permit(L, use->second, &call->at);
  }
}

/* A script that may not use a path must not learn whether it exists: so an
 * error is raised only after the decision. */
static int done_find(lua_State *L, struct luge_job *job) {
  struct luge_fs_call *call = (struct luge_fs_call *)job;
  permit_all(L, call);
  if (call->makes_way && call->error == ENOENT && call->at.path != NULL) {
    permit_way(L, call);
    call->error = 0;
  }
  luge__fs_check(L, call);
  job->kind = call->kind;
  return luge__job_run(L, job);
}

int luge__fs_run(lua_State *L, struct luge_fs_call *call) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a path to be looked up"), work_find, done_find,
      free_found};
  if (!luge__is_trusted(call->job.host)) {
    call->kind = call->job.kind;
    call->job.kind = &kind;
  }
  return luge__job_run(L, &call->job);
}

static void set_limit(lua_State *L) {
  struct rlimit limit;
  lua_pushliteral(L, "open files");
  lua_setfield(L, -2, "what");
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    lua_pushinteger(L, (lua_Integer)limit.rlim_cur);
    lua_setfield(L, -2, "limit");
  }
}

int luge__fs_raise(lua_State *L, const char *verb, const char *path,
                   const char *other, int error) {
  char name[32], text[128];
  bool exhausted = error == EMFILE || error == ENFILE;
  uv_err_name_r(-error, name, sizeof name);
  uv_strerror_r(-error, text, sizeof text);
  luge__push_error(L, exhausted ? "limit" : "io", "cannot %s %s%s%s: %s", verb,
                   path, other != NULL ? " to " : "",
                   other != NULL ? other : "", text);
  if (exhausted) {
    set_limit(L);
  }
  lua_pushstring(L, name);
  lua_setfield(L, -2, "errno");
  lua_pushstring(L, path);
  lua_setfield(L, -2, "path");
  return lua_error(L);
}

void luge__fs_check(lua_State *L, const struct luge_fs_call *call) {
  if (call->error != 0) {
    luge__fs_raise(L, call->verb, call->path, call->other, call->error);
  }
}

int luge__fs_done(lua_State *L, struct luge_job *job) {
  luge__fs_check(L, (struct luge_fs_call *)job);
  return 0;
}
