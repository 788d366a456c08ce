/* `require`; see require.h. What finds modules is here, what runs them is Lua
 * (lua/luge/internal/require.lua), where a wait needs no continuation. */
#include "require.h"

#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "embed.h"
#include "error.h"
#include "given.h"
#include "host.h"

static int compare(const void *key, const void *entry) {
  return strcmp(key, ((const struct luge_embedded *)entry)->name);
}

static const struct luge_embedded *find(const char *name) {
  return bsearch(name, luge__embedded, luge__embedded_count,
                 sizeof *luge__embedded, compare);
}

#ifdef LUGE_DEV
/* In builds for development, LUGE_LUA_DIR is where the modules are read from
 * instead. Pushes the path of the module, or nothing. */
static const char *path_on_disk(lua_State *L, const char *name) {
  const char *dir = getenv("LUGE_LUA_DIR");
  if (dir == NULL) {
    return NULL;
  }
  const char *path = luaL_gsub(L, name, ".", "/");
  const char *suffix = strcmp(name, "luge") == 0 ? "/init.lua" : ".lua";
  return lua_pushfstring(L, "%s/%s%s", dir, path, suffix);
}
#endif

static int load(lua_State *L, const struct luge_embedded *module) {
#ifdef LUGE_DEV
  const char *path = path_on_disk(L, module->name);
  if (path != NULL) {
    return luaL_loadfilex(L, path, "t");
  }
#endif
  const char *chunkname = lua_pushfstring(L, "=%s", module->name);
  unsigned long length = module->length;
  char *text = lua_newuserdatauv(L, length, 0);
  if (uncompress((unsigned char *)text, &length, module->packed,
                 module->packed_length) != Z_OK) {
    return luaL_error(L, "no memory to unpack module '%s'", module->name);
  }
  return luaL_loadbufferx(L, text, length, chunkname, "t");
}

/* Modules that are planned: to say so is kinder than the list of places where
 * nothing was found. */
static bool comes_later(const char *name) {
  static const char *const names[] = {"luge.graph", "luge.sandbox", "luge.mcp",
                                      "luge.trace", NULL};
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static int search_embedded(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const struct luge_embedded *module = find(name);
  if (module == NULL) {
    if (comes_later(name)) {
      return luge__raise(L, "invalid",
                         "module '%s' is planned, and not part of luge %s",
                         name, LUGE_VERSION);
    }
    lua_pushfstring(L, "no module '%s' in luge", name);
    return 1;
  }
  if (load(L, module) != LUA_OK) {
    return lua_error(L);
  }
  lua_pushliteral(L, ":luge:");
  return 2;
}

/* Puts the searchers second and third, behind package.preload. */
static void add_searchers(lua_State *L) {
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "searchers");
  lua_Integer count = luaL_len(L, -1);
  for (lua_Integer i = count; i >= 2; i--) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 2);
  }
  lua_pushcfunction(L, luge__given_search);
  lua_rawseti(L, -2, 2);
  lua_pushcfunction(L, search_embedded);
  lua_rawseti(L, -2, 3);
  lua_pop(L, 2);
}

/* Called before any task runs, and so without waiting. */
void luge__require_open(lua_State *L) {
  luge__given_paths(L);
  add_searchers(L);
  if (load(L, find("luge.internal.require")) != LUA_OK) {
    lua_error(L);
  }
  lua_call(L, 0, 1);
  lua_setglobal(L, "require");
}
