/* Fuzz target of luge.json. The first byte of the input says how to cut the
 * rest. Whole and in pieces, a text must be a document or not; what has been
 * read must read back the same after it was written. */
#include "core/error.h"
#include "mod/modules.h"
#include "json/json.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char script[] =
    "local json, text, size = ...\n"
    "local options = { sort_keys = true }\n"
    "local function kind(err) return type(err) == 'table' and err.kind end\n"
    "local ok, value = pcall(json.decode, text)\n"
    "assert(ok or kind(value) == 'parse', value)\n"
    "local reader = json.reader()\n"
    "local fed, err = pcall(function()\n"
    "  for i = 1, #text, size do\n"
    "    reader:feed(text:sub(i, i + size - 1))\n"
    "    reader:value()\n"
    "  end\n"
    "  return reader:finish()\n"
    "end)\n"
    "assert(fed == ok, 'whole and in pieces differ')\n"
    "if not ok then\n"
    "  assert(kind(err) == 'parse', err)\n"
    "  assert(err.offset >= 1 and err.offset <= #text + 1)\n"
    "  assert(utf8.len(err.near) and not err.near:find '%c')\n"
    "  reader:value()\n"
    "  return\n"
    "end\n"
    "local written = json.encode(value, options)\n"
    "assert(json.encode(err, options) == written)\n"
    "assert(json.encode(json.decode(written), options) == written)\n"
    "assert(json.encode(json.decode(json.encode(value, { indent = 1 })),\n"
    "                   options) == written)\n";

/* One state for all inputs: what one leaves behind may break the next. */
static lua_State *state(void) {
  static lua_State *L;
  if (L == NULL) {
    L = luaL_newstate();
    luaL_openlibs(L);
    luge__error_init(L);
    luge__open_json(L);
    luaL_loadstring(L, script);
  }
  return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) {
    return 0;
  }
  lua_State *L = state();
  int top = lua_gettop(L);
  lua_pushvalue(L, -1);
  lua_pushvalue(L, -3);
  lua_pushlstring(L, (const char *)data + 1, size - 1);
  lua_pushinteger(L, data[0] % 9 + 1);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
    abort();
  }
  lua_settop(L, top);
  return 0;
}
