/* luge.native.clock: virtual time, for tests. While it is in use, the host's
 * clock stands still as long as anything runs, and jumps to the next timer when
 * no task is ready and no outside operation is pending (see luge__poll). It
 * begins at the real time. The registry holds it while it is in use. */
#include "../core/error.h"
#include "../core/host.h"
#include "modules.h"

static const char clock_key = 0;

static uint64_t virtual_now(void *data) {
  return *(const uint64_t *)data;
}

static void advance(void *data, uint64_t to) {
  uint64_t *now = data;
  if (to > *now) {
    *now = to;
  }
}

static bool is_in_place(lua_State *L) {
  bool found = lua_rawgetp(L, LUA_REGISTRYINDEX, &clock_key) != LUA_TNIL;
  lua_pop(L, 1);
  return found;
}

static int lib_install(lua_State *L) {
  struct luge_host *host = luge__host(L);
  if (is_in_place(L)) {
    return luge__raise(L, "invalid", "a virtual clock is in place already");
  }
  uint64_t *now = lua_newuserdatauv(L, sizeof *now, 0);
  *now = luge__now(host);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &clock_key);
  struct luge_clock clock = {
      .now = virtual_now, .advance = advance, .data = now};
  luge__clock_set(host, &clock);
  return 0;
}

/* remove() -> whether it was in place. */
static int lib_remove(lua_State *L) {
  bool removed = is_in_place(L);
  if (removed) {
    luge__clock_set(luge__host(L), NULL);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &clock_key);
  }
  lua_pushboolean(L, removed);
  return 1;
}

int luge__open_clock(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"install", lib_install}, {"remove", lib_remove}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
