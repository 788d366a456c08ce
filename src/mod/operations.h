/* What each function that scripts can call does to the world outside: its
 * (first) operation, or that it does nothing there. A function of luge's own
 * modules that is not told here does not work in a host that restricts its
 * scripts, and fails tests/lua/permission_table_test.lua. Methods are not told:
 * who has the userdata was permitted to make it. */
#ifndef LUGE_MOD_OPERATIONS_H
#define LUGE_MOD_OPERATIONS_H

#include <lauxlib.h>
#include <stdbool.h>

#include "../core/operation.h"

/* The first operation of a function, by its full name, such as "io.open";
 * LUGE_OP_NONE: it has none. False: it is not told. */
bool luge__operation_of(const char *function, enum luge_operation *operation);

/* Makes luge's C modules known to `require`, sealed where they have to be. */
void luge__operations_preload(lua_State *L);

/* Loads one of them, as `require` does. */
void luge__operations_open(lua_State *L, const char *name);

/* The host has got its permissions: makes Lua's own libraries ask them, and, if
 * scripts are confined, seals the modules that are loaded. */
void luge__operations_restrict(lua_State *L);

#endif
