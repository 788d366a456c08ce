/* Scripts that go on while the embedder does: luge_start_string and _file. The
 * registry holds what is to be told, by the task's address, until the task has
 * ended; it is told outside of any task. */
#include "start.h"

#include <lauxlib.h>

#include "async.h"
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
    return LUGE_CANCELLED;
  default:
    return LUGE_ERROR;
  }
}

/* The start is at index 1. */
static int tell(lua_State *L) {
  const struct start *start = lua_touserdata(L, 1);
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
    start->done(task->host, status_of(task), L, results, start->data);
  } else if (task->cell.state == LUGE_CELL_REJECTED) {
    luge__report(L, task->host);
  }
  return 0;
}

void luge__start_tell(struct luge_task *task) {
  lua_State *L = task->host->L;
  lua_pushcfunction(L, tell);
  lua_rawgetp(L, LUA_REGISTRYINDEX, task);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, task);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    luge__report(L, luge__host(L));
    lua_pop(L, 1);
  }
}

/* The Task at index 1, the function and its data at 2 and 3. */
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

static luge_task *begin(struct luge_host *host,
                        const struct luge_script *script, struct start *start) {
  if (host == NULL || !luge__on_thread(host) || host->stopping) {
    return NULL;
  }
  lua_State *L = host->L;
  struct luge_task *task = luge__script_spawn(host, script);
  if (task == NULL) {
    luge__report(L, host);
    lua_pop(L, 1);
    return NULL;
  }
  lua_pushcfunction(L, keep);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, start);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    luge__scope_cancel(NULL, &task->root, "out of memory");
    luge__report(L, host);
    lua_pop(L, 1);
    return NULL;
  }
  return task;
}

luge_task *luge_start_string(luge_host *host, const char *code, size_t length,
                             const char *chunkname, int argc,
                             const char *const *argv, luge_done_fn done,
                             void *data) {
  if (code == NULL) {
    return NULL;
  }
  struct luge_script script = {.code = code,
                               .length = length,
                               .name =
                                   chunkname != NULL ? chunkname : "=(string)",
                               .argc = argc,
                               .argv = argv};
  struct start start = {done, data};
  return begin(host, &script, &start);
}

luge_task *luge_start_file(luge_host *host, const char *path, int argc,
                           const char *const *argv, luge_done_fn done,
                           void *data) {
  struct luge_script script = {.name = path, .argc = argc, .argv = argv};
  struct start start = {done, data};
  return begin(host, &script, &start);
}

void luge_task_cancel(luge_task *task, const char *reason) {
  if (task != NULL) {
    luge__scope_cancel(NULL, &task->root,
                       reason != NULL ? reason : "cancelled");
  }
}
