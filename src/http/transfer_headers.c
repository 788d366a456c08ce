/* Header lines; see transfer_headers.h. */
#include "transfer_headers.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "../core/error.h"
#include "transfer.h"
#include "transfer_url.h"

void luge__fields_begin(struct luge__transfer *t) {
  t->headers.len = 0;
}

static void append(lua_State *L, struct luge__transfer *t, const char *text,
                   size_t length) {
  if (!luge__bytes_append(&t->headers, luge__transfer_memory(t), text,
                          length)) {
    luge__raise_memory(L);
  }
}

static bool have(const struct luge__transfer *t, const char *name, size_t n,
                 size_t among) {
  const char *at = t->headers.ptr;
  const char *end = at != NULL ? at + among : NULL;
  for (; at < end; at += strlen(at) + 1) {
    if (strncasecmp(at, name, n) == 0 && (at[n] == ':' || at[n] == ';')) {
      return true;
    }
  }
  return false;
}

bool luge__fields_have(const struct luge__transfer *t, const char *name) {
  return have(t, name, strlen(name), t->headers.len);
}

/* What libcurl takes for no value: white space. */
static bool is_blank(const char *value) {
  return value[strspn(value, " \t\v\f")] == '\0';
}

/* In libcurl's notation "Name;" is a header without a value, and "Name:" is one
 * that is not sent. */
static void add_line(lua_State *L, struct luge__transfer *t, const char *name,
                     size_t name_length, const char *value, size_t length) {
  append(L, t, name, name_length);
  if (value == NULL) {
    append(L, t, ":", 2);
  } else if (is_blank(value)) {
    append(L, t, ";", 2);
  } else {
    append(L, t, ": ", 2);
    append(L, t, value, length + 1);
  }
}

void luge__fields_add(lua_State *L, struct luge__transfer *t, const char *name,
                      const char *value) {
  if (!luge__fields_have(t, name)) {
    add_line(L, t, name, strlen(name), value,
             value != NULL ? strlen(value) : 0);
  }
}

static size_t token_length(const char *text, size_t length) {
  size_t i = 0;
  for (; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (!isalnum(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
      break;
    }
  }
  return i;
}

bool luge__is_token(const char *text, size_t length) {
  return length > 0 && token_length(text, length) == length;
}

static void check_name(lua_State *L, const char *name, size_t length) {
  size_t good = token_length(name, length);
  if (good < length || good == 0) { /* a value may follow, and be secret */
    luge__raise(L, "invalid",
                "bad header name \"%s...\": takes letters, digits and "
                "!#$%%&'*+-.^_`|~",
                lua_pushlstring(L, name, good));
  }
  if ((length == 14 && strncasecmp(name, "content-length", 14) == 0) ||
      (length == 17 && strncasecmp(name, "transfer-encoding", 17) == 0)) {
    luge__raise(L, "invalid",
                "header '%s' follows from the body, and is not to be given",
                name);
  }
}

static void check_value(lua_State *L, const char *name, const char *value,
                        size_t length) {
  if (memchr(value, '\r', length) != NULL ||
      memchr(value, '\n', length) != NULL || strlen(value) != length) {
    luge__raise(L, "invalid", "header '%s' holds a CR, LF or NUL", name);
  }
}

/* Adds the header whose value is on top of the stack. */
static void add_value(lua_State *L, struct luge__transfer *t, const char *name,
                      size_t name_length) {
  size_t length;
  const char *value;
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    lua_pushvalue(L, -1); /* a table's number must stay one */
    value = lua_tolstring(L, -1, &length);
    add_line(L, t, name, name_length, value, length);
    lua_pop(L, 1);
    return;
  case LUA_TSTRING:
    value = lua_tolstring(L, -1, &length);
    check_value(L, name, value, length);
    add_line(L, t, name, name_length, value, length);
    return;
  case LUA_TBOOLEAN:
    if (!lua_toboolean(L, -1)) {
      add_line(L, t, name, name_length, NULL, 0);
      return;
    }
    break;
  default:
    break;
  }
  luge__raise(L, "invalid",
              "header '%s' is %s, takes a string, a number, a list of them, "
              "or false",
              name, luaL_typename(L, -1));
}

