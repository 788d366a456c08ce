/* What a script calls a C function; see name.h. */
#include "name.h"

#include <lauxlib.h>
#include <string.h>

/* Pushes the name of a module's member as scripts know it. They never see
 * luge.native.NAME: what `task` has is found in `luge` itself, and other native
 * modules have a public module of the same name. */
static void push_name(lua_State *L, const char *module, const char *member) {
  static const char native[] = "luge.native.";
  if (strcmp(module, LUA_GNAME) == 0) {
    lua_pushstring(L, member);
  } else if (strncmp(module, native, sizeof native - 1) != 0) {
    lua_pushfstring(L, "%s.%s", module, member);
  } else {
    const char *name = module + sizeof native - 1;
    bool is_own = strcmp(name, "task") == 0 || strcmp(name, "sync") == 0 ||
                  strcmp(name, "queue") == 0;
    lua_pushfstring(L, "luge.%s%s%s", is_own ? "" : name, is_own ? "" : ".",
                    member);
  }
}

bool luge__name_key(lua_State *L, int function) {
  int table = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_rawequal(L, -1, function)) {
      lua_pop(L, 1);
      return true;
    }
  }
  return false;
}

bool luge__name_method(lua_State *L) {
  luaL_checkstack(L, 8, NULL);
  int function = lua_gettop(L);
  if (luaL_getmetafield(L, 1, "__index") == LUA_TTABLE &&
      luge__name_key(L, function)) {
    lua_replace(L, function);
    lua_settop(L, function);
    return true;
  }
  lua_settop(L, function - 1);
  return false;
}

bool luge__name_function(lua_State *L) {
  luaL_checkstack(L, 8, NULL);
  int function = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (lua_pushnil(L); lua_next(L, function + 1); lua_settop(L, function + 2)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1) &&
        luge__name_key(L, function)) {
      push_name(L, lua_tostring(L, function + 2), lua_tostring(L, -1));
      lua_replace(L, function);
      lua_settop(L, function);
      return true;
    }
  }
  lua_settop(L, function - 1);
  return false;
}
