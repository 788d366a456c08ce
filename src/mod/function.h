/* Functions on their way from one Lua state to another: as a string of their
 * bytecode, and of what their upvalues are. These may only be _ENV, which
 * becomes the globals of the other state, and the function itself, as in a
 * `local function` that recurses. */
#ifndef LUGE_MOD_FUNCTION_H
#define LUGE_MOD_FUNCTION_H

#include <lua.h>

/* Pushes the function at `index` as a string. Raises `invalid`, which names
 * the upvalue that it must not have. */
void luge__function_dump(lua_State *L, int index);

/* Pushes the function of the string at `index`, the same one if it was loaded
 * before: without upvalues of their own, nobody can tell two apart. */
void luge__function_load(lua_State *L, int index);

#endif
