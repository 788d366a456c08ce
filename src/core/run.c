/* Running scripts as the main task; the part of luge.h for it. */
#include <lauxlib.h>
#include <string.h>

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
  return task->host->stopped || task->exiting || task->interrupted;
}

/* Reports how the main task, at index 1, failed; or returns its results. */
static int finish(lua_State *L) {
  struct luge_task *task = lua_touserdata(L, 1);
  enum luge_cell_state state = task->cell.state;
  if (state == LUGE_CELL_RESOLVED) {
    return luge__cell_push_values(L, 1, &task->cell);
  }
  if (state == LUGE_CELL_REJECTED || !was_stopped(task)) {
    luge__cell_push_error(L, 1);
    luge__report(L, task->host);
  }
  return 0;
}

static int status_of(const struct luge_task *task) {
  enum luge_cell_state state = task->cell.state;
  return task->exiting                 ? LUGE_EXIT
         : state == LUGE_CELL_RESOLVED ? LUGE_OK
         : state == LUGE_CELL_REJECTED ? LUGE_ERROR
                                       : LUGE_CANCELLED;
}

/* The Task is on top of the main state; NULL: an error. Pops it, and leaves
 * `nresults` results if all went well. */
static int run(struct luge_host *host, struct luge_task *task, int nresults) {
  lua_State *L = host->L;
  int top = lua_gettop(L) - 1;
  if (task == NULL) {
    luge__report(L, host);
    lua_settop(L, top);
    return LUGE_ERROR;
  }
  host->stopped = host->deadlocked = false;
  host->main = task;
  host->driving = true;
  run_until_done(host);
  host->driving = false;
  host->main = NULL;
  int status = status_of(task);
  lua_pushcfunction(L, finish);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, nresults, 0) != LUA_OK) {
    status = status == LUGE_OK ? LUGE_MEMORY : status;
  }
  if (status != LUGE_OK) {
    lua_settop(L, top);
  }
  luge__flush(host);
  return status;
}

static int run_script(struct luge_host *host,
                      const struct luge_script *script) {
  if (!luge__may_turn(host) || !luge__script_fits(script)) {
    return LUGE_INVALID;
  }
  luge__script_begin(host);
  return run(host, luge__script_spawn(host, script), 0);
}

int luge_run_string(luge_host *host, const char *code, size_t length,
                    const char *chunkname, int argc, const char *const *argv) {
  struct luge_script script =
      luge__script_of(code, length, chunkname, argc, argv);
  return code != NULL ? run_script(host, &script) : LUGE_INVALID;
}

int luge_run_file(luge_host *host, const char *path, int argc,
                  const char *const *argv) {
  struct luge_script script = {.name = path, .argc = argc, .argv = argv};
  return run_script(host, &script);
}

int luge_run_function(luge_host *host, int nargs, int nresults) {
  if (!luge__may_turn(host) || nresults < LUA_MULTRET ||
      !luge__script_has_function(host, nargs)) {
    return LUGE_INVALID;
  }
  if (!lua_checkstack(host->L, nresults > 0 ? nresults + 4 : 4)) {
    return LUGE_MEMORY;
  }
  luge__script_begin(host);
  return run(host, luge__script_spawn_function(host, nargs), nresults);
}

int luge_cancel(luge_host *host, const char *reason) {
  if (!luge__usable(host)) {
    return LUGE_INVALID;
  }
  if (host->main != NULL) {
    host->stopped = true;
    luge__scope_cancel(NULL, &host->main->root,
                       reason != NULL ? reason : "cancelled");
  }
  return LUGE_OK;
}

int luge_exit_code(const luge_host *host) {
  return luge__usable(host) ? host->exit_code : 0;
}
