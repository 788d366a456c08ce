/* What Lua warns of: `warn`, and errors in finalizers. It goes to the host's
 * log; off until a script says `warn "@on"`, as in Lua's own command. */
#ifndef LUGE_CORE_WARN_H
#define LUGE_CORE_WARN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* A warning may come in pieces, and during a garbage collection: so it is
 * joined here without Lua and without allocating, and cut if it is too long. */
struct luge_warning {
  bool is_on, goes_on;
  size_t length;
  char text[512];
};

void luge__warn_open(lua_State *L);

#endif
