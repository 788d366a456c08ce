/* Checks of arguments; see args.h. */
#include "args.h"

#include <lauxlib.h>

#include "error.h"

double luge__check_seconds(lua_State *L, int arg) {
  int is_number = lua_type(L, arg) == LUA_TNUMBER;
  double seconds = is_number ? lua_tonumber(L, arg) : 0;
  if (!is_number || !(seconds >= 0)) {
    luge__arg_error(L, arg, "a number of seconds, 0 or more");
  }
  return seconds;
}

void luge__check_callable(lua_State *L, int arg) {
  if (lua_isfunction(L, arg)) {
    return;
  }
  if (luaL_getmetafield(L, arg, "__call") == LUA_TNIL) {
    luge__arg_error(L, arg, "a function");
  }
  lua_pop(L, 1);
}

lua_Integer luge__check_integer(lua_State *L, int arg, lua_Integer least,
                                const char *wants) {
  int is_integer = 0;
  lua_Integer value =
      lua_type(L, arg) == LUA_TNUMBER ? lua_tointegerx(L, arg, &is_integer) : 0;
  if (!is_integer || value < least) {
    luge__arg_error(L, arg, wants);
  }
  return value;
}
