/* The names of members. Documents of a kind have the same ones in the same
 * order; so the last short names are kept, each with the one that followed it,
 * which is tried first. To find one so costs a quarter of what it takes to look
 * for the end of a string and to have Lua make it. */
#ifndef LUGE_MOD_JSON_NAMES_H
#define LUGE_MOD_JSON_NAMES_H

#include <lua.h>
#include <stddef.h>

struct json_names;

/* Pushes the strings that are kept, whose place on the stack the others want to
 * know, and begins a document. The names are the Lua state's. */
struct json_names *luge__json_names(lua_State *L);

/* Pushes the expected name if it is the one at `p`, after the quote, and says
 * where it goes on, after the other quote; or NULL. */
const char *luge__json_expect_name(lua_State *L, struct json_names *names,
                                   int strings, const char *p, const char *end);

/* Pushes a name of any kind. */
void luge__json_push_name(lua_State *L, struct json_names *names, int strings,
                          const char *text, size_t length);

#endif
