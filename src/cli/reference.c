/* See reference.h. The table is made from docs/reference/luge*.md by the build
 * (cmake/embed.c). */
#include "reference.h"

#include <lauxlib.h>
#include <zlib.h>

#include "core/embed.h"

extern const struct luge_embedded cli_reference[];

static void push_text(lua_State *L, const struct luge_embedded *page) {
  luaL_Buffer buffer;
  unsigned long length = page->length;
  char *text = luaL_buffinitsize(L, &buffer, length);
  if (uncompress((unsigned char *)text, &length, page->packed,
                 page->packed_length) != Z_OK) {
    luaL_error(L, "no memory to unpack the reference");
  }
  luaL_pushresultsize(&buffer, length);
}

static int open_reference(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; cli_reference[i].name != NULL; i++) {
    push_text(L, &cli_reference[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

void cli_preload_reference(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open_reference);
  lua_setfield(L, -2, "luge.reference");
  lua_pop(L, 1);
}
