/* Scripts; see script.h. */
#include "script.h"

#include <lauxlib.h>

#include "host.h"
#include "task.h"

bool luge__script_fits(const struct luge_script *script) {
  if (script->argc < 0 || (script->argc > 0 && script->argv == NULL)) {
    return false;
  }
  for (int i = 0; i < script->argc; i++) {
    if (script->argv[i] == NULL) {
      return false;
    }
  }
  return true;
}

/* Text only: bytecode can crash the interpreter. */
static int load(lua_State *L, const struct luge_script *script) {
  return script->code != NULL
             ? luaL_loadbufferx(L, script->code, script->length, script->name,
                                "t")
             : luaL_loadfilex(L, script->name, "t");
}

static int spawn(lua_State *L) {
  const struct luge_script *script = lua_touserdata(L, 1);
  if (load(L, script) != LUA_OK) {
    return lua_error(L);
  }
  luaL_checkstack(L, script->argc + 8, "too many arguments");
  for (int i = 0; i < script->argc; i++) {
    lua_pushstring(L, script->argv[i]);
  }
  luge__spawn(L, &luge__host(L)->top, script->argc);
  return 1;
}

struct luge_task *luge__script_spawn(struct luge_host *host,
                                     const struct luge_script *script) {
  lua_State *L = host->L;
  lua_pushcfunction(L, spawn);
  lua_pushlightuserdata(L, (void *)script);
  return lua_pcall(L, 1, 1, 0) == LUA_OK ? lua_touserdata(L, -1) : NULL;
}

bool luge__script_has_function(const struct luge_host *host, int nargs) {
  lua_State *L = host->L;
  return nargs >= 0 && nargs < lua_gettop(L) && lua_isfunction(L, -nargs - 1);
}

static int spawn_function(lua_State *L) {
  luge__spawn(L, &luge__host(L)->top, lua_gettop(L) - 1);
  return 1;
}

struct luge_task *luge__script_spawn_function(struct luge_host *host,
                                              int nargs) {
  lua_State *L = host->L;
  lua_pushcfunction(L, spawn_function);
  lua_insert(L, -nargs - 2);
  return lua_pcall(L, nargs + 1, 1, 0) == LUA_OK ? lua_touserdata(L, -1) : NULL;
}

void luge__script_begin(struct luge_host *host) {
  if (host->live == 0) {
    host->exiting = false;
    host->exit_code = 0;
  }
}
