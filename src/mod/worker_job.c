/* What a worker's thread does in its Lua state: take over what the parent has
 * set up, run a job, pack what became of it. A job is the main task of the
 * worker's host, so that one that waits for what can never come is told so. */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "../core/deadlock.h"
#include "../core/error.h"
#include "../core/given.h"
#include "../core/host.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/trace.h"
#include "environment.h"
#include "function.h"
#include "worker.h"

/* Registry: makes a function of the name of a module. */
static const char module_key = 0;

/* Taking over: the search path, that of C modules, what luge.env has loaded,
 * the sources of Lua modules and the openers of C modules that the embedder
 * has given, as luge__worker_setup packs them. */

static void set_path(lua_State *L, int index, const char *field) {
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_pushvalue(L, index);
  lua_setfield(L, -2, field);
  lua_pop(L, 1);
}

/* Adds to the table on top of the stack what the one at `index` has. */
static void add_missing(lua_State *L, int index) {
  int to = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pushvalue(L, -2);
    if (lua_rawget(L, to) == LUA_TNIL) {
      lua_pushvalue(L, -3);
      lua_pushvalue(L, -3);
      lua_rawset(L, to);
    }
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

int luge__worker_configure(lua_State *L) {
  struct luge_worker *worker = lua_touserdata(L, 1);
  luge__parcel_unpack(L, &worker->setup);
  luge__parcel_free(&worker->setup);
  set_path(L, 2, "path");
  set_path(L, 3, "cpath");
  luge__environment_push(L);
  add_missing(L, 4);
  luge__given_sources(L);
  add_missing(L, 5);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  add_missing(L, 6);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "luge.internal.worker_module");
  lua_call(L, 1, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
  return 0;
}

/* Starting: the code, whether it is a function's, and the arguments. */

static int start(lua_State *L) {
  const struct luge_worker *worker = lua_touserdata(L, 1);
  int count = luge__parcel_unpack(L, worker->job);
  if (lua_toboolean(L, 3)) {
    luge__function_load(L, 2);
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key);
    lua_pushvalue(L, 2);
    lua_call(L, 1, 1);
  }
  lua_replace(L, 3);
  luge__spawn(L, &luge__host(L)->top, count - 2);
  return 1;
}

/* Lua's memory is full: the state is given up after the job. */

static bool is_memory(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TSTRING) {
    return strcmp(lua_tostring(L, index), "not enough memory") == 0;
  }
  if (!luge__is_error(L, index, "limit")) {
    return false;
  }
  lua_pushliteral(L, "what");
  lua_rawget(L, index);
  bool memory = lua_type(L, -1) == LUA_TSTRING &&
                strcmp(lua_tostring(L, -1), "memory") == 0;
  lua_pop(L, 1);
  return memory;
}

static void push_memory_error(lua_State *L) {
  luge__push_error(L, "limit", "not enough memory in a worker");
  luge__set_limit(L, "memory", (lua_Integer)luge__host(L)->memory.limit);
}

static void push_exit_error(lua_State *L) {
  int code = luge__host(L)->exit_code;
  luge__push_error(L, "process", "the job called os.exit: status %d", code);
  lua_pushinteger(L, code);
  lua_setfield(L, -2, "code");
}

/* Packing. */

/* The worker at index 1, the error at 2, its trace at 3. */
static int pack_error(lua_State *L) {
  struct luge_worker *worker = lua_touserdata(L, 1);
  enum { LEAST = 1 << 16 }; /* for an error, whatever the limit */
  if (is_memory(L, 2)) {
    worker->broken = true;
    push_memory_error(L);
    lua_replace(L, 2);
  } else if (luge__host(L)->exiting) {
    worker->broken = true;
    push_exit_error(L);
    lua_replace(L, 2);
  } else if (lua_istable(L, 2) && !luge__is_error(L, 2, NULL) &&
             lua_getmetatable(L, 2)) { /* of a class of the script's */
    luge__error_text(L, 2);
    lua_replace(L, 2);
  }
  lua_settop(L, 3);
  worker->outcome = LUGE_OUTCOME_ERROR;
  worker->out.limit = worker->max_bytes > LEAST ? worker->max_bytes : LEAST;
  lua_insert(L, 2);
  luge__parcel_pack_error(L, &worker->out);
  lua_pop(L, 1);
  luge__parcel_pack_error(L, &worker->out);
  return 0;
}

/* The worker at index 1, the Task at 2, which has ended. */
static int pack_outcome(lua_State *L) {
  struct luge_worker *worker = lua_touserdata(L, 1);
  struct luge_task *task = lua_touserdata(L, 2);
  if (task->cell.state == LUGE_CELL_RESOLVED) {
    int count = luge__cell_push_values(L, 2, &task->cell);
    worker->out.limit = worker->max_bytes;
    worker->outcome = LUGE_OUTCOME_RESULTS;
    luge__parcel_pack(L, &worker->out, lua_gettop(L) - count + 1, "result");
    return 0;
  }
  luge__cell_push_error(L, 2);
  luge__trace_push(L, 3);
  lua_remove(L, 2);
  return pack_error(L);
}

/* The error on top of the main state's stack, which is popped. */
static void leave_error(struct luge_worker *worker, lua_State *L) {
  luge__parcel_free(&worker->out);
  lua_pushcfunction(L, pack_error);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, worker);
  lua_insert(L, -2);
  lua_pushnil(L);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
    luge__parcel_free(&worker->out);
    worker->outcome = LUGE_OUTCOME_MEMORY;
    worker->broken = true;
    lua_pop(L, 1);
  }
}

/* Turns the loop until the task has ended. */
static void follow(struct luge_worker *worker, luge_host *host,
                   struct luge_task *task) {
  host->main = task;
  host->deadlocked = false;
  while (task->thread.co != NULL) {
    luge__worker_attend(worker, task);
    luge__passes(host);
    if (task->thread.co != NULL && !luge__poll(host, true)) {
      luge__deadlock_break(host);
    }
  }
  host->main = NULL;
}

void luge__worker_perform(struct luge_worker *worker) {
  luge_host *host = worker->host;
  lua_State *L = host->L;
  lua_pushcfunction(L, start);
  lua_pushlightuserdata(L, worker);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    leave_error(worker, L);
    return;
  }
  follow(worker, host, lua_touserdata(L, -1));
  lua_pushcfunction(L, pack_outcome);
  lua_pushlightuserdata(L, worker);
  lua_pushvalue(L, -3);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    leave_error(worker, L);
  }
  lua_pop(L, 1);
  luge__flush(host);
}
