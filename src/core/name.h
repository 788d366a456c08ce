/* What a script calls a C function. */
#ifndef LUGE_CORE_NAME_H
#define LUGE_CORE_NAME_H

#include <lua.h>
#include <stdbool.h>

/* Replaces the function on top of the stack by its name, as a script finds it
 * in a loaded module: "table.sort", "luge.sleep". False: no name was found, and
 * the function is only popped. Slow: for error messages. */
bool luge__name_function(lua_State *L);

/* The same for a method of the value at index 1, by which it was called. */
bool luge__name_method(lua_State *L);

/* Whether the table on top of the stack has the function at index `function` as
 * a member: then the member's key is left on top. */
bool luge__name_key(lua_State *L, int function);

#endif
