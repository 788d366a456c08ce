/* JSON (RFC 8259): what the files of this module share, and what C code that
 * has a document or a value at hand can call.
 *
 * A value is a Lua value: null is `json.null` (the light userdata NULL), an
 * array a table with the mark of json.array, an object a plain table. All
 * memory is the Lua state's; nothing here calls back into Lua. */
#ifndef LUGE_JSON_JSON_H
#define LUGE_JSON_JSON_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH     128
#define JSON_MAX_DEPTH 10000

struct json_options {
  int max_depth;
  int sort_keys;
  const char *indent; /* one level; NULL for none */
  size_t indent_length;
};

#define JSON_DEFAULTS                                                          \
  { JSON_DEPTH, 0, NULL, 0 }

/* Pushes the value of the document that is the string at `index`. Raises
 * `parse`. */
void luge__json_decode(lua_State *L, int index,
                       const struct json_options *options);

/* Pushes the document of the value at `index` as a string. Raises `invalid`
 * for a value that JSON has no form for. */
void luge__json_encode(lua_State *L, int index,
                       const struct json_options *options);

/* Pushes a `parse` error about the byte at `p` of a text that begins at `text`
 * and ends at `end`, with `offset`, to which `before` is added for the bytes
 * that came before the text, and `near`. */
void luge__json_push_parse_error(lua_State *L, const char *text, const char *p,
                                 const char *end, uint64_t before,
                                 const char *what);

/* Writes text in a form that is safe to print, as much of it as fits, and a
 * NUL: what a terminal would not show becomes an escape. Its length. */
size_t luge__json_visible(char *out, size_t size, const char *text,
                          const char *end);

/* The option max_depth of the table at `index`, which may be none or nil and
 * have no other. Raises `invalid`. */
int luge__json_depth_option(lua_State *L, int index);

/* Pushes the metatable that marks arrays, or objects. */
void luge__json_push_array_mark(lua_State *L);
void luge__json_push_object_mark(lua_State *L);

/* between(document, before, behind) */
int luge__json_between(lua_State *L);

/* Registers the incremental reader in the table at the top of the stack. */
void luge__json_open_reader(lua_State *L);

#endif
