/* `luge.native.json`: the codec as Lua sees it. */
#include "json.h"

#include "../core/error.h"
#include "../mod/modules.h"

#include <string.h>

/* Their addresses are keys in the registry. */
static const char array_key = 0, object_key = 0;

static void push_mark(lua_State *L, const void *key, const char *name) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) {
    return;
  }
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void luge__json_push_array_mark(lua_State *L) {
  push_mark(L, &array_key, "json.array");
}

void luge__json_push_object_mark(lua_State *L) {
  push_mark(L, &object_key, "json.object");
}

static void check_depth(lua_State *L, struct json_options *options) {
  int is_integer;
  lua_Integer depth = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer || lua_type(L, -1) != LUA_TNUMBER || depth < 1 ||
      depth > JSON_MAX_DEPTH) {
    luge__raise(L, "invalid",
                "json: option max_depth is %s, takes an integer from 1 to %d",
                luaL_tolstring(L, -1, NULL), JSON_MAX_DEPTH);
  }
  options->max_depth = (int)depth;
}

static void check_indent(lua_State *L, struct json_options *options) {
  static const char spaces[] = "                ";
  lua_Integer count = -1;
  if (lua_type(L, -1) == LUA_TSTRING) {
    options->indent = lua_tolstring(L, -1, &options->indent_length);
    if (strspn(options->indent, " \t") == options->indent_length) {
      return;
    }
  } else if (lua_isinteger(L, -1)) {
    count = lua_tointeger(L, -1);
  }
  if (count < 0 || count > (lua_Integer)sizeof spaces - 1) {
    luge__raise(L, "invalid",
                "json: option indent is %s, takes an integer from 0 to %d, or "
                "a string of spaces and tabs",
                luaL_tolstring(L, -1, NULL), (int)sizeof spaces - 1);
  }
  options->indent = spaces;
  options->indent_length = (size_t)count;
}

static void check_sort(lua_State *L, struct json_options *options) {
  if (!lua_isboolean(L, -1)) {
    luge__raise(L, "invalid", "json: option sort_keys is %s, takes a boolean",
                luaL_tolstring(L, -1, NULL));
  }
  options->sort_keys = lua_toboolean(L, -1);
}

static const struct option {
  const char *name;
  void (*check)(lua_State *L, struct json_options *options);
} known_options[] = {
    {"max_depth", check_depth},
    {"indent", check_indent},
    {"sort_keys", check_sort},
};

/* Reads the options table at `index`, if there is one: `count` of the options
 * above are allowed. The pointers in `options` are into its strings. */
static void read_options(lua_State *L, int index, size_t count,
                         struct json_options *options) {
  if (lua_isnoneornil(L, index)) {
    return;
  }
  if (!lua_istable(L, index)) {
    luge__arg_error(L, index, "a table of options or nil");
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    const struct option *option = NULL;
    for (size_t i = 0; i < count && lua_type(L, -2) == LUA_TSTRING; i++) {
      if (strcmp(lua_tostring(L, -2), known_options[i].name) == 0) {
        option = &known_options[i];
      }
    }
    if (option == NULL) {
      luge__raise(L, "invalid", "json: unknown option %s: knows %s",
                  luaL_tolstring(L, -2, NULL),
                  count == 1 ? "max_depth" : "max_depth, indent, sort_keys");
    }
    option->check(L, options);
    lua_pop(L, 1);
  }
}

int luge__json_depth_option(lua_State *L, int index) {
  struct json_options options = JSON_DEFAULTS;
  read_options(L, index, 1, &options);
  return options.max_depth;
}

static int json_encode(lua_State *L) {
  struct json_options options = JSON_DEFAULTS;
  if (lua_isnone(L, 1)) {
    luge__arg_error(L, 1, "a value");
  }
  read_options(L, 2, sizeof known_options / sizeof *known_options, &options);
  luge__json_encode(L, 1, &options);
  return 1;
}

static int json_decode(lua_State *L) {
  struct json_options options = JSON_DEFAULTS;
  if (lua_type(L, 1) != LUA_TSTRING) {
    luge__arg_error(L, 1, "a string");
  }
  read_options(L, 2, 1, &options);
  luge__json_decode(L, 1, &options);
  return 1;
}

/* Whether the metatable on top is one of the two. */
static int is_mark(lua_State *L) {
  luge__json_push_array_mark(L);
  luge__json_push_object_mark(L);
  return lua_rawequal(L, -3, -2) || lua_rawequal(L, -3, -1);
}

/* Marks the table that is the first argument, or a new one. A mark may be
 * exchanged for the other; another metatable is not lost in silence. */
static int set_mark(lua_State *L, void (*push)(lua_State *L)) {
  if (lua_isnone(L, 1)) {
    lua_newtable(L);
  }
  if (!lua_istable(L, 1) || (lua_getmetatable(L, 1) && !is_mark(L))) {
    luge__arg_error(L, 1, "a table without a metatable of its own");
  }
  lua_settop(L, 1);
  push(L);
  lua_setmetatable(L, 1);
  return 1;
}

static int json_array(lua_State *L) {
  return set_mark(L, luge__json_push_array_mark);
}

static int json_object(lua_State *L) {
  return set_mark(L, luge__json_push_object_mark);
}

int luge__open_json(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"encode", json_encode},         {"decode", json_decode},
      {"array", json_array},           {"object", json_object},
      {"between", luge__json_between}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  luge__json_open_reader(L);
  return 1;
}
