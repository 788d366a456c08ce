/* Answering a request: the whole at once, or a head and then pieces; see
 * server_lua.h. */
#include <lauxlib.h>
#include <string.h>

#include "../core/error.h"
#include "../core/wait.h"
#include "server_lua.h"

/* Writing: the data at index 2, of which the bytes up to the offset at index 3
 * are sent; then the response ends if index 4 is true. */

static int write_again(lua_State *L, struct luge_task *task, int base);

static int write_or_wait(lua_State *L, struct luge_task *task) {
  static const struct luge_wait_kind kind = {.name = "a slow HTTP client",
                                             .cancel = luge__waiters_leave,
                                             .finish = write_again};
  struct luge__conn *c = luge__request_conn(L);
  size_t len, offset = (size_t)lua_tointeger(L, 3);
  const char *data = lua_tolstring(L, 2, &len);
  while (offset < len) {
    if (luge__conn_unsent(c) >= LUGE_SERVER_OUT) {
      lua_pushinteger(L, (lua_Integer)offset);
      lua_replace(L, 3);
      return luge__waiters_join(L, task, &c->writers, &kind);
    }
    size_t n = len - offset < LUGE_SERVER_OUT ? len - offset : LUGE_SERVER_OUT;
    if (!luge__conn_send_piece(c, data + offset, n)) {
      return luge__raise(L, "closed", "the client has left");
    }
    offset += n;
  }
  if (lua_toboolean(L, 4)) {
    luge__request_detach(c->request);
    luge__conn_finish(c);
  }
  return 0;
}

static int write_again(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return write_or_wait(L, task);
}

/* request:write(data): a piece of the body, after `start`. Waits while the
 * client is slow. */
int luge__request_write(lua_State *L) {
  luge__request_check(L);
  struct luge_task *task = luge__enter(L);
  if (lua_type(L, 2) != LUA_TSTRING) {
    luge__arg_error(L, 2, "a string");
  }
  if (!luge__request_conn(L)->started) {
    luge__raise(L, "invalid", "write: the response was not started");
  }
  lua_settop(L, 2);
  lua_pushinteger(L, 0);
  lua_pushboolean(L, 0);
  return write_or_wait(L, task);
}

/* request:finish(): ends the response. */
int luge__request_finish(lua_State *L) {
  struct luge__conn *c = luge__request_conn(L);
  if (!c->started) {
    luge__raise(L, "invalid", "finish: the response was not started");
  }
  luge__request_detach(c->request);
  luge__conn_finish(c);
  return 0;
}

static bool has_no_body(int status) {
  return status == 204 || status == 304;
}

/* A 205 is framed like others, but has nothing in it. */
static void check_bodiless(lua_State *L, int status) {
  if (has_no_body(status) || status == 205) {
    luge__raise(L, "invalid", "a response of status %d takes no body", status);
  }
}

static int check_status(lua_State *L, const struct luge__conn *c) {
  int is_integer;
  lua_Integer status = lua_tointegerx(L, 2, &is_integer);
  if (!is_integer || status < 200 || status > 999) {
    luge__arg_error(L, 2, "a status from 200 to 999");
  }
  if (c->started) {
    luge__raise(L, "invalid", "the response was already started");
  }
  return (int)status;
}

/* Adds the media type at `index`, if any. */
static bool add_type(lua_State *L, int index, struct luge__conn *c) {
  size_t len;
  const char *type = lua_tolstring(L, index, &len);
  return type == NULL || luge__head_add(c, "Content-Type", 12, type, len);
}

/* Builds the head from the headers at index 3 and the media type at `type`;
 * nothing is sent yet. The rest of a body that nobody has read by now would be
 * taken for the next request. */
static void build_head(lua_State *L, struct luge__conn *c, int status,
                       uint64_t length, int type) {
  unsigned has = luge__headers_check(L, 3);
  c->keep_alive = c->keep_alive && c->body_complete && !c->server->stopped &&
                  !c->server->accept_waits && c->framing != LUGE_FRAMING_CLOSE;
  if (!luge__head_begin(c, status, length, (has & LUGE_HAS_DATE) != 0) ||
      !((has & LUGE_HAS_TYPE) != 0 || add_type(L, type, c)) ||
      !luge__headers_add(L, 3, c) || !luge__head_end(c)) {
    luge__raise_memory(L);
  }
}

static void send_head(lua_State *L, struct luge__conn *c, const char *body,
                      size_t len) {
  struct luge__bytes *head = &c->server->head;
  uv_buf_t bufs[2] = {uv_buf_init(head->ptr, (unsigned)head->len),
                      uv_buf_init((char *)body, (unsigned)len)};
  c->started = true;
  if (!luge__conn_send(c, bufs, len > 0 ? 2 : 1)) {
    luge__raise(L, "closed", "the client has left");
  }
}

/* request:respond(status, headers, body, type): the whole answer. `type` is its
 * media type, unless the headers name one. Waits while the client is slow. */
int luge__request_respond(lua_State *L) {
  luge__request_check(L);
  struct luge_task *task = luge__enter(L);
  struct luge__conn *c = luge__request_conn(L);
  int status = check_status(L, c);
  size_t len;
  lua_settop(L, 5);
  if (lua_isnil(L, 4)) {
    lua_pushliteral(L, "");
    lua_replace(L, 4);
  }
  const char *body = luaL_checklstring(L, 4, &len);
  if (len > 0) {
    check_bodiless(L, status);
  }
  c->framing = has_no_body(status) ? LUGE_FRAMING_NONE : LUGE_FRAMING_LENGTH;
  build_head(L, c, status, len, 5);
  if (luge__conn_is_to_head(c)) {
    len = 0;
  }
  size_t first = len < LUGE_SERVER_OUT ? len : LUGE_SERVER_OUT;
  send_head(L, c, body, first);
  lua_settop(L, 4);
  lua_rotate(L, 2, 1); /* request, body, status, headers */
  lua_settop(L, 2);
  lua_pushinteger(L, len > 0 ? (lua_Integer)first : LUA_MAXINTEGER);
  lua_pushboolean(L, 1);
  return write_or_wait(L, task);
}

/* request:start(status, headers, type) -> whether the client wants the body */
int luge__request_start(lua_State *L) {
  struct luge__conn *c = luge__request_conn(L);
  int status = check_status(L, c);
  check_bodiless(L, status);
  lua_settop(L, 4);
  c->framing =
      c->h1.head.minor == 0 ? LUGE_FRAMING_CLOSE : LUGE_FRAMING_CHUNKED;
  build_head(L, c, status, 0, 4);
  send_head(L, c, "", 0);
  bool wanted = !luge__conn_is_to_head(c);
  if (!wanted) {
    c->framing = LUGE_FRAMING_NONE;
  }
  lua_pushboolean(L, wanted);
  return 1;
}
