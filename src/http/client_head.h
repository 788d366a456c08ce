/* The head of an answer, for Lua: a userdata without a finalizer that holds
 * the header lines as they came, and finds headers in them when asked. Lua
 * knows it as `response.headers`. */
#ifndef LUGE_HTTP_CLIENT_HEAD_H
#define LUGE_HTTP_CLIENT_HEAD_H

#include <lua.h>

#include "transfer.h"

struct luge__head;

/* Pushes the head of the transfer's answer. */
struct luge__head *luge__head_push(lua_State *L, struct luge__transfer *t);

/* The body has come: notes when. */
void luge__head_finish(struct luge__head *head, struct luge__transfer *t);

void luge__head_init(lua_State *L);

/* info(headers) -> http_version, reused */
int luge__head_info(lua_State *L);

/* timings(headers) -> table of seconds since the start */
int luge__head_timings(lua_State *L);

#endif
