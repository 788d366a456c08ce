/* A test has its time, whatever it does with it. */
#ifndef LUGE_MOD_TESTRUN_WATCH_H
#define LUGE_MOD_TESTRUN_WATCH_H

#include <lua.h>

/* When luge.native.testrun is opened. May raise (memory). */
void luge__testrun_watch_init(lua_State *L);

/* watch(awaitable, seconds) -> whether it was settled within that real time;
 * whether what ran was interrupted because it was over */
int luge__testrun_watch(lua_State *L);

#endif
