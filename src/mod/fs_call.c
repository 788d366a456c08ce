/* What the operations on files have in common; see fs_call.h. */
#include "fs_call.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../core/error.h"

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
  if (use->other_access != 0) {
    other = luge__fs_check_path(L, 2, &other_length);
  }
  struct luge_fs_call *call =
      luge__job_new(L, kind, size + length + other_length + 2);
  char *tail = (char *)call + size;
  call->verb = use->verb;
  call->path = memcpy(tail, path, length);
  if (other != NULL) {
    call->other = memcpy(tail + length + 1, other, other_length);
  }
  return call;
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
