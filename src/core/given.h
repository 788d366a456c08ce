/* What the embedder gives `require`: C modules, modules as Lua source, and the
 * paths where others are looked for. */
#ifndef LUGE_CORE_GIVEN_H
#define LUGE_CORE_GIVEN_H

#include <lua.h>
#include <stdbool.h>

/* A searcher: pushes the loader of the module that luge_preload was given
 * under the name at index 1, or a text that says there is none. */
int luge__given_search(lua_State *L);

/* Pushes the table of the sources of modules, by name. */
void luge__given_sources(lua_State *L);

/* Sets package.path and package.cpath as the host's options say. */
void luge__given_paths(lua_State *L);

#endif
