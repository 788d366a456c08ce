/* See names.h. The length, the first and the last byte of a name choose
 * its place; a new name replaces the one that is there. */
#include "names.h"

#include <string.h>

enum { PLACES = 128, MAX_LENGTH = 30 };

struct json_name {
  unsigned char next;   /* the place of the one that followed */
  unsigned char length; /* 0: the place is empty */
  char text[MAX_LENGTH];
};

struct json_names {
  struct json_name *last; /* the one that was pushed last, or `start` */
  struct json_name start; /* what the first of a document follows */
  struct json_name places[PLACES];
};

static const char names_key = 0; /* in the registry; its user value: strings */

static void make(lua_State *L) {
  struct json_names *names = lua_newuserdatauv(L, sizeof *names, 1);
  memset(names, 0, sizeof *names);
  lua_createtable(L, PLACES, 0);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
}

struct json_names *luge__json_names(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key) == LUA_TNIL) {
    lua_pop(L, 1);
    make(L);
  }
  struct json_names *names = lua_touserdata(L, -1);
  names->last = &names->start;
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
  return names;
}

static void push_kept(lua_State *L, int strings, unsigned place) {
  lua_rawgeti(L, strings, place + 1);
}

const char *luge__json_expect_name(lua_State *L, struct json_names *names,
                                   int strings, const char *p,
                                   const char *end) {
  unsigned place = names->last->next;
  struct json_name *name = &names->places[place];
  size_t length = name->length;
  if (length == 0 || (size_t)(end - p) <= length || p[length] != '"' ||
      memcmp(p, name->text, length) != 0) {
    return NULL;
  }
  push_kept(L, strings, place);
  names->last = name;
  return p + length + 1;
}

/* Spreads the names that services use well. */
static unsigned place_of(const char *text, size_t length) {
  unsigned first = (unsigned char)text[0];
  unsigned last = (unsigned char)text[length - 1];
  return (first + 17 * ((unsigned)length + last)) % PLACES;
}

/* Keeps the string on top of the stack as the name of that place. */
static void keep(lua_State *L, struct json_name *name, int strings,
                 unsigned place, const char *text, size_t length) {
  lua_pushvalue(L, -1);
  lua_rawseti(L, strings, place + 1);
  name->length = (unsigned char)length;
  memcpy(name->text, text, length);
}

void luge__json_push_name(lua_State *L, struct json_names *names, int strings,
                          const char *text, size_t length) {
  if (length == 0 || length > MAX_LENGTH) {
    lua_pushlstring(L, text, length);
    return;
  }
  unsigned place = place_of(text, length);
  struct json_name *name = &names->places[place];
  if (name->length == length && memcmp(name->text, text, length) == 0) {
    push_kept(L, strings, place);
  } else {
    lua_pushlstring(L, text, length);
    keep(L, name, strings, place, text, length);
  }
  names->last->next = (unsigned char)place;
  names->last = name;
}
