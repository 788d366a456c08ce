/* Checks of arguments that several modules share. Each raises `invalid`. */
#ifndef LUGE_CORE_ARGS_H
#define LUGE_CORE_ARGS_H

#include <lua.h>

/* A number of seconds, not negative and not NaN; infinity is allowed. */
double luge__check_seconds(lua_State *L, int arg);

/* A function, or anything with __call. */
void luge__check_callable(lua_State *L, int arg);

/* An integer from `least` on. `wants` completes "takes ...". */
lua_Integer luge__check_integer(lua_State *L, int arg, lua_Integer least,
                                const char *wants);

#endif