/* Headers that are for one origin only: they hold secrets, or name it
 * (Host). */
static bool is_for_origin(const char *name, size_t length) {
  return luge__is_secret(name, length) ||
         (length == 4 && strncasecmp(name, "host", 4) == 0);
}

static void add_list(lua_State *L, struct luge__transfer *t, const char *name,
                     size_t name_length) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    add_value(L, t, name, name_length);
    lua_pop(L, 1);
  }
}

void luge__fields_add_table(lua_State *L, struct luge__transfer *t, int index,
                            bool overrides, bool safe) {
  if (lua_isnoneornil(L, index)) {
    return;
  }
  if (!lua_istable(L, index)) {
    luge__raise(L, "invalid", "'headers' is %s, takes a table",
                luaL_typename(L, index));
  }
  luaL_checkstack(L, 8, NULL);
  size_t before = overrides ? t->headers.len : 0;
  index = lua_absindex(L, index);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    size_t length;
    if (lua_type(L, -2) != LUA_TSTRING) {
      luge__raise(L, "invalid", "'headers' has a key that is %s, takes names",
                  luaL_typename(L, -2));
    }
    const char *name = lua_tolstring(L, -2, &length);
    check_name(L, name, length);
    if ((safe && is_for_origin(name, length)) ||
        have(t, name, length, before)) {
      continue;
    }
    if (lua_istable(L, -1)) {
      add_list(L, t, name, length);
    } else {
      add_value(L, t, name, length);
    }
  }
}

/* What follows the name in a line of a script's own cookies; NULL: it is none,
 * or the client keeps no cookies. */
static const char *after_cookie(const struct luge__transfer *t,
                                const char *line) {
  static const char name[] = "cookie";
  size_t length = sizeof name - 1;
  return t->client->share != NULL && strncasecmp(line, name, length) == 0 &&
                 (line[length] == ':' || line[length] == ';')
             ? line + length
             : NULL;
}

/* A script's own cookies go into one line with those that the client keeps
 * (RFC 6265, 5.4). libcurl copies them. */
static void set_cookies(struct luge__transfer *t, const char *text) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  if (*text == '\0') { /* none at all are wanted */
    curl->easy_setopt(t->easy, CURLOPT_SHARE, NULL);
  } else {
    curl->easy_setopt(t->easy, CURLOPT_COOKIE, text);
  }
  t->needs_reset = true;
}

/* Adds a line's cookies to those of the ones before, which may be NULL. */
static const char *join_cookies(lua_State *L, const char *before,
                                const char *after) {
  if (after[0] == ';' || after[1] == '\0') {
    return before != NULL ? before : "";
  }
  if (before == NULL || *before == '\0') {
    return after + 2;
  }
  luaL_checkstack(L, 1, NULL);
  return lua_pushfstring(L, "%s; %s", before, after + 2);
}

void luge__fields_end(lua_State *L, struct luge__transfer *t) {
  size_t count = 0, size = sizeof(struct curl_slist);
  char *at = t->headers.ptr, *end = at + t->headers.len;
  for (char *p = at; p < end; p += strlen(p) + 1) {
    count++;
  }
  t->nodes.len = 0;
  if (!luge__bytes_reserve(&t->nodes, luge__transfer_memory(t), count * size)) {
    luge__raise_memory(L);
  }
  struct curl_slist *node = (struct curl_slist *)(void *)t->nodes.ptr;
  size_t used = 0;
  const char *cookies = NULL;
  int top = lua_gettop(L);
  for (; at < end; at += strlen(at) + 1) {
    const char *cookie = after_cookie(t, at);
    if (cookie != NULL) {
      cookies = join_cookies(L, cookies, cookie);
      continue;
    }
    node[used].data = at;
    node[used].next = NULL;
    if (used > 0) {
      node[used - 1].next = &node[used];
    }
    used++;
  }
  luge__transfer_curl(t)->easy_setopt(t->easy, CURLOPT_HTTPHEADER,
                                      used > 0 ? node : NULL);
  if (cookies != NULL) {
    set_cookies(t, cookies);
  }
  lua_settop(L, top);
}
