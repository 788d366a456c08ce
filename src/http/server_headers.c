/* The header table that a handler gives: name -> value, or a list of values.
 * Checked before anything is written, so that no value can end a line and
 * begin another; see server_lua.h. */
#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "../core/error.h"
#include "server_lua.h"

/* What frames a message is the server's own business. */
static bool is_ours(const char *name) {
  static const char *const names[] = {"content-length", "transfer-encoding",
                                      "connection",     "keep-alive",
                                      "upgrade",        NULL};
  for (int i = 0; names[i] != NULL; i++) {
    if (strcasecmp(name, names[i]) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_token(const char *name, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (!luge__h1_is_token_char((unsigned char)name[i])) {
      return false;
    }
  }
  return len > 0;
}

static const char *check_name(lua_State *L, int index) {
  size_t len;
  if (lua_type(L, index) != LUA_TSTRING) {
    luge__raise(L, "invalid", "headers: a name is %s, takes a string",
                luaL_typename(L, index));
  }
  const char *name = lua_tolstring(L, index, &len);
  if (!is_token(name, len)) {
    luge__raise(L, "invalid",
                "headers: a name has a character that is not allowed");
  }
  if (is_ours(name)) {
    luge__raise(L, "invalid", "headers: '%s' is the server's own to set", name);
  }
  return name;
}

static void check_value(lua_State *L, const char *name, int index) {
  if (lua_type(L, index) == LUA_TNUMBER) {
    return;
  }
  if (lua_type(L, index) != LUA_TSTRING) {
    luge__raise(L, "invalid",
                "header '%s' is %s, takes a string, a number or a list", name,
                luaL_typename(L, index));
  }
  size_t len;
  const char *value = lua_tolstring(L, index, &len);
  if (memchr(value, '\r', len) != NULL || memchr(value, '\n', len) != NULL ||
      memchr(value, '\0', len) != NULL) {
    luge__raise(L, "invalid",
                "header '%s' has a CR, LF or NUL, which none may have", name);
  }
}

unsigned luge__headers_check(lua_State *L, int index) {
  unsigned has = 0;
  if (lua_isnoneornil(L, index)) {
    return 0;
  }
  if (!lua_istable(L, index)) {
    luge__arg_error(L, index, "a table of headers");
  }
  luaL_checkstack(L, 8, NULL);
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    const char *name = check_name(L, -2);
    has |= strcasecmp(name, "date") == 0 ? LUGE_HAS_DATE : 0;
    has |= strcasecmp(name, "content-type") == 0 ? LUGE_HAS_TYPE : 0;
    if (!lua_istable(L, -1)) {
      check_value(L, name, -1);
      continue;
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++, lua_pop(L, 1)) {
      lua_rawgeti(L, -1, i);
      check_value(L, name, -1);
    }
  }
  return has;
}

/* Adds the value on top of the stack, which is popped. */
static bool add_value(lua_State *L, struct luge__conn *c, int name_index) {
  size_t name_len, len;
  const char *name = lua_tolstring(L, name_index, &name_len);
  const char *value = lua_tolstring(L, -1, &len);
  bool added = luge__head_add(c, name, name_len, value, len);
  lua_pop(L, 1);
  return added;
}

bool luge__headers_add(lua_State *L, int index, struct luge__conn *c) {
  if (lua_isnoneornil(L, index)) {
    return true;
  }
  bool added = true;
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    int name = lua_gettop(L) - 1;
    if (!lua_istable(L, -1)) {
      lua_pushvalue(L, -1);
      added = added && add_value(L, c, name);
      continue;
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
      lua_rawgeti(L, -1, i);
      added = added && add_value(L, c, name);
    }
  }
  return added;
}
