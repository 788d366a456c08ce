/* luge.native.permission: the table of operations, for tests and tools. It is
 * open to scripts: what can be permitted is no secret. */
#include <lauxlib.h>

#include "modules.h"
#include "operations.h"

/* operations() -> { { name, capability }, ... } */
static int lib_operations(lua_State *L) {
  lua_createtable(L, LUGE_OP_COUNT, 0);
  for (int i = LUGE_OP_NONE + 1; i < LUGE_OP_COUNT; i++) {
    enum luge_operation operation = (enum luge_operation)i;
    lua_createtable(L, 2, 0);
    lua_pushstring(L, luge__operation_name(operation));
    lua_rawseti(L, -2, 1);
    lua_pushstring(
        L, luge__capability_name(luge__operation_capability(operation)));
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* of(function's full name) -> its first operation and its capability; "none":
 * it does nothing outside; nothing: it is not told */
static int lib_of(lua_State *L) {
  enum luge_operation operation;
  if (!luge__operation_of(luaL_checkstring(L, 1), &operation)) {
    return 0;
  }
  lua_pushstring(L, luge__operation_name(operation));
  lua_pushstring(L,
                 luge__capability_name(luge__operation_capability(operation)));
  return 2;
}

int luge__open_permission(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"operations", lib_operations}, {"of", lib_of}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
