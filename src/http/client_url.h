/* URLs for the Lua side of redirects; see transfer_url.h. The functions have
 * the slot of luge__url_push_slot as their second upvalue. */
#ifndef LUGE_HTTP_CLIENT_URL_H
#define LUGE_HTTP_CLIENT_URL_H

#include <lua.h>

/* Pushes a userdata that keeps a URL to work with, made when needed. */
void luge__url_push_slot(lua_State *L);

/* resolve(base, reference) -> URL: as RFC 3986, 5. Raises `network` for what
 * is no reference. */
int luge__url_resolve(lua_State *L);

/* origin(URL) -> "scheme://host:port" */
int luge__url_origin(lua_State *L);

/* mask(URL) -> text without secrets */
int luge__url_mask(lua_State *L);

#endif
