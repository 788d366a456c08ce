/* Putting values together again; see parcel.h. The bytes are luge's own, and so
 * are trusted. */
#include <lauxlib.h>
#include <string.h>

#include "../core/error.h"
#include "../json/json.h"
#include "parcel.h"

struct unpacker {
  lua_State *L;
  const char *at;
  int tables; /* index of the list of tables so far; 0: none is shared */
};

static void take(struct unpacker *u, void *bytes, size_t length) {
  memcpy(bytes, u->at, length);
  u->at += length;
}

static enum luge_parcel_tag take_tag(struct unpacker *u) {
  char tag = *u->at++;
  return (enum luge_parcel_tag)tag;
}

static void push_integer(struct unpacker *u) {
  lua_Integer integer;
  take(u, &integer, sizeof integer);
  lua_pushinteger(u->L, integer);
}

static void push_float(struct unpacker *u) {
  lua_Number number;
  take(u, &number, sizeof number);
  lua_pushnumber(u->L, number);
}

static void push_string(struct unpacker *u) {
  size_t length;
  take(u, &length, sizeof length);
  lua_pushlstring(u->L, u->at, length);
  u->at += length;
}

static void push_opener(struct unpacker *u) {
  lua_CFunction function;
  take(u, &function, sizeof function);
  lua_pushcfunction(u->L, function);
}

static void push_seen(struct unpacker *u) {
  lua_Integer number;
  take(u, &number, sizeof number);
  lua_rawgeti(u->L, u->tables, number);
}

/* Gives the table on top of the stack the metatable of its tag. */
static void set_metatable(lua_State *L, enum luge_parcel_tag tag) {
  if (tag == LUGE_PARCEL_ERROR) {
    luge__error_mark(L);
  } else if (tag == LUGE_PARCEL_ARRAY) {
    luge__json_push_array_mark(L);
    lua_setmetatable(L, -2);
  } else if (tag == LUGE_PARCEL_OBJECT) {
    luge__json_push_object_mark(L);
    lua_setmetatable(L, -2);
  }
}

static void push_value(struct unpacker *u, enum luge_parcel_tag tag);

static void push_table(struct unpacker *u, enum luge_parcel_tag tag) {
  lua_State *L = u->L;
  lua_Integer count;
  enum { MAX_RESERVED = 1 << 20 };
  take(u, &count, sizeof count);
  lua_createtable(L, count < MAX_RESERVED ? (int)count : MAX_RESERVED, 0);
  int table = lua_gettop(L);
  if (u->tables != 0) {
    lua_pushvalue(L, table);
    lua_rawseti(L, u->tables, (lua_Integer)lua_rawlen(L, u->tables) + 1);
  }
  for (lua_Integer i = 1; i <= count; i++) {
    push_value(u, take_tag(u));
    lua_rawseti(L, table, i);
  }
  enum luge_parcel_tag key;
  while ((key = take_tag(u)) != LUGE_PARCEL_END) {
    push_value(u, key);
    push_value(u, take_tag(u));
    lua_rawset(L, table);
  }
  set_metatable(L, tag);
}

static void push_value(struct unpacker *u, enum luge_parcel_tag tag) {
  luaL_checkstack(u->L, 8, "values are nested too deeply");
  switch (tag) {
  case LUGE_PARCEL_FALSE:
  case LUGE_PARCEL_TRUE:
    lua_pushboolean(u->L, tag == LUGE_PARCEL_TRUE);
    break;
  case LUGE_PARCEL_INTEGER:
    push_integer(u);
    break;
  case LUGE_PARCEL_FLOAT:
    push_float(u);
    break;
  case LUGE_PARCEL_STRING:
    push_string(u);
    break;
  case LUGE_PARCEL_NULL:
    lua_pushlightuserdata(u->L, NULL);
    break;
  case LUGE_PARCEL_OPENER:
    push_opener(u);
    break;
  case LUGE_PARCEL_SEEN:
    push_seen(u);
    break;
  case LUGE_PARCEL_TABLE:
  case LUGE_PARCEL_ERROR:
  case LUGE_PARCEL_ARRAY:
  case LUGE_PARCEL_OBJECT:
    push_table(u, tag);
    break;
  default:
    lua_pushnil(u->L);
  }
}

int luge__parcel_unpack(lua_State *L, const struct luge_parcel *parcel) {
  struct unpacker unpacker = {.L = L, .at = parcel->bytes};
  luaL_checkstack(L, parcel->count + 8, "too many values");
  if (parcel->shared) {
    lua_createtable(L, (int)parcel->tables, 0);
    unpacker.tables = lua_gettop(L);
  }
  for (int i = 0; i < parcel->count; i++) {
    push_value(&unpacker, take_tag(&unpacker));
  }
  if (unpacker.tables != 0) {
    lua_remove(L, unpacker.tables);
  }
  return parcel->count;
}
