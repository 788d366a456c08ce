/* The standard streams as scripts see them: `print`, the functions of `io`
 * that read and write them, io.stdin, io.stdout and io.stderr. */
#ifndef LUGE_MOD_STDIO_H
#define LUGE_MOD_STDIO_H

#include <lua.h>

/* Replaces what Lua's own libraries have: reads let their task wait, writes go
 * through the host's output. Files opened with io.open stay Lua's own. */
void luge__stdio_install(lua_State *L);

/* Creates the class of the three files; pushes one, by its descriptor. */
void luge__stdio_file_init(lua_State *L);
void luge__stdio_file_push(lua_State *L, int descriptor);

/* The descriptor of the standard file at `index`, or -1. */
int luge__stdio_file_test(lua_State *L, int index);

/* Pushes the iterator of `lines` over standard input; the formats are all that
 * is on the stack. */
int luge__stdio_lines(lua_State *L);

#endif
