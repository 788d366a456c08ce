/* luge.native.log: hands messages to the host's log, luge's own and those of
 * scripts. */
#include <lauxlib.h>

#include "../core/error.h"
#include "../core/host.h"
#include "modules.h"

/* "debug", "info", "warn" or "error" */
static enum luge_log_level check_level(lua_State *L) {
  static const char *const names[] = {"debug", "info", "warn", "error", NULL};
  return (enum luge_log_level)luaL_checkoption(L, 1, NULL, names);
}

/* write(level, message): luge's own */
static int log_write(lua_State *L) {
  enum luge_log_level level = check_level(L);
  luge__log(luge__host(L), level, luaL_checkstring(L, 2));
  return 0;
}

/* record(level, text, json): a script's */
static int log_record(lua_State *L) {
  enum luge_log_level level = check_level(L);
  const char *text = luaL_checkstring(L, 2);
  luge__log_record(luge__host(L), level, text, luaL_checkstring(L, 3));
  return 0;
}

int luge__open_log(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"write", log_write}, {"record", log_record}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
