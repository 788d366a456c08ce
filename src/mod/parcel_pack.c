/* Taking values apart; see parcel.h. Every table is remembered by its number,
 * so that one that comes again, in a cycle perhaps, is only named. */
#include <lauxlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../core/error.h"
#include "../json/json.h"
#include "parcel.h"

/* The way to a value: the key on the stack that led there, and so on. */
struct step {
  const struct step *outer;
  int key; /* index; or 0: `element` is it */
  lua_Integer element;
  bool is_key; /* the key itself is the value */
};

struct packer {
  lua_State *L;
  struct luge_parcel *parcel;
  const char *what;
  int seen; /* index of the table of tables that have come */
  int depth;
  bool lenient;
};

static int raise_limit(struct packer *p) {
  lua_Integer limit = (lua_Integer)p->parcel->limit;
  luge__push_error(p->L, "limit", "more than %I bytes of %ss",
                   (LUAI_UACINT)limit, p->what);
  luge__set_limit(p->L, "bytes", limit);
  return lua_error(p->L);
}

/* Room for so many bytes more; false: no memory. */
static bool reserve(struct luge_parcel *parcel, size_t length) {
  if (length > parcel->capacity - parcel->length) {
    size_t capacity = parcel->length * 2 + length + 64;
    char *grown = realloc(parcel->bytes, capacity);
    if (grown == NULL) {
      return false;
    }
    parcel->bytes = grown;
    parcel->capacity = capacity;
  }
  return true;
}

static void put(struct packer *p, const void *bytes, size_t length) {
  struct luge_parcel *parcel = p->parcel;
  if (length > parcel->limit || parcel->length > parcel->limit - length) {
    raise_limit(p);
  } else if (!reserve(parcel, length)) {
    luge__raise_memory(p->L);
  } else {
    memcpy(parcel->bytes + parcel->length, bytes, length);
    parcel->length += length;
  }
}

static void put_tag(struct packer *p, enum luge_parcel_tag tag) {
  char byte = (char)tag;
  put(p, &byte, 1);
}

static void put_string(struct packer *p, int index) {
  size_t length;
  const char *text = lua_tolstring(p->L, index, &length);
  put_tag(p, LUGE_PARCEL_STRING);
  put(p, &length, sizeof length);
  put(p, text, length);
}

static void put_number(struct packer *p, int index) {
  if (lua_isinteger(p->L, index)) {
    lua_Integer integer = lua_tointeger(p->L, index);
    put_tag(p, LUGE_PARCEL_INTEGER);
    put(p, &integer, sizeof integer);
  } else {
    lua_Number number = lua_tonumber(p->L, index);
    put_tag(p, LUGE_PARCEL_FLOAT);
    put(p, &number, sizeof number);
  }
}

/* What cannot be copied. */

static bool is_name(const char *text) {
  size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
  return letters > 0 && text[letters] == '\0' &&
         strchr("0123456789", text[0]) == NULL;
}

/* Pushes the step as it is written in Lua. */
static void push_step(lua_State *L, const struct step *step) {
  if (step->key == 0) {
    lua_pushfstring(L, "[%I]", (LUAI_UACINT)step->element);
  } else if (lua_type(L, step->key) == LUA_TSTRING) {
    const char *key = lua_tostring(L, step->key);
    lua_pushfstring(L, is_name(key) ? ".%s" : "[\"%s\"]", key);
  } else {
    lua_pushfstring(L, "[%s]", luaL_tolstring(L, step->key, NULL));
    lua_remove(L, -2);
  }
}

static const char *push_place(struct packer *p, const struct step *step) {
  lua_State *L = p->L;
  enum { MAX_STEPS = 16 };
  luaL_checkstack(L, 8, NULL);
  lua_pushliteral(L, "");
  for (int i = 0; step->outer != NULL; step = step->outer, i++) {
    if (step->is_key) {
      lua_pushliteral(L, ", a key");
    } else if (i < MAX_STEPS) {
      push_step(L, step);
    } else {
      lua_pushstring(L, i == MAX_STEPS ? "..." : "");
    }
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  lua_pushfstring(L, "%s %I%s", p->what, (LUAI_UACINT)step->element,
                  lua_tostring(L, -1));
  return lua_tostring(L, -1);
}

/* Raises an error that says why the value at `index` cannot be copied; or, for
 * an error's parcel, packs a text in its place. */
static void refuse(struct packer *p, int index, const struct step *step,
                   const char *why) {
  if (p->lenient) {
    lua_pushfstring(p->L, "(%s: %p)", luaL_typename(p->L, index),
                    lua_topointer(p->L, index));
    put_string(p, -1);
    lua_pop(p->L, 1);
    return;
  }
  luge__raise(p->L, "invalid", "%s cannot be copied to another Lua state: %s",
              push_place(p, step), why);
}

/* Tables. */

static void put_value(struct packer *p, int index, const struct step *step);

static bool has_mark(lua_State *L, void (*push)(lua_State *L)) {
  push(L);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 1);
  return same;
}

/* The tag for the metatable of the table at `index`; END: such a table cannot
 * be copied. */
