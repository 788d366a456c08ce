/* `require` that lets a module wait at its top level, and the modules that are
 * compiled in. */
#ifndef LUGE_CORE_REQUIRE_H
#define LUGE_CORE_REQUIRE_H

#include <lauxlib.h>

/* Replaces `require`, and adds a searcher for what is compiled in. */
void luge__require_open(lua_State *L);

#endif
