/* See given.h. The source of a module is kept as a Lua string, under its name
 * in a table of the registry, and compiled when it is first required. */
#include "given.h"

#include <lauxlib.h>
#include <lualib.h>

#include "host.h"

static const char sources_key = 0;

struct module {
  const char *name;
  lua_CFunction open; /* NULL: Lua source */
  const char *code;
  size_t length;
};

void luge__given_sources(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sources_key);
  }
}

static int add(lua_State *L) {
  const struct module *module = lua_touserdata(L, 1);
  if (module->open != NULL) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, module->open);
  } else {
    luge__given_sources(L);
    lua_pushlstring(L, module->code, module->length);
  }
  lua_setfield(L, -2, module->name);
  return 0;
}

static int give(struct luge_host *host, struct module *module) {
  if (!luge__usable(host) || module->name == NULL) {
    return LUGE_INVALID;
  }
  lua_State *L = host->L;
  lua_pushcfunction(L, add);
  lua_pushlightuserdata(L, module);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    lua_pop(L, 1);
    return LUGE_MEMORY;
  }
  return LUGE_OK;
}

int luge_register(luge_host *host, const char *name, lua_CFunction open) {
  struct module module = {.name = name, .open = open};
  return open != NULL ? give(host, &module) : LUGE_INVALID;
}

int luge_preload(luge_host *host, const char *name, const char *code,
                 size_t length) {
  struct module module = {.name = name, .code = code, .length = length};
  return code != NULL ? give(host, &module) : LUGE_INVALID;
}

/* Text only, as for scripts. */
int luge__given_search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key) != LUA_TTABLE ||
      lua_getfield(L, -1, name) != LUA_TSTRING) {
    lua_pushfstring(L, "no module '%s' was preloaded", name);
    return 1;
  }
  size_t length;
  const char *code = lua_tolstring(L, -1, &length);
  const char *chunkname = lua_pushfstring(L, "=%s", name);
  if (luaL_loadbufferx(L, code, length, chunkname, "t") != LUA_OK) {
    return lua_error(L);
  }
  lua_pushliteral(L, ":preload:");
  return 2;
}

static void set_path(lua_State *L, const char *field, const char *path) {
  if (path != NULL) {
    lua_pushstring(L, path);
    lua_setfield(L, -2, field);
  }
}

void luge__given_paths(lua_State *L) {
  luge_options *options = &luge__host(L)->options;
  lua_getglobal(L, LUA_LOADLIBNAME);
  set_path(L, "path", options->module_path);
  set_path(L, "cpath", options->c_module_path);
  lua_pop(L, 1);
  options->module_path = options->c_module_path = NULL; /* the embedder's */
}
