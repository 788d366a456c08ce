/* lua-cjson's static archive, linked into the command; see cjson.h. */
#include "cjson.h"

#include <lauxlib.h>

#if defined(LUGE_HAVE_CJSON)

int luaopen_cjson(lua_State *L);
int luaopen_cjson_safe(lua_State *L);

void cli_preload_cjson(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_cjson);
  lua_setfield(L, -2, "cjson");
  lua_pushcfunction(L, luaopen_cjson_safe);
  lua_setfield(L, -2, "cjson.safe");
  lua_pop(L, 1);
}

#else

void cli_preload_cjson(lua_State *L) {
  (void)L;
}

#endif
