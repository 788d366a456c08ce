/* What the encoder makes of a table: whether it is an array, which keys an
 * object may have, and their order. */
#include "encode.h"
#include "number.h"

#include <lauxlib.h>

/* Refuses the table of the innermost frame. */
static int refuse_table(struct json_encoder *e, const struct json_frame *frame,
                        const char *fmt, const char *what) {
  e->depth = (int)(frame - e->frames);
  return luge__json_refuse(e, fmt, what);
}

/* Refuses the key at `index`. */
static int refuse_key(struct json_encoder *e, const struct json_frame *frame,
                      int index) {
  char visible[200];
  size_t length;
  int type = lua_type(e->L, index);
  if (type != LUA_TSTRING && type != LUA_TNUMBER) {
    return refuse_table(e, frame, "has a %s as a key",
                        lua_typename(e->L, type));
  }
  const char *text = luaL_tolstring(e->L, index, &length);
  luge__json_visible(visible, sizeof visible, text, text + length);
  return refuse_table(e, frame,
                      type == LUA_TSTRING
                          ? "is an array and has the key \"%s\" too"
                          : "is no array and has the key %s",
                      visible);
}

static int refuse_hole(struct json_encoder *e, const struct json_frame *frame) {
  lua_Integer hole = 1;
  while (lua_rawgeti(e->L, frame->table, hole) != LUA_TNIL) {
    lua_pop(e->L, 1);
    hole++;
  }
  char text[JSON_NUMBER_SIZE];
  text[luge__json_write_integer(text, hole)] = '\0';
  return refuse_table(e, frame, "is a sparse array: it has no element [%s]",
                      text);
}

lua_Integer luge__json_count_sequence(struct json_encoder *e,
                                      const struct json_frame *frame) {
  lua_State *L = e->L;
  lua_Integer count = 0, last = 0;
  lua_pushnil(L);
  while (lua_next(L, frame->table)) {
    lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
    if (key <= 0) {
      refuse_key(e, frame, -2);
    }
    last = key > last ? key : last;
    count++;
    lua_pop(L, 1);
  }
  return count == last ? count : refuse_hole(e, frame);
}

void luge__json_check_key(struct json_encoder *e,
                          const struct json_frame *frame, int index) {
  lua_State *L = e->L;
  if (lua_type(L, index) == LUA_TSTRING) {
    return;
  }
  if (!frame->marked || !lua_isinteger(L, index)) {
    refuse_key(e, frame, index);
  }
  char text[JSON_NUMBER_SIZE];
  lua_Integer key = lua_tointeger(L, index);
  text[luge__json_write_integer(text, key)] = '\0';
  lua_pushstring(L, text);
  if (lua_rawget(L, frame->table) != LUA_TNIL) {
    refuse_table(e, frame, "has key %s as an integer and as a string", text);
  }
  lua_pop(L, 1);
}
