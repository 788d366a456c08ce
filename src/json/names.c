/* See names.h. The length, the first and the last byte of a name choose
 * its place; a new name replaces the one that is there. */
#include "names.h"

#include "json.h"

#include <string.h>

static const char names_key = 0; /* in the registry */

/* Where the table of the strings has the names themselves. */
enum { SELF = JSON_NAMES_ARRAY_MARK + 1 };

static lua_Integer name_slot(unsigned place) {
  return 2 * (lua_Integer)place + 1;
}

static lua_Integer value_slot(unsigned place) {
  return 2 * (lua_Integer)place + 2;
}

static void make(lua_State *L) {
  lua_createtable(L, SELF, 0);
  struct json_names *names = lua_newuserdatauv(L, sizeof *names, 0);
  memset(names, 0, sizeof *names);
  lua_rawseti(L, -2, SELF);
  luge__json_push_array_mark(L);
  lua_rawseti(L, -2, JSON_NAMES_ARRAY_MARK);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
}

struct json_names *luge__json_names(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key) == LUA_TNIL) {
    lua_pop(L, 1);
    make(L);
  }
  lua_rawgeti(L, -1, SELF);
  struct json_names *names = lua_touserdata(L, -1);
  lua_pop(L, 1);
  names->last = JSON_NAMES_START;
  return names;
}

static int is_at(const struct json_text *text, const char *p, const char *end) {
  size_t length = text->length;
  return (size_t)(end - p) > length && p[length] == '"' &&
         memcmp(p, text->bytes, length) == 0;
}

static int equals(const struct json_text *text, const char *bytes,
                  size_t length) {
  return text->length == length && memcmp(text->bytes, bytes, length) == 0;
}

static void set(struct json_text *text, const char *bytes, size_t length) {
  text->length = (unsigned char)length;
  memcpy(text->bytes, bytes, length);
}

const char *luge__json_expect_name(lua_State *L, struct json_names *names,
                                   int strings, const char *p,
                                   const char *end) {
  unsigned place = names->places[names->last].next;
  const struct json_text *name = &names->places[place].name;
  if (name->length == 0 || !is_at(name, p, end)) {
    return NULL;
  }
  lua_rawgeti(L, strings, name_slot(place));
  names->last = place;
  return p + name->length + 1;
}

const char *luge__json_expect_text(lua_State *L, struct json_names *names,
                                   int strings, const char *p,
                                   const char *end) {
  const struct json_name *name = &names->places[names->last];
  if (!name->is_kept || !is_at(&name->value, p, end)) {
    return NULL;
  }
  lua_rawgeti(L, strings, value_slot(names->last));
  return p + name->value.length + 1;
}

/* Spreads the names that services use well. */
static unsigned place_of(const char *text, size_t length) {
  unsigned first = (unsigned char)text[0];
  unsigned last = (unsigned char)text[length - 1];
  return (first + 17 * ((unsigned)length + last)) % JSON_NAMES;
}

/* Keeps the string on top of the stack. */
static void keep(lua_State *L, int strings, lua_Integer slot) {
  lua_pushvalue(L, -1);
  lua_rawseti(L, strings, slot);
}

/* Pushes the name of that place, which may be another until now. */
static void push_kept(lua_State *L, struct json_names *names, int strings,
                      unsigned place, const char *text, size_t length) {
  struct json_name *name = &names->places[place];
  if (equals(&name->name, text, length)) {
    lua_rawgeti(L, strings, name_slot(place));
    return;
  }
  lua_pushlstring(L, text, length);
  keep(L, strings, name_slot(place));
  set(&name->name, text, length);
  name->is_kept = name->changes = 0;
}

void luge__json_push_name(lua_State *L, struct json_names *names, int strings,
                          const char *text, size_t length) {
  if (length == 0 || length > JSON_NAMES_LENGTH) {
    lua_pushlstring(L, text, length);
    names->last = JSON_NAMES_OTHER;
    return;
  }
  unsigned place = place_of(text, length);
  push_kept(L, names, strings, place, text, length);
  names->places[names->last].next = (unsigned char)place;
  names->last = place;
}

/* A value that changes all the time is looked at now and then only. */
void luge__json_keep_text(lua_State *L, struct json_names *names, int strings,
                          const char *p, size_t length) {
  enum { TRIES = 8 };
  struct json_name *name = &names->places[names->last];
  if (name->changes++ >= TRIES) {
    return;
  }
  name->is_kept = equals(&name->value, p, length);
  if (name->is_kept) {
    name->changes = 0;
    keep(L, strings, value_slot(names->last));
  } else if (length <= JSON_NAMES_LENGTH) {
    set(&name->value, p, length);
  }
}
