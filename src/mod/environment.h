/* os.getenv, which sees what luge.env has loaded; see environment.c. */
#ifndef LUGE_MOD_ENVIRONMENT_H
#define LUGE_MOD_ENVIRONMENT_H

#include <lua.h>

/* Replaces os.getenv. */
void luge__environment_install(lua_State *L);

#endif
