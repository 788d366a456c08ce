/* Small texts of requests; see client_text.h. */
#include "client_text.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

int luge__text_escape(lua_State *L) {
  static const char digits[] = "0123456789ABCDEF";
  size_t length, n = 0;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_Buffer b;
  char *out = luaL_buffinitsize(L, &b, length * 3);
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (isalnum(c) || (c != '\0' && strchr("-._~", c) != NULL)) {
      out[n++] = (char)c;
    } else {
      out[n++] = '%';
      out[n++] = digits[c >> 4];
      out[n++] = digits[c & 15];
    }
  }
  luaL_pushresultsize(&b, n);
  return 1;
}

int luge__text_base64(lua_State *L) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t length, n = 0;
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_Buffer b;
  char *out = luaL_buffinitsize(L, &b, (length + 2) / 3 * 4);
  for (size_t i = 0; i < length; i += 3) {
    size_t left = length - i;
    unsigned bits = (unsigned)(unsigned char)text[i] << 16;
    bits |= left > 1 ? (unsigned)(unsigned char)text[i + 1] << 8 : 0;
    bits |= left > 2 ? (unsigned)(unsigned char)text[i + 2] : 0;
    out[n++] = digits[bits >> 18];
    out[n++] = digits[bits >> 12 & 63];
    out[n++] = left > 1 ? digits[bits >> 6 & 63] : '=';
    out[n++] = left > 2 ? digits[bits & 63] : '=';
  }
  luaL_pushresultsize(&b, n);
  return 1;
}
