/* Scripts that go on while the embedder does: luge_start_string and _file. The
 * registry holds what is to be told, by the task's address, until the task has
 * ended; it is told outside of any task. */
#include "start.h"

#include <lauxlib.h>

#include "failure.h"
#include "host.h"
#include "script.h"
#include "task.h"

/* A userdata whose user value is the Task. */
struct start {
  luge_done_fn done; /* NULL: an error is reported */
  void *data;
};

static enum luge_status status_of(const struct luge_task *task) {
  switch (task->cell.state) {
  case LUGE_CELL_RESOLVED:
    return LUGE_OK;
  case LUGE_CELL_CANCELLED:
    return task->exiting ? LUGE_EXIT : LUGE_CANCELLED;
  default:
    return LUGE_ERROR;
  }
}

static void call_done(lua_State *L, struct start *start,
                      enum luge_status status, int results) {
  struct luge_host *host = luge__host(L);
  luge_done_fn done = start->done;
  start->done = NULL; /* once */
  host->calling++;
  done(host, status, L, results, start->data);
  host->calling--;
}

/* The start is at index 1. */
static int tell(lua_State *L) {
  struct start *start = lua_touserdata(L, 1);
  lua_getiuservalue(L, 1, 1);
  struct luge_task *task = lua_touserdata(L, 2);
  int results = 1;
  if (task->cell.state == LUGE_CELL_RESOLVED) {
    results = luge__cell_push_values(L, 2, &task->cell);
    if (task->cell.count > 1) { /* the table they were kept in */
      lua_remove(L, 3);
    }
  } else {
    luge__cell_push_error(L, 2);
  }
  if (start->done != NULL) {
    call_done(L, start, status_of(task), results);
  } else if (task->cell.state == LUGE_CELL_REJECTED) {
    luge__report(L, task->host);
  }
  return 0;
}

/* The second try is for want of memory: `done` is given that error. */
static int tell_failure(lua_State *L) {
  struct start *start = lua_touserdata(L, 1);
  lua_remove(L, 1);
  call_done(L, start, LUGE_MEMORY, 1);
  return 0;
}

/* The error is on top of the main state's stack, and is popped. */
static void on_untold(struct luge_host *host, struct start *start,
                      bool has_done) {
  lua_State *L = host->L;
  if (has_done && start->done != NULL) {
    lua_pushcfunction(L, tell_failure);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, start);
    lua_insert(L, -2);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK) {
      return;
    }
  }
  luge__report(L, host);
  lua_pop(L, 1);
}

void luge__start_tell(struct luge_task *task) {
  struct luge_host *host = task->host;
  lua_State *L = host->L;
  unsigned calling = host->calling; /* also if `done` raises */
  lua_rawgetp(L, LUA_REGISTRYINDEX, task);
  struct start *start = lua_touserdata(L, -1);
  bool has_done = start->done != NULL;
  lua_pushcfunction(L, tell);
  lua_pushvalue(L, -2);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    host->calling = calling;
    on_untold(host, start, has_done);
    host->calling = calling;
  }
  lua_pop(L, 1);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, task);
}

/* The Task at index 1, the function and its data at 2. */
static int keep(lua_State *L) {
  struct luge_task *task = lua_touserdata(L, 1);
  struct start *start = lua_newuserdatauv(L, sizeof *start, 1);
  *start = *(const struct start *)lua_touserdata(L, 2);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, task);
  task->started_by_host = true;
  return 0;
}

static bool may_start(const struct luge_host *host) {
  return luge__usable(host) && !host->stopping;
}

/* The Task, or (NULL) an error, is on top of the main state. */
static luge_task *begin(struct luge_host *host, struct luge_task *task,
                        struct start start) {
  lua_State *L = host->L;
  if (task == NULL) {
    luge__report(L, host);
    lua_pop(L, 1);
    return NULL;
  }
  lua_pushcfunction(L, keep);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, &start);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    luge__scope_cancel(NULL, &task->root, "out of memory");
    luge__report(L, host);
    lua_pop(L, 1);
    return NULL;
  }
  return task;
}

static luge_task *start_script(struct luge_host *host,
                               const struct luge_script *script,
                               struct start start) {
  if (!may_start(host) || !luge__script_fits(script)) {
    return NULL;
  }
  luge__script_begin(host);
  return begin(host, luge__script_spawn(host, script), start);
}

luge_task *luge_start_string(luge_host *host, const char *code, size_t length,
                             const char *chunkname, int argc,
                             const char *const *argv, luge_done_fn done,
                             void *data) {
  struct luge_script script =
      luge__script_of(code, length, chunkname, argc, argv);
  return code != NULL ? start_script(host, &script, (struct start){done, data})
                      : NULL;
}

luge_task *luge_start_file(luge_host *host, const char *path, int argc,
                           const char *const *argv, luge_done_fn done,
                           void *data) {
  struct luge_script script = {.name = path, .argc = argc, .argv = argv};
  return start_script(host, &script, (struct start){done, data});
}

luge_task *luge_start_function(luge_host *host, int nargs, luge_done_fn done,
                               void *data) {
  if (!may_start(host) || !luge__script_has_function(host, nargs)) {
    return NULL;
  }
  luge__script_begin(host);
  return begin(host, luge__script_spawn_function(host, nargs),
               (struct start){done, data});
}

int luge_task_cancel(luge_task *task, const char *reason) {
  if (task == NULL || !luge__usable(task->host)) {
    return LUGE_INVALID;
  }
  luge__scope_cancel(NULL, &task->root, reason != NULL ? reason : "cancelled");
  return LUGE_OK;
}
