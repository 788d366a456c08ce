/* The library `coroutine`, with the same meaning as Lua's own, in which a wait
 * inside a coroutine passes through to the scheduler. */
#ifndef LUGE_CORE_COROUTINE_H
#define LUGE_CORE_COROUTINE_H

#include <lua.h>

/* Replaces the functions of `coroutine`, and debug.sethook. */
void luge__coroutine_open(lua_State *L);

#endif
