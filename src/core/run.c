/* Running scripts as the main task; the part of luge.h for it. */
#include <lauxlib.h>
#include <string.h>

#include "async.h"
#include "deadlock.h"
#include "error.h"
#include "failure.h"
#include "host.h"
#include "sched.h"
#include "script.h"
#include "task.h"
#include "trace.h"

static bool is_done(const struct luge_task *task) {
  return task->thread.co == NULL;
}

static void run_until_done(struct luge_host *host) {
  for (;;) {
    luge__passes(host);
    if (is_done(host->main)) {
      return;
    }
    if (!luge__poll(host, true)) {
      luge__deadlock_break(host);
    }
  }
}

/* Whether somebody outside, or os.exit, is why the main task was cancelled:
 * else it has failed. */
static bool was_stopped(const struct luge_task *task) {
  return task->host->stopped || task->host->exiting || task->interrupted;
}

/* Reports how the main task, at index 1, ended. */
static int finish(lua_State *L) {
  struct luge_task *task = lua_touserdata(L, 1);
  enum luge_cell_state state = task->cell.state;
  if (state == LUGE_CELL_REJECTED ||
      (state == LUGE_CELL_CANCELLED && !was_stopped(task))) {
    luge__cell_push_error(L, 1);
    luge__report(L, task->host);
  }
  return 0;
}

static int run(struct luge_host *host, const struct luge_script *script) {
  if (host == NULL || host->current != NULL || host->driving ||
      host->stopping || !luge__on_thread(host)) {
    return LUGE_INVALID;
  }
  lua_State *L = host->L;
  struct luge_task *task = luge__script_spawn(host, script);
  if (task == NULL) {
    luge__report(L, host);
    lua_pop(L, 1);
    return LUGE_ERROR;
  }
  host->main = task;
  host->driving = true;
  run_until_done(host);
  host->driving = false;
  enum luge_cell_state state = host->main->cell.state;
  host->main = NULL;
  lua_pushcfunction(L, finish);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    lua_pop(L, 1);
  }
  luge__flush(host);
  return host->exiting                 ? LUGE_EXIT
         : state == LUGE_CELL_RESOLVED ? LUGE_OK
         : state == LUGE_CELL_REJECTED ? LUGE_ERROR
                                       : LUGE_CANCELLED;
}

int luge_run_string(luge_host *host, const char *code, size_t length,
                    const char *chunkname, int argc, const char *const *argv) {
  if (code == NULL) {
    return LUGE_INVALID;
  }
  struct luge_script script = {.code = code,
                               .length = length,
                               .name =
                                   chunkname != NULL ? chunkname : "=(string)",
                               .argc = argc,
                               .argv = argv};
  return run(host, &script);
}

int luge_run_file(luge_host *host, const char *path, int argc,
                  const char *const *argv) {
  struct luge_script script = {.name = path, .argc = argc, .argv = argv};
  return run(host, &script);
}

void luge_cancel(luge_host *host, const char *reason) {
  if (host != NULL && host->main != NULL) {
    host->stopped = true;
    luge__scope_cancel(NULL, &host->main->root,
                       reason != NULL ? reason : "cancelled");
  }
}

int luge_exit_code(const luge_host *host) {
  return host != NULL ? host->exit_code : 0;
}
