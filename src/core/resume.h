/* Resuming the coroutines of scripts, so that a wait inside one passes through
 * to the scheduler. */
#ifndef LUGE_CORE_RESUME_H
#define LUGE_CORE_RESUME_H

#include <lua.h>
#include <stdbool.h>

/* coroutine.resume: `co` is the first argument, the others are for it. Suspends
 * L with `co`, when that waits. */
int luge__resume(lua_State *L, lua_State *co);

/* What coroutine.wrap gives; its upvalue is the coroutine. */
int luge__resume_wrapped(lua_State *L);

/* Ends a coroutine: its pending handlers run, and cannot wait. If the status is
 * an error, that is on its stack, and must not stay: coroutine.status would
 * take it for a function to begin with. */
int luge__resume_close(lua_State *L, lua_State *co);

/* Whether as many are being closed, one by a handler of the other, as the C
 * stack may hold: then none is to be resumed or closed. */
bool luge__resume_is_deep(lua_State *L);

void luge__resume_open(lua_State *L);

#endif
