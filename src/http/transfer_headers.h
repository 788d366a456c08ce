/* The header lines of a request, in this order: the request's own, its
 * client's, and luge's. If a name comes twice, the first one counts. The text
 * and the list that libcurl reads are two blocks, used again by the transfer's
 * next request. */
#ifndef LUGE_HTTP_TRANSFER_HEADERS_H
#define LUGE_HTTP_TRANSFER_HEADERS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct luge__transfer;

/* Begins an empty list. */
void luge__fields_begin(struct luge__transfer *t);

/* Adds those of the table { name = value, ... } at `index`, or none: a value
 * is a string, a number, a list of these (repeated), or false (not sent, even
 * if it otherwise would be). `overrides`: names that are already there are
 * left out. `safe`: those that hold secrets
 * are, and Host. Raises `invalid`. */
void luge__fields_add_table(lua_State *L, struct luge__transfer *t, int index,
                            bool overrides, bool safe);

/* Adds one of ours, unless it is there. NULL: it is not sent. */
void luge__fields_add(lua_State *L, struct luge__transfer *t, const char *name,
                      const char *value);

/* Whether the request has one of that name. */
bool luge__fields_have(const struct luge__transfer *t, const char *name);

/* Whether the text is a token of RFC 9110, 5.6.2: a name or a method. */
bool luge__is_token(const char *text, size_t length);

/* Hands the list to libcurl. */
void luge__fields_end(lua_State *L, struct luge__transfer *t);

#endif
