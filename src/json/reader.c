/* The incremental reader as Lua sees it: json.reader and json.partial. */
#include "reader.h"

#include "../core/error.h"
#include "scan.h"

#include <lauxlib.h>

/* A long open string is made anew only when it has grown by a certain part of
 * itself: so the copies add up to a multiple of its length, and not to its
 * square. */
#define STALE_FROM 1024
#define STALE_PART 64

/* Fills the slots behind the text; the buffer has a box only if it is not
 * small. */
static void load(lua_State *L, struct json_reader *r) {
  lua_settop(L, JSON_SLOT_TEXT);
  if (r->token.data == r->token.small) {
    lua_pushnil(L);
  } else {
    lua_getiuservalue(L, JSON_SLOT_READER, JSON_UV_BOX);
  }
  lua_getiuservalue(L, JSON_SLOT_READER, JSON_UV_TABLE);
  lua_getiuservalue(L, JSON_SLOT_READER, JSON_UV_KEY);
  r->token.L = L;
  r->token.slot = JSON_SLOT_BOX;
  r->moved = 0;
}

static void save(lua_State *L, struct json_reader *r) {
  lua_settop(L, JSON_SLOT_KEY);
  if (r->moved) {
    lua_setiuservalue(L, JSON_SLOT_READER, JSON_UV_KEY);
    lua_setiuservalue(L, JSON_SLOT_READER, JSON_UV_TABLE);
  }
  lua_settop(L, JSON_SLOT_BOX);
  if (r->token.data != r->token.small) {
    lua_setiuservalue(L, JSON_SLOT_READER, JSON_UV_BOX);
  }
}

static struct json_reader *new_reader(lua_State *L, int max_depth) {
  struct json_reader *r = lua_newuserdatauv(
      L, sizeof *r + (size_t)max_depth * sizeof *r->levels, JSON_UV_COUNT);
  memset(r, 0, sizeof *r);
  r->max_depth = max_depth;
  r->token.data = r->token.small;
  r->token.capacity = sizeof r->token.small;
  lua_newtable(L);
  lua_setiuservalue(L, -2, JSON_UV_STACK);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_setmetatable(L, -2);
  return r;
}

/* All functions of the reader have its metatable as their upvalue. */
static struct json_reader *check_reader(lua_State *L) {
  struct json_reader *r = lua_touserdata(L, 1);
  if (r == NULL || !lua_getmetatable(L, 1) ||
      !lua_rawequal(L, -1, lua_upvalueindex(1))) {
    luge__arg_error(L, 1, "a json.reader");
  }
  lua_pop(L, 1);
  return r;
}

/* Raises the error of a reader that has one. */
static void check_failed(lua_State *L, const struct json_reader *r) {
  if (!r->failed) {
    return;
  }
  if (lua_getiuservalue(L, 1, JSON_UV_ERROR) == LUA_TNIL) {
    luge__raise(L, "invalid", "json.reader: an error has ended it");
  }
  lua_error(L);
}

/* Takes a text that only continues the open string. Whether it is one. */
static int feed_plain(struct json_reader *r, const char *text, size_t length) {
  if (r->state != JSON_IN_STRING ||
      r->token.capacity - r->token.length < length ||
      json_skip_plain(text, text + length) != text + length) {
    return 0;
  }
  json_put_bytes(&r->token, text, length);
  r->fed += length;
  return 1;
}

/* Feeds the string in the second slot to the reader in the first. */
static void feed(lua_State *L, struct json_reader *r) {
  struct json_feed f = {.L = L, .r = r};
  size_t length;
  f.text = f.p = lua_tolstring(L, JSON_SLOT_TEXT, &length);
  f.end = f.p + length;
  if (feed_plain(r, f.text, length)) {
    return;
  }
  r->failed = 1;
  load(L, r);
  luge__json_feed(&f);
  r->fed += length;
  save(L, r);
  r->failed = 0;
}

/* Whether the tree has so much of the open string that it may stay so. */
static int is_fresh(const struct json_reader *r) {
  size_t length = r->token.length;
  if (r->shown == JSON_SHOWN_NOTHING) {
    return 0;
  }
  size_t grown = length - r->shown;
  return grown == 0 || (length >= STALE_FROM && grown < length / STALE_PART);
}

