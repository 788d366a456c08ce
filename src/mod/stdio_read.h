/* Lua functions that read standard input; see stdio_read.c. */
#ifndef LUGE_MOD_STDIO_READ_H
#define LUGE_MOD_STDIO_READ_H

#include <lua.h>

/* Reads as `file:read` does: the formats are all that is on the stack, none
 * means "l". Returns as a C function; waits. At the end nil; after a failed
 * read nil, a message and the errno. */
int luge__stdin_read(lua_State *L);

/* The same, for iterators: raises where `file:read` would return an error. */
int luge__stdin_next(lua_State *L);

/* take(what, limit?): "line", "whole", "all", "chunk" or a number of bytes.
 * Raises `limit` when more than `limit` bytes would be needed, and `io` after
 * a failed read; both leave what has come where it is. Waits. */
int luge__stdin_take(lua_State *L);

/* Raises unless the values from `first` on are formats. */
void luge__stdin_check_formats(lua_State *L, int first);

#endif
