/* See reference.h. The table, of one text, is made from docs/reference/luge*.md
 * by the build (cmake/embed.c). */
#include "reference.h"

#include <lauxlib.h>
#include <zlib.h>

#include "embedded.h"

extern const struct luge_embedded cli_reference[];

static int open_reference(lua_State *L) {
  luaL_Buffer buffer;
  unsigned long length = cli_reference[0].length;
  char *text = luaL_buffinitsize(L, &buffer, length);
  if (uncompress((unsigned char *)text, &length, cli_reference[0].packed,
                 cli_reference[0].packed_length) != Z_OK) {
    return luaL_error(L, "no memory to unpack the reference");
  }
  luaL_pushresultsize(&buffer, length);
  return 1;
}

void cli_preload_reference(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open_reference);
  lua_setfield(L, -2, "luge.reference");
  lua_pop(L, 1);
}
