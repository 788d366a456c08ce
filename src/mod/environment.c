/* luge.native.environment: the variables of the process, under those that
 * luge.env has loaded. These are a table of the host, since the process is
 * its embedder's, and setenv is not safe while other threads run. */
#include "environment.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "modules.h"

static const char loaded_key = 0; /* registry: name -> value */

/* get(name) -> its value or nil: os.getenv as scripts have it */
static int get(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) == LUA_TNIL) {
    lua_pushstring(L, getenv(name));
  }
  return 1;
}

/* all() -> name -> value, of the process */
static int all(lua_State *L) {
  uv_env_item_t *items;
  int count;
  lua_newtable(L);
  if (uv_os_environ(&items, &count) != 0) {
    return luaL_error(L, "not enough memory");
  }
  for (int i = 0; i < count; i++) {
    if (items[i].name[0] != '\0') {
      lua_pushstring(L, items[i].value);
      lua_setfield(L, -2, items[i].name);
    }
  }
  uv_os_free_environ(items, count);
  return 1;
}

void luge__environment_install(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_getglobal(L, LUA_OSLIBNAME);
  lua_pushcfunction(L, get);
  lua_setfield(L, -2, "getenv");
  lua_pop(L, 1);
}

int luge__open_environment(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"get", get}, {"all", all}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_setfield(L, -2, "loaded");
  return 1;
}
