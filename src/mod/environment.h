/* Environment variables as a host has them: those of the process, and before
 * them those that luge.env has loaded, as far as permissions allow. See
 * environment.c. */
#ifndef LUGE_MOD_ENVIRONMENT_H
#define LUGE_MOD_ENVIRONMENT_H

#include <lua.h>
#include <stdbool.h>

/* Replaces os.getenv. */
void luge__environment_install(lua_State *L);

/* The environment of a child, with the table at `values` (name -> value, or
 * false: without it) on top; `clear`: nothing else. Pushes what keeps the
 * strings alive; NULL: that of this process, and pushes nil. */
char **luge__environment_for_child(lua_State *L, int values, bool clear);

/* Pushes the table of what luge.env has loaded: name -> value. */
void luge__environment_push(lua_State *L);

#endif
