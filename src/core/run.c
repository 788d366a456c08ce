/* Running scripts as the main task; the part of luge.h for it. */
#include <lauxlib.h>
#include <string.h>

#include "deadlock.h"
#include "error.h"
#include "failure.h"
#include "host.h"
#include "sched.h"
#include "task.h"
#include "trace.h"

struct script {
  const char *code; /* NULL: a file */
  size_t length;
  const char *name; /* of the chunk, or the file; NULL: standard input */
  int argc;
  const char *const *argv;
};

static int load(lua_State *L, const struct script *script) {
  return script->code != NULL
             ? luaL_loadbufferx(L, script->code, script->length, script->name,
                                "bt")
             : luaL_loadfile(L, script->name);
}

/* Loads the script and spawns the main task. */
static int start(lua_State *L) {
  const struct script *script = lua_touserdata(L, 1);
  struct luge_host *host = luge__host(L);
  if (load(L, script) != LUA_OK) {
    return lua_error(L);
  }
  luaL_checkstack(L, script->argc + 8, "too many arguments");
  for (int i = 0; i < script->argc; i++) {
    lua_pushstring(L, script->argv[i]);
  }
  host->main = luge__spawn(L, &host->top, script->argc);
  return 1;
}

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

/* Reports how the main task, at index 1, ended. */
static int finish(lua_State *L) {
  struct luge_task *task = lua_touserdata(L, 1);
  if (task->cell.state == LUGE_CELL_REJECTED) {
    luge__cell_push_error(L, 1);
    luge__report(L, task->host);
  }
  return 0;
}

static int run(struct luge_host *host, const struct script *script) {
  if (host == NULL || host->current != NULL || host->main != NULL) {
    return LUGE_INVALID;
  }
  lua_State *L = host->L;
  lua_pushcfunction(L, start);
  lua_pushlightuserdata(L, (void *)script);
  int status = lua_pcall(L, 1, 1, 0);
  if (status != LUA_OK) {
    luge__report(L, host);
    lua_pop(L, 1);
    return status == LUA_ERRMEM ? LUGE_MEMORY : LUGE_ERROR;
  }
  run_until_done(host);
  enum luge_cell_state state = host->main->cell.state;
  host->main = NULL;
  lua_pushcfunction(L, finish);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    lua_pop(L, 1);
  }
  luge__flush(host);
  return state == LUGE_CELL_RESOLVED   ? LUGE_OK
         : state == LUGE_CELL_REJECTED ? LUGE_ERROR
                                       : LUGE_CANCELLED;
}

int luge_run_string(luge_host *host, const char *code, size_t length,
                    const char *chunkname, int argc,
                    const char *const *argv) {
  if (code == NULL) {
    return LUGE_INVALID;
  }
  struct script script = {.code = code,
                          .length = length,
                          .name = chunkname != NULL ? chunkname : "=(string)",
                          .argc = argc,
                          .argv = argv};
  return run(host, &script);
}

int luge_run_file(luge_host *host, const char *path, int argc,
                  const char *const *argv) {
  struct script script = {.name = path, .argc = argc, .argv = argv};
  return run(host, &script);
}

void luge_cancel(luge_host *host, const char *reason) {
  if (host != NULL && host->main != NULL) {
    luge__scope_cancel(NULL, &host->main->root,
                       reason != NULL ? reason : "cancelled");
  }
}
