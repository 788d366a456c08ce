/* Values as JSON for embedders: luge_json_encode and luge_json_decode, which
 * raise nothing. */
#include <lauxlib.h>
#include <luge.h>

#include "../core/host.h"
#include "json.h"

struct text {
  const char *bytes;
  size_t length;
};

static int decode(lua_State *L) {
  const struct json_options options = JSON_DEFAULTS;
  const struct text *text = lua_touserdata(L, 1);
  lua_pushlstring(L, text->bytes, text->length);
  luge__json_decode(L, 2, &options);
  return 1;
}

static int encode(lua_State *L) {
  const struct json_options options = JSON_DEFAULTS;
  luge__json_encode(L, 1, &options);
  return 1;
}

/* The function and its argument are on top. */
static int call(lua_State *L) {
  switch (lua_pcall(L, 1, 1, 0)) {
  case LUA_OK:
    return LUGE_OK;
  case LUA_ERRMEM:
    return LUGE_MEMORY;
  default:
    return LUGE_ERROR;
  }
}

static bool fits(lua_State *L) {
  return L != NULL && luge__usable(luge__host(L)) && lua_checkstack(L, 2);
}

int luge_json_decode(lua_State *L, const char *json, size_t length) {
  if (json == NULL || !fits(L)) {
    return LUGE_INVALID;
  }
  struct text text = {json, length};
  lua_pushcfunction(L, decode);
  lua_pushlightuserdata(L, &text);
  return call(L);
}

int luge_json_encode(lua_State *L, int index) {
  if (!fits(L) || lua_isnone(L, index)) {
    return LUGE_INVALID;
  }
  index = lua_absindex(L, index);
  lua_pushcfunction(L, encode);
  lua_pushvalue(L, index);
  return call(L);
}
