/* luge.native.testrun: what runs the tests of one file, inside the process that
 * `luge test` starts for it: see lua/luge/internal/test_run.lua. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "modules.h"
#include "testrun_watch.h"

/* Where the process that started this one reads. */
enum { REPORT_FD = 3 };

/* Builds for finding bugs are slow. */
#if defined(LUGE_GCSTRESS) || defined(__SANITIZE_ADDRESS__) ||                 \
    defined(__SANITIZE_THREAD__)
enum { PATIENCE = 6 };
#else
enum { PATIENCE = 1 };
#endif

/* What a test has left behind. */

static bool descends(const struct luge_task *task,
                     const struct luge_task *from) {
  const struct luge_scope *scope = task->root.parent;
  for (; scope != NULL; scope = scope->parent) {
    if (scope->task == from) {
      return true;
    }
  }
  return false;
}

/* descendants(task) -> the live tasks that it owns, directly or not */
static int lib_descendants(lua_State *L) {
  const struct luge_task *from = luge__class_check(L, 1, &luge__task_class);
  lua_settop(L, 1);
  lua_newtable(L);
  struct luge_task_walk walk = {0};
  const struct luge_task *task;
  while ((task = luge__task_next(L, &walk)) != NULL) {
    if (descends(task, from)) {
      lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
    }
    lua_settop(L, 2);
  }
  return 1;
}

/* Standard streams are opened once, and stay. */
static bool is_standard(const uv_handle_t *handle) {
  uv_os_fd_t fd;
  return uv_fileno(handle, &fd) == 0 && fd <= 2;
}

/* A stream that listens, or is waited for, is counted as such; one that is read
 * though nobody waits is a connection that a server keeps for its client. */
static bool is_left(const uv_handle_t *handle) {
  switch (uv_handle_get_type(handle)) {
  case UV_TCP:
  case UV_NAMED_PIPE:
    return !uv_is_active(handle);
  case UV_UDP:
  case UV_FS_EVENT:
  case UV_FS_POLL:
  case UV_SIGNAL:
  case UV_PROCESS:
    return true;
  default:
    return false;
  }
}

static void count_handle(uv_handle_t *handle, void *data) {
  if (is_left(handle) && !uv_is_closing(handle) && !is_standard(handle)) {
    ++*(lua_Integer *)data;
  }
}

/* open() -> operations and listeners that are counted; sockets, processes and
 * watchers */
static int lib_open(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_Integer handles = 0;
  uv_walk(host->loop, count_handle, &handles);
  lua_pushinteger(L, host->refs);
  lua_pushinteger(L, handles);
  return 2;
}

/* reported() -> whether an error that nobody awaited was, since the last call;
 * it no longer counts for the exit status */
static int lib_reported(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_pushboolean(L, host->failed);
  host->failed = false;
  return 1;
}

/* report(text) writes a line for the process that started this one. */
static int lib_report(lua_State *L) {
  size_t left;
  const char *text = luaL_checklstring(L, 1, &left);
  fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC); /* not for what a test starts */
  while (left > 0) {
    ssize_t written = write(REPORT_FD, text, left);
    if (written >= 0) {
      text += written;
      left -= (size_t)written;
    } else if (errno != EINTR) {
      return luge__raise(L, "io", "cannot report a test: %s", strerror(errno));
    }
  }
  return 0;
}

/* give_up(): ends the process, with a task in it that os.exit would wait for.
 * The process is the runner's own, which is told why before. */
static int lib_give_up(lua_State *L) {
  luge__flush(luge__host(L));
  _exit(EXIT_FAILURE);
}

int luge__open_testrun(lua_State *L) {
  static const luaL_Reg functions[] = {{"watch", luge__testrun_watch},
                                       {"descendants", lib_descendants},
                                       {"open", lib_open},
                                       {"reported", lib_reported},
                                       {"report", lib_report},
                                       {"give_up", lib_give_up},
                                       {NULL, NULL}};
  luge__testrun_watch_init(L);
  luaL_newlib(L, functions);
  lua_pushinteger(L, PATIENCE);
  lua_setfield(L, -2, "patience");
  return 1;
}
