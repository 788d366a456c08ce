/* URLs, read by libcurl, so that what is checked is what is connected to. */
#ifndef LUGE_HTTP_TRANSFER_URL_H
#define LUGE_HTTP_TRANSFER_URL_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "curl.h"

/* Sets `url` from the text and says whether it is https. Raises `invalid` for
 * what is no absolute URL of http or https, and for control characters. */
bool luge__url_set(lua_State *L, const struct luge__curl *curl, CURLU *url,
                   const char *text, size_t length);

/* Pushes the text with its password, and the values of parameters that look
 * like keys, as "***". */
const char *luge__url_push_masked(lua_State *L, const char *text);

/* Whether a header, or a parameter, of this name holds a secret. */
bool luge__is_secret(const char *name, size_t length);

#endif
