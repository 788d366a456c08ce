/* luge.command.build; see build_lua.h, and app.h for what is built. */
#include "build_lua.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <zlib.h>

#include "app.h"
#include "options.h"
#include "report.h"

/* executable() -> the path of luge; or nil */
static int lib_executable(lua_State *L) {
  char *path = cli_app_executable();
  lua_pushstring(L, path);
  free(path);
  return 1;
}

/* checksum(text) -> as the marker has it */
static int lib_checksum(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  uLong sum = crc32(crc32(0, NULL, 0), (const Bytef *)text, (uInt)length);
  lua_pushinteger(L, (lua_Integer)sum);
  return 1;
}

/* Whether the rules are well-formed: opens a host with them that runs
 * nothing. */
static bool are_rules(struct cli_permissions *permissions) {
  luge_options options = {.size = sizeof options, .log = cli_on_log};
  luge_host *host = luge_open(&options);
  const char *audit = permissions->audit;
  permissions->audit = NULL; /* it is not to be written now */
  bool taken =
      host != NULL && cli_permissions_apply(host, permissions, NULL) == 0;
  permissions->audit = audit;
  luge_close(host);
  return taken;
}

/* check(list of options) -> whether luge takes them; told on standard error
 * why not */
static int lib_check(lua_State *L) {
  static char command[] = "luge";
  luaL_checktype(L, 1, LUA_TTABLE);
  int count = (int)lua_rawlen(L, 1);
  char **words = lua_newuserdatauv(L, sizeof *words * ((size_t)count + 2), 0);
  luaL_checkstack(L, count, "too many options");
  words[0] = command;
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    words[i] = (char *)luaL_checkstring(L, -1);
  }
  words[count + 1] = NULL;
  struct cli_options options;
  bool taken =
      cli_parse(count + 1, words, &options) && options.operand == count + 1 &&
      (!options.permissions.restricted || are_rules(&options.permissions));
  cli_permissions_free(&options.permissions);
  lua_pushboolean(L, taken);
  return 1;
}

static int open_module(lua_State *L) {
  static const luaL_Reg functions[] = {{"executable", lib_executable},
                                       {"checksum", lib_checksum},
                                       {"check", lib_check},
                                       {NULL, NULL}};
  size_t prefix;
  const char *marker = cli_app_marker(&prefix);
  luaL_newlib(L, functions);
  lua_pushstring(L, marker);
  lua_setfield(L, -2, "marker");
  lua_pushlstring(L, marker, prefix);
  lua_setfield(L, -2, "prefix");
  return 1;
}

int cli_build_register(luge_host *host) {
  return luge_register(host, "luge.command.build", open_module);
}