static enum luge_parcel_tag tag_of(lua_State *L, int index) {
  enum luge_parcel_tag tag = LUGE_PARCEL_END;
  if (!lua_getmetatable(L, index)) {
    return LUGE_PARCEL_TABLE;
  }
  if (luge__is_error(L, index, NULL)) {
    tag = LUGE_PARCEL_ERROR;
  } else if (has_mark(L, luge__json_push_array_mark)) {
    tag = LUGE_PARCEL_ARRAY;
  } else if (has_mark(L, luge__json_push_object_mark)) {
    tag = LUGE_PARCEL_OBJECT;
  }
  lua_pop(L, 1);
  return tag;
}

/* Whether the table has come before: then its number is put. */
static bool put_seen(struct packer *p, int index) {
  lua_State *L = p->L;
  lua_pushvalue(L, index);
  bool seen = lua_rawget(L, p->seen) == LUA_TNUMBER;
  if (seen) {
    lua_Integer number = lua_tointeger(L, -1);
    put_tag(p, LUGE_PARCEL_SEEN);
    put(p, &number, sizeof number);
    p->parcel->shared = true;
  }
  lua_pop(L, 1);
  if (!seen) {
    lua_pushvalue(L, index);
    lua_pushinteger(L, ++p->parcel->tables);
    lua_rawset(L, p->seen);
  }
  return seen;
}

/* The elements 1 to n first, without their keys; n is returned. */
static lua_Integer put_elements(struct packer *p, int index,
                                const struct step *outer) {
  lua_State *L = p->L;
  lua_Integer count = (lua_Integer)lua_rawlen(L, index);
  struct step step = {.outer = outer};
  put(p, &count, sizeof count);
  for (lua_Integer i = 1; i <= count; i++) {
    step.element = i;
    lua_rawgeti(L, index, i);
    put_value(p, lua_gettop(L), &step);
    lua_pop(L, 1);
  }
  return count;
}

static void put_fields(struct packer *p, int index, const struct step *outer,
                       lua_Integer elements) {
  lua_State *L = p->L;
  struct step step = {.outer = outer};
  lua_pushnil(L);
  while (lua_next(L, index)) {
    step.key = lua_gettop(L) - 1;
    lua_Integer place = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
    if (place < 1 || place > elements) {
      step.is_key = true;
      put_value(p, step.key, &step);
      step.is_key = false;
      put_value(p, step.key + 1, &step);
    }
    lua_pop(L, 1);
  }
  put_tag(p, LUGE_PARCEL_END);
}

static void put_table(struct packer *p, int index, const struct step *step) {
  enum luge_parcel_tag tag = tag_of(p->L, index);
  if (tag == LUGE_PARCEL_END) {
    refuse(p, index, step, "a table with a metatable");
  } else if (p->depth >= LUGE_PARCEL_DEPTH) {
    refuse(p, index, step, "nested too deeply");
  } else if (!put_seen(p, index)) {
    p->depth++;
    put_tag(p, tag);
    put_fields(p, index, step, put_elements(p, index, step));
    p->depth--;
  }
}

static void put_function(struct packer *p, int index, const struct step *step) {
  lua_CFunction function = lua_tocfunction(p->L, index);
  if (!p->parcel->takes_openers || function == NULL) {
    refuse(p, index, step, "a function");
    return;
  }
  put_tag(p, LUGE_PARCEL_OPENER);
  put(p, &function, sizeof function);
}

static void put_value(struct packer *p, int index, const struct step *step) {
  lua_State *L = p->L;
  luaL_checkstack(L, 8, "values are nested too deeply");
  switch (lua_type(L, index)) {
  case LUA_TNIL:
    put_tag(p, LUGE_PARCEL_NIL);
    break;
  case LUA_TBOOLEAN:
    put_tag(p, lua_toboolean(L, index) ? LUGE_PARCEL_TRUE : LUGE_PARCEL_FALSE);
    break;
  case LUA_TNUMBER:
    put_number(p, index);
    break;
  case LUA_TSTRING:
    put_string(p, index);
    break;
  case LUA_TTABLE:
    put_table(p, index, step);
    break;
  case LUA_TFUNCTION:
    put_function(p, index, step);
    break;
  case LUA_TLIGHTUSERDATA:
    if (lua_touserdata(L, index) == NULL) {
      put_tag(p, LUGE_PARCEL_NULL);
      break;
    } /* fall through */
  default:
    refuse(p, index, step, luaL_typename(L, index));
  }
}

/* The table of what has been seen is just below the values. */
static void pack(struct packer *p, int first) {
  lua_State *L = p->L;
  lua_newtable(L);
  lua_insert(L, first);
  p->seen = first;
  for (int index = first + 1; index <= lua_gettop(L); index++) {
    struct step step = {.element = index - first};
    put_value(p, index, &step);
    p->parcel->count++;
  }
  lua_remove(L, first);
}

void luge__parcel_pack(lua_State *L, struct luge_parcel *parcel, int first,
                       const char *what) {
  struct packer packer = {.L = L, .parcel = parcel, .what = what};
  pack(&packer, lua_absindex(L, first));
}

void luge__parcel_pack_error(lua_State *L, struct luge_parcel *parcel) {
  struct packer packer = {
      .L = L, .parcel = parcel, .what = "error", .lenient = true};
  pack(&packer, lua_gettop(L));
}

void luge__parcel_free(struct luge_parcel *parcel) {
  free(parcel->bytes);
  *parcel = (struct luge_parcel){.limit = parcel->limit};
}
