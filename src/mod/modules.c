/* The list of C modules, and how they are loaded; see modules.h. */
#include "modules.h"

#include "../core/permission.h"
#include "operations.h"
#include "stock.h"

static const luaL_Reg modules[] = {
    {"luge.native.clock", luge__open_clock},
    {"luge.native.condition", luge__open_condition},
    {"luge.native.environment", luge__open_environment},
    {"luge.native.fs", luge__open_fs},
    {"luge.native.gate", luge__open_gate},
    {"luge.native.http_client", luge__open_http_client},
    {"luge.native.http_server", luge__open_http_server},
    {"luge.native.json", luge__open_json},
    {"luge.native.log", luge__open_log},
    {"luge.native.net", luge__open_net},
    {"luge.native.permission", luge__open_permission},
    {"luge.native.process", luge__open_process},
    {"luge.native.queue", luge__open_queue},
    {"luge.native.signal", luge__open_signal},
    {"luge.native.stdio", luge__open_stdio},
    {"luge.native.store", luge__open_store},
    {"luge.native.stream", luge__open_stream},
    {"luge.native.sync", luge__open_sync},
    {"luge.native.task", luge__open_task},
    {"luge.native.terminal", luge__open_terminal},
    {"luge.native.testchild", luge__open_testchild},
    {"luge.native.testrun", luge__open_testrun},
    {"luge.native.worker", luge__open_worker},
    {NULL, NULL},
};

/* Stands in for a sealed function, whose name is the upvalue. */
static int refuse(lua_State *L) {
  luge__permit(L, LUGE_OP_HOST, lua_tostring(L, lua_upvalueindex(1)));
  return 0;
}

/* Whether the field on top may stay. */
static bool works(lua_State *L, const char *name) {
  enum luge_operation operation;
  return !lua_isfunction(L, -1) ||
         (luge__operation_of(name, &operation) && operation != LUGE_OP_HOST);
}

/* Seals the table on top, which is known as `library`: functions that have no
 * entry, or are only for hosts without restrictions, then refuse to work. */
static void seal(lua_State *L, const char *library) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      lua_pop(L, 1);
      continue;
    }
    const char *name =
        lua_pushfstring(L, "%s.%s", library, lua_tostring(L, -2));
    lua_insert(L, -2);
    if (works(L, name)) {
      lua_pop(L, 2);
      continue;
    }
    lua_pop(L, 1);
    lua_pushcclosure(L, refuse, 1);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4); /* an existing field: the traversal may go on */
  }
}

/* Opens a module: once, and under its own name, whatever a script calls this
 * with. Upvalues: the opener, the name, the module. */
static int open_module(lua_State *L) {
  if (lua_istable(L, lua_upvalueindex(3))) {
    lua_pushvalue(L, lua_upvalueindex(3));
    return 1;
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_call(L, 1, 1);
  if (luge__is_restricted(luge__host(L))) {
    seal(L, lua_tostring(L, lua_upvalueindex(2)));
  }
  lua_pushvalue(L, -1);
  lua_replace(L, lua_upvalueindex(3));
  return 1;
}

void luge__modules_preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  for (const luaL_Reg *module = modules; module->name != NULL; module++) {
    lua_pushcfunction(L, module->func);
    lua_pushstring(L, module->name);
    lua_pushnil(L);
    lua_pushcclosure(L, open_module, 3);
    lua_setfield(L, -2, module->name);
  }
  lua_pop(L, 1);
}

void luge__modules_open(lua_State *L, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_getfield(L, -1, name);
  lua_call(L, 0, 1);
  lua_setfield(L, -3, name);
  lua_pop(L, 2);
}

static void seal_loaded(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (const luaL_Reg *module = modules; module->name != NULL; module++) {
    if (lua_getfield(L, -1, module->name) == LUA_TTABLE) {
      seal(L, module->name);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void luge__modules_restrict(lua_State *L) {
  luge__stock_restrict(L);
  if (luge__is_restricted(luge__host(L))) {
    seal_loaded(L);
  }
}
