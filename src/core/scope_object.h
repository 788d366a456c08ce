/* The block `scope(fn)`, and the object that its function is passed: with it
 * scripts spawn tasks in the scope, cancel it, and see its errors. Loop thread
 * only. */
#ifndef LUGE_CORE_SCOPE_OBJECT_H
#define LUGE_CORE_SCOPE_OBJECT_H

#include "scope.h"

/* scope(fn) as a Lua function; see lua/luge/init.lua. */
int luge__scope(lua_State *L);

/* The scope has failed with the error on top of the stack, or one of its tasks
 * has: adds it to the `errors` of the object. */
void luge__scope_keep_error(lua_State *L, struct luge_scope *scope);

/* The scope has ended; scripts may still have the object. */
void luge__scope_object_close(struct luge_scope *scope);

void luge__scope_object_init(lua_State *L);

#endif
