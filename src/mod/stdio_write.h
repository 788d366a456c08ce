/* Lua functions that print; see stdio_write.c. */
#ifndef LUGE_MOD_STDIO_WRITE_H
#define LUGE_MOD_STDIO_WRITE_H

#include <lua.h>
#include <luge.h>

/* print(...) */
int luge__stdio_print(lua_State *L);

/* Prints the strings and numbers from `first` on, as `file:write` does.
 * Leaves the stack as it is and returns 0, or a negative errno. */
int luge__stdio_write(lua_State *L, enum luge_stream stream, int first);

/* write(stream, text): waits while a slow reader leaves no room. Raises
 * `closed` or `io` when the stream is closed. flush(stream): waits until all
 * that was printed has been handed over. */
int luge__stdio_wait_write(lua_State *L);
int luge__stdio_wait_flush(lua_State *L);

#endif
