/* The names of members. Documents of one kind have the same names in the same
 * order. So the last short names are kept, each with the one that followed it,
 * which is tried first. That costs a quarter of what it takes to find the end
 * of a string and to have Lua make it. */
#ifndef LUGE_JSON_NAMES_H
#define LUGE_JSON_NAMES_H

#include <lua.h>
#include <stddef.h>

struct json_names;

/* Begins a document: pushes the table of the strings, whose stack index the
 * other functions take, and returns the names. They belong to the Lua state. */
struct json_names *luge__json_names(lua_State *L);

/* Pushes the expected name if it is the one at `p`, after the quote, and says
 * where it goes on, after the other quote; or NULL. */
const char *luge__json_expect_name(lua_State *L, struct json_names *names,
                                   int strings, const char *p, const char *end);

/* Pushes a name of any kind. */
void luge__json_push_name(lua_State *L, struct json_names *names, int strings,
                          const char *text, size_t length);

#endif
