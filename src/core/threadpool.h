/* libuv's thread pool, which is the process's. libuv starts all of its threads
 * with the first work, and aborts the process if the system does not give them:
 * here that is found out before, so that it can be an error. */
#ifndef LUGE_CORE_THREADPOOL_H
#define LUGE_CORE_THREADPOOL_H

#include <lua.h>

/* To be called before the first work is queued: raises `limit` (`what` is
 * "threads") if the threads cannot be started. Costs nothing once it has
 * succeeded. Any host's thread. */
void luge__threadpool_check(lua_State *L);

#endif
