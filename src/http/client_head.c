/* Heads of answers; see client_head.h. */
#include "client_head.h"

#include <string.h>
#include <strings.h>

#include "../core/class.h"
#include "../core/error.h"

enum { DNS, CONNECT, TLS, REQUEST, HEADERS, TOTAL, TIMES };

struct luge__head {
  curl_off_t times[TIMES]; /* microseconds; 0: not so far, or not needed */
  long http_version;
  bool reused;
  size_t length;
  char lines[]; /* each ended by LF */
};

static const struct luge_class head_class = {"response headers"};

/* libcurl's time begins when it has got the addresses that it needs. */
static void get_time(struct luge__head *head, int which,
                     struct luge__transfer *t, CURLINFO info) {
  curl_off_t *time = &head->times[which];
  luge__transfer_curl(t)->easy_getinfo(t->easy, info, time);
  if (*time > 0) {
    *time += (curl_off_t)(t->lookup_time / 1000);
  }
}

static void get_times(struct luge__head *head, struct luge__transfer *t) {
  static const CURLINFO infos[TIMES] = {
      CURLINFO_NAMELOOKUP_TIME_T,    CURLINFO_CONNECT_TIME_T,
      CURLINFO_APPCONNECT_TIME_T,    CURLINFO_PRETRANSFER_TIME_T,
      CURLINFO_STARTTRANSFER_TIME_T, CURLINFO_TOTAL_TIME_T};
  for (int i = 0; i < TIMES; i++) {
    get_time(head, i, t, infos[i]);
  }
}

struct luge__head *luge__head_push(lua_State *L, struct luge__transfer *t) {
  const struct luge__curl *curl = luge__transfer_curl(t);
  size_t length = t->head.len;
  long connects = 0;
  struct luge__head *head =
      luge__class_new(L, &head_class, sizeof *head + length, 0);
  head->length = length;
  if (length > 0) {
    memcpy(head->lines, t->head.ptr, length);
  }
  curl->easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &head->http_version);
  curl->easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
  head->reused = connects == 0;
  get_times(head, t);
  return head;
}

void luge__head_finish(struct luge__head *head, struct luge__transfer *t) {
  get_time(head, TOTAL, t, CURLINFO_TOTAL_TIME_T);
}

/* A field: its name, and its value without white space around it. */
struct field {
  const char *name, *value;
  size_t name_length, length;
};

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/* Reads the line at *at, and moves that on; false: the last was read. Lines
 * without a colon are left out. */
static bool next_field(const struct luge__head *head, size_t *at,
                       struct field *field) {
  while (*at < head->length) {
    const char *line = head->lines + *at;
    const char *end = memchr(line, '\n', head->length - *at);
    end = end != NULL ? end : head->lines + head->length;
    *at = (size_t)(end - head->lines) + 1;
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (colon == NULL || is_space(line[0])) {
      continue;
    }
    const char *value = colon + 1;
    while (value < end && is_space(*value)) {
      value++;
    }
    while (end > value && is_space(end[-1])) {
      end--;
    }
    *field = (struct field){line, value, (size_t)(colon - line),
                            (size_t)(end - value)};
    return true;
  }
  return false;
}

static bool is_named(const struct field *field, const char *name,
                     size_t length) {
  return field->name_length == length &&
         strncasecmp(field->name, name, length) == 0;
}

static struct luge__head *check(lua_State *L) {
  return luge__class_check(L, 1, &head_class);
}

/* headers:all(name) -> list of its values */
static int head_all(lua_State *L) {
  const struct luge__head *head = check(L);
  size_t length, at = 0;
  const char *name = lua_tolstring(L, 2, &length);
  if (name == NULL) {
    return luge__arg_error(L, 2, "the name of a header");
  }
  lua_Integer count = 0;
  struct field field;
  lua_newtable(L);
  while (next_field(head, &at, &field)) {
    if (is_named(&field, name, length)) {
      lua_pushlstring(L, field.value, field.length);
      lua_rawseti(L, -2, ++count);
    }
  }
  return 1;
}

/* headers[name] -> its first value, or nil; or a method. */
static int head_index(lua_State *L) {
  const struct luge__head *head = lua_touserdata(L, 1);
  size_t length, at = 0;
  if (lua_type(L, 2) != LUA_TSTRING) {
    return 0;
  }
  const char *name = lua_tolstring(L, 2, &length);
  struct field field;
  if (strcmp(name, "all") == 0) {
    lua_pushcfunction(L, head_all);
    return 1;
  }
  while (next_field(head, &at, &field)) {
    if (is_named(&field, name, length)) {
      lua_pushlstring(L, field.value, field.length);
      return 1;
    }
  }
  return 0;
}

static void push_lower(lua_State *L, const struct field *field) {
  luaL_Buffer b;
  char *out = luaL_buffinitsize(L, &b, field->name_length);
  for (size_t i = 0; i < field->name_length; i++) {
    char c = field->name[i];
    out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
  }
  luaL_pushresultsize(&b, field->name_length);
}

/* The iterator of pairs(headers): upvalues are the headers and the place. */
static int head_next(lua_State *L) {
  const struct luge__head *head = lua_touserdata(L, lua_upvalueindex(1));
  size_t at = (size_t)lua_tointeger(L, lua_upvalueindex(2));
  struct field field;
  if (!next_field(head, &at, &field)) {
    return 0;
  }
  lua_pushinteger(L, (lua_Integer)at);
  lua_replace(L, lua_upvalueindex(2));
  push_lower(L, &field);
  lua_pushlstring(L, field.value, field.length);
  return 2;
}

static int head_pairs(lua_State *L) {
  check(L);
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, head_next, 2);
  return 1;
}

int luge__head_info(lua_State *L) {
  const struct luge__head *head = check(L);
  const char *version = head->http_version == CURL_HTTP_VERSION_1_0   ? "1.0"
                        : head->http_version == CURL_HTTP_VERSION_1_1 ? "1.1"
                        : head->http_version == CURL_HTTP_VERSION_3   ? "3"
                                                                      : "2";
  lua_pushstring(L, version);
  lua_pushboolean(L, head->reused);
  return 2;
}

int luge__head_timings(lua_State *L) {
  static const char *const names[TIMES] = {"dns",     "connect", "tls",
                                           "request", "headers", "total"};
  const struct luge__head *head = check(L);
  lua_createtable(L, 0, TIMES);
  for (int i = 0; i < TIMES; i++) {
    lua_pushnumber(L, (double)head->times[i] / 1e6);
    lua_setfield(L, -2, names[i]);
  }
  return 1;
}

void luge__head_init(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__index", head_index}, {"__pairs", head_pairs}, {NULL, NULL}};
  luge__class_init(L, &head_class, none, metamethods);
}
