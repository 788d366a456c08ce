/* Small texts of requests. */
#ifndef LUGE_HTTP_CLIENT_TEXT_H
#define LUGE_HTTP_CLIENT_TEXT_H

#include <lua.h>

/* escape(text) -> text, percent-encoded as RFC 3986 does what is reserved. */
int luge__text_escape(lua_State *L);

/* base64(text) -> text, as RFC 4648, 4. */
int luge__text_base64(lua_State *L);

#endif
