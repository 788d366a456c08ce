/* luge.native.sse: the parser of sse.h for Lua.
 *
 * A parser is a userdata. It keeps the chunk it reads from and the last id as
 * user values, so that the bytes which the C parser was lent stay alive; its
 * own buffers come from the state's allocator and go in __gc. */
#include "sse.h"

#include "../core/class.h"
#include "../core/error.h"
#include "../mod/modules.h"

#include <lauxlib.h>

static const struct luge_class parser_class = {
    "a parser of Server-Sent Events"};

enum { DEFAULT_MAX = 16 * 1024 * 1024 };

enum { CHUNK = 1, LAST_ID = 2 };

/* Methods have the metatable as their first upvalue: cheaper to compare with
 * than to find in the registry, once per event. */
static struct luge__sse *check_parser(lua_State *L) {
  struct luge__sse *p = lua_touserdata(L, 1);
  if (p == NULL || !lua_getmetatable(L, 1)) {
    luge__arg_error(L, 1, parser_class.name);
  }
  if (!lua_rawequal(L, -1, lua_upvalueindex(1))) {
    luge__arg_error(L, 1, parser_class.name);
  }
  lua_pop(L, 1);
  return p;
}

static size_t check_limit(lua_State *L, int arg) {
  int is_integer;
  lua_Integer limit = lua_tointegerx(L, arg, &is_integer);
  if (lua_isnoneornil(L, arg)) {
    return DEFAULT_MAX;
  }
  if (!is_integer || limit < 1) {
    luge__arg_error(L, arg, "a number of bytes, at least 1");
  }
  return (size_t)limit;
}

/* parser(max_line?, max_event?) */
static int sse_parser(lua_State *L) {
  size_t max_line = check_limit(L, 1);
  size_t max_event = check_limit(L, 2);
  struct luge__sse *p = luge__class_new(L, &parser_class, sizeof *p, 2);
  struct luge__memory memory;
  memory.fn = lua_getallocf(L, &memory.ud);
  luge__sse_init(p, memory, max_line, max_event);
  return 1;
}

/* parser:feed(chunk) */
static int parser_feed(lua_State *L) {
  struct luge__sse *p = check_parser(L);
  if (lua_type(L, 2) != LUA_TSTRING) {
    luge__arg_error(L, 2, "a string");
  }
  if (p->pos < p->end) {
    luge__raise(L, "invalid",
                "feed: the chunk before is not used up: call next until it "
                "returns nil");
  }
  size_t len;
  const char *chunk = lua_tolstring(L, 2, &len);
  luge__sse_feed(p, chunk, len);
  lua_settop(L, 2);
  lua_setiuservalue(L, 1, CHUNK);
  return 0;
}

static int raise_limit(lua_State *L, const char *what, size_t limit) {
  luge__push_error(L, "limit",
                   "a Server-Sent Events %s is longer than %I bytes", what,
                   (LUAI_UACINT)limit);
  lua_pushstring(L, what);
  lua_setfield(L, -2, "what");
  lua_pushinteger(L, (lua_Integer)limit);
  lua_setfield(L, -2, "limit");
  return lua_error(L);
}

/* One more try after a full collection, as Lua itself would do it. */
static enum luge__sse_status next_event(lua_State *L, struct luge__sse *p,
                                        struct luge__sse_event *event) {
  enum luge__sse_status status = luge__sse_next(p, event);
  if (status == LUGE_SSE_NO_MEMORY) {
    lua_gc(L, LUA_GCCOLLECT, 0);
    status = luge__sse_next(p, event);
  }
  return status;
}

static void push_id(lua_State *L, struct luge__sse *p) {
  if (p->id_changed) {
    lua_pushlstring(L, p->last_id.ptr, p->last_id.len);
    lua_setiuservalue(L, 1, LAST_ID);
    p->id_changed = 0;
  }
  lua_getiuservalue(L, 1, LAST_ID);
}

/* Of `next` and `take`, the keys and the default type are upvalues, too: no
 * string is looked up. */
enum { KEY_EVENT = 2, KEY_DATA, KEY_ID, KEY_RETRY, TYPE_MESSAGE };

static void push_type(lua_State *L, const struct luge__sse_event *event) {
  if (event->type.len > 0) {
    lua_pushlstring(L, event->type.ptr, event->type.len);
  } else {
    lua_pushvalue(L, lua_upvalueindex(TYPE_MESSAGE));
  }
}

