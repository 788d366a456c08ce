/* Lua's own libraries where scripts are not trusted: the functions that reach
 * files, programs or the interpreter are replaced by such that ask first, or
 * taken away. None of those that they replace stays where a script can find it,
 * be it by debug.getinfo from something that they call. */
#ifndef LUGE_MOD_STOCK_H
#define LUGE_MOD_STOCK_H

#include <lauxlib.h>

#include "../core/operation.h"

/* Changes the libraries of a host that has permissions. */
void luge__stock_restrict(lua_State *L);

/* A path: raises where it has a zero byte. */
const char *luge__stock_path(lua_State *L, int arg);

/* Opens a file of Lua's own library and pushes it; `operation` is what reading
 * it is. Returns 0; or an errno, and pushes nothing. Raises `permission`. */
int luge__stock_open(lua_State *L, const char *path, const char *mode,
                     enum luge_operation operation);
void luge__stock_close(lua_State *L, int index);

/* The same for the file whose name is argument 1, which it replaces. Raises. */
void luge__stock_replace_name(lua_State *L, const char *mode);

/* Loads a file that holds text, as luaL_loadfilex does. */
int luge__stock_load_file(lua_State *L, const char *path,
                          enum luge_operation operation);

/* The functions, as scripts have them. */
int luge__stock_io_open(lua_State *L);
int luge__stock_lines(lua_State *L); /* io.lines with a name */
int luge__stock_load(lua_State *L);
int luge__stock_loadfile(lua_State *L);
int luge__stock_dofile(lua_State *L);
int luge__stock_searcher(lua_State *L); /* of package.searchers */
int luge__stock_searchpath(lua_State *L);

#endif
