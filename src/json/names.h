/* The names of members, and short texts that are their values. Documents of
 * one kind have the same names in the same order, and often the same values. So
 * the last short names are kept, each with the one that followed it and with
 * its last value, which are tried first. That costs a quarter of what it takes
 * to find the end of a string and to have Lua make it. */
#ifndef LUGE_JSON_NAMES_H
#define LUGE_JSON_NAMES_H

#include <lua.h>
#include <stddef.h>

enum {
  JSON_NAMES = 128,              /* places for names */
  JSON_NAMES_START = JSON_NAMES, /* as if it came before a document's first */
  JSON_NAMES_OTHER,              /* stands for those that have no place */
  JSON_NAMES_PLACES,
  JSON_NAMES_LENGTH = 30
};

struct json_text {
  unsigned char length;
  char bytes[JSON_NAMES_LENGTH];
};

struct json_name {
  struct json_text name;  /* its length is 0: the place is empty */
  unsigned char next;     /* the place of the one that followed */
  struct json_text value; /* the last one, as it was written */
  unsigned char is_kept;  /* it came twice in a row, and its string is kept */
  unsigned char changes;  /* of the value, since it was kept; wraps around */
};

/* They belong to the Lua state. */
struct json_names {
  unsigned last; /* the place of the one that was pushed last */
  struct json_name places[JSON_NAMES_PLACES];
};

/* Where the table of the strings has the metatable of arrays, too, so that a
 * decoder has both at hand. */
enum { JSON_NAMES_ARRAY_MARK = 2 * JSON_NAMES_PLACES + 1 };

/* Begins a document: pushes the table of the strings, whose stack index the
 * other functions take, and returns the names. */
struct json_names *luge__json_names(lua_State *L);

/* Pushes the expected name if it is the one at `p`, after the quote, and says
 * where it goes on, after the other quote; or NULL. */
const char *luge__json_expect_name(lua_State *L, struct json_names *names,
                                   int strings, const char *p, const char *end);

/* Pushes a name of any kind. */
void luge__json_push_name(lua_State *L, struct json_names *names, int strings,
                          const char *text, size_t length);

/* The same as luge__json_expect_name of the value of the last name. */
const char *luge__json_expect_text(lua_State *L, struct json_names *names,
                                   int strings, const char *p, const char *end);

/* Tells what was at `p` instead: `length` bytes up to the quote, which stand
 * for the string on top of the stack. */
void luge__json_keep_text(lua_State *L, struct json_names *names, int strings,
                          const char *p, size_t length);

#endif
