/* A C module of somebody else, linked with nothing: the command that loads it
 * must export Lua's whole API. All names are bound when it is loaded. */
#include <lauxlib.h>
#include <lualib.h>

typedef void (*function)(void);

/* One function, or more, of each file of Lua that has public ones. */
static const function names[] = {
    (function)lua_newstate,     (function)lua_newthread,
    (function)lua_resume,       (function)lua_yieldk,
    (function)lua_sethook,      (function)lua_getinfo,
    (function)lua_dump,         (function)lua_load,
    (function)lua_gc,           (function)lua_toclose,
    (function)lua_setwarnf,     (function)lua_upvalueid,
    (function)lua_arith,        (function)lua_next,
    (function)lua_rawsetp,      (function)luaL_traceback,
    (function)luaL_loadbufferx, (function)luaL_gsub,
    (function)luaL_newstate,    (function)luaL_openlibs,
    (function)luaopen_base,     (function)luaopen_utf8,
    (function)luaopen_package,  (function)luaopen_debug,
};

static int count(lua_State *L) {
  lua_Integer n = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    n += names[i] != NULL;
  }
  lua_pushinteger(L, n);
  return 1;
}

int luaopen_probe(lua_State *L);

int luaopen_probe(lua_State *L) {
  luaL_Reg functions[] = {{"count", count}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
