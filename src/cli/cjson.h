/* lua-cjson, for Lua code that already uses it; luge's own is luge.json. */
#ifndef LUGE_CLI_CJSON_H
#define LUGE_CLI_CJSON_H

#include <lua.h>

/* Makes `cjson` and `cjson.safe` known to `require`, where the command was
 * built with them; elsewhere `require` looks for a shared library as usual. */
void cli_preload_cjson(lua_State *L);

#endif
