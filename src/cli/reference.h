/* The pages of docs/reference, compiled into the command, for `luge help`. */
#ifndef LUGE_CLI_REFERENCE_H
#define LUGE_CLI_REFERENCE_H

#include <lua.h>

/* Makes `luge.reference` known to `require`: the text of the pages, one behind
 * the other, which is unpacked when it is loaded. */
void cli_preload_reference(lua_State *L);

#endif