/* Puts the open string, if one is, into the tree as far as it goes. */
static void show_string(lua_State *L, struct json_reader *r) {
  int in_string = r->state == JSON_IN_STRING || r->state == JSON_IN_ESCAPE ||
                  r->state == JSON_IN_SEQUENCE;
  if (!in_string || r->is_key || r->failed || is_fresh(r)) {
    return;
  }
  load(L, r);
  lua_pushlstring(L, r->token.data, r->token.length);
  luge__json_store(L, r);
  r->shown = r->token.length;
}

static int push_value(lua_State *L, struct json_reader *r) {
  lua_settop(L, 1);
  show_string(L, r);
  lua_getiuservalue(L, 1, JSON_UV_ROOT);
  return 1;
}

/* Feeds the second argument to the reader, which is the first. */
static void feed_argument(lua_State *L, struct json_reader *r) {
  check_failed(L, r);
  if (lua_type(L, JSON_SLOT_TEXT) != LUA_TSTRING) {
    luge__arg_error(L, JSON_SLOT_TEXT, "a string");
  }
  if (r->finished) {
    luge__raise(L, "invalid", "json.reader: fed after its finish");
  }
  feed(L, r);
}

static int reader_feed(lua_State *L) {
  feed_argument(L, check_reader(L));
  lua_settop(L, 1);
  return 1;
}

static int reader_value(lua_State *L) {
  return push_value(L, check_reader(L));
}

static int reader_finish(lua_State *L) {
  struct json_reader *r = check_reader(L);
  struct json_feed f = {.L = L, .r = r, .text = ""};
  f.p = f.end = f.text;
  check_failed(L, r);
  lua_settop(L, 1);
  show_string(L, r);
  r->failed = 1;
  load(L, r);
  if (r->state == JSON_IN_NUMBER && r->depth == 0) {
    luge__json_end_number(&f);
  }
  if (r->state != JSON_IN_END) {
    luge__json_feed_error(&f, f.p, "unexpected end");
  }
  r->failed = 0;
  r->finished = 1;
  return push_value(L, r);
}

/* grow(text): feeds a text to the reader, its upvalue; the value so far, or
 * nothing if that is what it was. */
static int grow(lua_State *L) {
  struct json_reader *r = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, JSON_SLOT_READER);
  r->grown = 0;
  feed_argument(L, r);
  show_string(L, r);
  if (!r->grown) {
    return 0;
  }
  lua_getiuservalue(L, JSON_SLOT_READER, JSON_UV_ROOT);
  return 1;
}

/* grower(reader) -> grow: `feed` and `value` in one, for whoever asks after
 * each of many small pieces. */
static int json_grower(lua_State *L) {
  check_reader(L);
  lua_settop(L, 1);
  lua_pushcclosure(L, grow, 1);
  return 1;
}

static int json_reader(lua_State *L) {
  new_reader(L, luge__json_depth_option(L, 1));
  return 1;
}

static int json_partial(lua_State *L) {
  if (lua_type(L, 1) != LUA_TSTRING) {
    luge__arg_error(L, 1, "a string");
  }
  struct json_reader *r = new_reader(L, luge__json_depth_option(L, 2));
  lua_insert(L, JSON_SLOT_READER);
  lua_settop(L, JSON_SLOT_TEXT);
  feed(L, r);
  return push_value(L, r);
}

void luge__json_open_reader(lua_State *L) {
  static const luaL_Reg methods[] = {{"feed", reader_feed},
                                     {"value", reader_value},
                                     {"finish", reader_finish},
                                     {NULL, NULL}};
  static const luaL_Reg functions[] = {{"reader", json_reader},
                                       {"grower", json_grower},
                                       {"partial", json_partial},
                                       {NULL, NULL}};
  lua_createtable(L, 0, 3);
  lua_pushliteral(L, "json.reader");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  luaL_newlibtable(L, methods);
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, methods, 1);
  lua_setfield(L, -2, "__index");
  luaL_setfuncs(L, functions, 1);
}
