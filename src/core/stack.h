/* The stack of a coroutine in words, for people who did not write luge. */
#ifndef LUGE_CORE_STACK_H
#define LUGE_CORE_STACK_H

#include <lua.h>
#include <stdbool.h>

/* Whether the function, of which the source is known (option "S"), is of one
 * of luge's own Lua modules. */
bool luge__stack_is_own(const lua_Debug *ar);

/* As luaL_traceback without a message, but leaves out the frames of luge's own
 * Lua modules, what they call in C, and the function at a task's bottom. Pushes
 * the text. */
void luge__stack_push(lua_State *L, lua_State *L1, int level);

#endif
