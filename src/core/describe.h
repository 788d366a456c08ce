/* What a live task does, in a line for people. */
#ifndef LUGE_CORE_DESCRIBE_H
#define LUGE_CORE_DESCRIBE_H

#include <lua.h>

/* Pushes the name of the Task at `index`, which lives, what it waits for or
 * is, and at which line of the script; and returns that. */
const char *luge__describe_task(lua_State *L, int index);

#endif
