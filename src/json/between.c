/* The one text in a document that is known otherwise: most events of a stream
 * differ from the one before in nothing else. */
#include "json.h"
#include "scan.h"

#include <lauxlib.h>

/* between(document, before, behind): what is in the string that `before` opens
 * and `behind` closes, if the document is made of the three, and the string is
 * well-formed and has no escape; else nil. */
int luge__json_between(lua_State *L) {
  size_t length, before, behind;
  const char *document = luaL_checklstring(L, 1, &length);
  const char *opening = luaL_checklstring(L, 2, &before);
  const char *closing = luaL_checklstring(L, 3, &behind);
  if (length < before + behind) {
    return 0;
  }
  const char *text = document + before;
  const char *end = document + length - behind;
  if (memcmp(document, opening, before) != 0 ||
      memcmp(end, closing, behind) != 0 || json_skip_text(text, end) != end) {
    return 0;
  }
  lua_pushlstring(L, text, (size_t)(end - text));
  return 1;
}
