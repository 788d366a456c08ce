/* os.exit([code [, close]]); see os_exit.c. */
#ifndef LUGE_MOD_OS_EXIT_H
#define LUGE_MOD_OS_EXIT_H

#include <lua.h>

int luge__os_exit(lua_State *L);

#endif
