/* luge.native.log: hands messages to the host's log. */
#include <lauxlib.h>

#include "../core/error.h"
#include "../core/host.h"
#include "modules.h"

/* write(level, message): level is "debug", "info", "warn" or "error". */
static int log_write(lua_State *L) {
  static const char *const names[] = {"debug", "info", "warn", "error", NULL};
  int level = luaL_checkoption(L, 1, NULL, names);
  luge__log(luge__host(L), (enum luge_log_level)level, luaL_checkstring(L, 2));
  return 0;
}

int luge__open_log(lua_State *L) {
  static const luaL_Reg functions[] = {{"write", log_write}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