static void push_event(lua_State *L, struct luge__sse *p,
                       const struct luge__sse_event *event) {
  lua_createtable(L, 0, 2 + (p->last_id.len > 0) + event->has_retry);
  lua_pushvalue(L, lua_upvalueindex(KEY_EVENT));
  push_type(L, event);
  lua_rawset(L, -3);
  lua_pushvalue(L, lua_upvalueindex(KEY_DATA));
  lua_pushlstring(L, event->data.ptr, event->data.len);
  lua_rawset(L, -3);
  if (p->last_id.len > 0) {
    lua_pushvalue(L, lua_upvalueindex(KEY_ID));
    push_id(L, p);
    lua_rawset(L, -3);
  }
  if (event->has_retry) {
    lua_pushvalue(L, lua_upvalueindex(KEY_RETRY));
    lua_pushinteger(L, (lua_Integer)event->retry);
    lua_rawset(L, -3);
  }
}

/* The next event, 1; none in what was fed, 0; or raises. */
static int read_event(lua_State *L, struct luge__sse *p,
                      struct luge__sse_event *event) {
  switch (next_event(L, p, event)) {
  case LUGE_SSE_EVENT:
    return 1;
  case LUGE_SSE_MORE:
    return 0;
  case LUGE_SSE_LINE_LIMIT:
    return raise_limit(L, "line", p->max_line);
  case LUGE_SSE_EVENT_LIMIT:
    return raise_limit(L, "event", p->max_event);
  case LUGE_SSE_NO_MEMORY:
    break;
  }
  lua_pushliteral(L, "not enough memory");
  return lua_error(L);
}

/* parser:next() -> { event=, data=, id=, retry= } or nil for: feed me */
static int parser_next(lua_State *L) {
  struct luge__sse *p = check_parser(L);
  struct luge__sse_event event;
  if (!read_event(L, p, &event)) {
    return 0;
  }
  push_event(L, p, &event);
  return 1;
}

/* parser:take() -> data, event, or nothing for: feed me. The same without a
 * table, at half the cost, for whoever needs no more. */
static int parser_take(lua_State *L) {
  struct luge__sse *p = check_parser(L);
  struct luge__sse_event event;
  if (!read_event(L, p, &event)) {
    return 0;
  }
  lua_pushlstring(L, event.data.ptr, event.data.len);
  push_type(L, &event);
  return 2;
}

/* parser:last_id() -> string, "" while none was seen */
static int parser_last_id(lua_State *L) {
  struct luge__sse *p = check_parser(L);
  lua_pushlstring(L, p->last_id.len > 0 ? p->last_id.ptr : "", p->last_id.len);
  return 1;
}

/* parser:retry() -> milliseconds or nil: the last one read */
static int parser_retry(lua_State *L) {
  struct luge__sse *p = check_parser(L);
  if (!p->has_retry) {
    return 0;
  }
  lua_pushinteger(L, (lua_Integer)p->retry);
  return 1;
}

static int parser_gc(lua_State *L) {
  struct luge__sse *p = lua_touserdata(L, 1);
  luge__sse_free(p);
  return 0;
}

/* The metatable and, on top of it, its table of methods are on the stack. */
static void set_reader(lua_State *L, const char *name, lua_CFunction reader) {
  static const char *const texts[] = {"event", "data", "id", "retry",
                                      "message"};
  lua_pushvalue(L, -2);
  for (int i = 0; i < 5; i++) {
    lua_pushstring(L, texts[i]);
  }
  lua_pushcclosure(L, reader, TYPE_MESSAGE);
  lua_setfield(L, -2, name);
}

int luge__open_sse(lua_State *L) {
  static const luaL_Reg methods[] = {{"feed", parser_feed},
                                     {"last_id", parser_last_id},
                                     {"retry", parser_retry},
                                     {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", parser_gc}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"parser", sse_parser}, {NULL, NULL}};
  luge__class_init(L, &parser_class, none, metamethods);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &parser_class);
  lua_getfield(L, -1, "__index");
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, methods, 1);
  set_reader(L, "next", parser_next);
  set_reader(L, "take", parser_take);
  luaL_newlib(L, functions);
  return 1;
}
