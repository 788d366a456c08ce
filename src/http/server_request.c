/* A request as Lua handles it: its head, its body, its end; see server_lua.h.
 * The answer is server_answer.c's. */
#include <string.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "server_lua.h"

static const struct luge_class request_class = {"an HTTP request"};

struct luge__request *luge__request_check(lua_State *L) {
  return luge__class_check(L, 1, &request_class);
}

struct luge__conn *luge__request_conn(lua_State *L) {
  struct luge__request *r = luge__request_check(L);
  if (r->conn == NULL) {
    luge__raise(L, "closed", "the request is over");
  }
  if (r->conn->phase == LUGE_CONN_CLOSED) {
    luge__raise(L, "closed", "the client has left");
  }
  return r->conn;
}

/* Fields whose names came before are joined by commas, as RFC 9110, section
 * 5.3, allows, and cookies as their own syntax has it (RFC 9113, section
 * 8.2.3); their values are listed in the table above. */
static void add_repeated(lua_State *L, int headers, int repeated) {
  lua_pushvalue(L, -2); /* name, value, name */
  if (lua_rawget(L, repeated) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, -3);
    lua_rawget(L, headers);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -2);
    lua_rawset(L, repeated);
  }
  lua_pushvalue(L, -2); /* name, value, list, value */
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
  lua_pushvalue(L, -2);
  lua_rawget(L, headers);
  bool cookie = strcmp(lua_tostring(L, -3), "cookie") == 0;
  lua_pushstring(L, cookie ? "; " : ", ");
  lua_rotate(L, -3, -1); /* name, old, what joins them, value */
  lua_concat(L, 3);
}

static void push_lower(lua_State *L, struct luge__h1_text name) {
  char small[64];
  luaL_Buffer b;
  char *to =
      name.len <= sizeof small ? small : luaL_buffinitsize(L, &b, name.len);
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i];
    to[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
  }
  if (to == small) {
    lua_pushlstring(L, small, name.len);
  } else {
    luaL_pushresultsize(&b, name.len);
  }
}

/* Pushes the headers, and the repeated ones or nil. */
static void push_headers(lua_State *L, const struct luge__h1_head *head) {
  lua_createtable(L, 0, (int)head->count);
  lua_pushnil(L);
  int headers = lua_gettop(L) - 1, repeated = headers + 1;
  for (size_t i = 0; i < head->count; i++) {
    const struct luge__h1_field *field = &head->fields[i];
    push_lower(L, field->name);
    lua_pushvalue(L, -1);
    int known = lua_rawget(L, headers) != LUA_TNIL;
    lua_pop(L, 1);
    lua_pushlstring(L, field->value.ptr, field->value.len);
    if (known) {
      if (lua_isnil(L, repeated)) {
        lua_newtable(L);
        lua_replace(L, repeated);
      }
      add_repeated(L, headers, repeated);
    }
    lua_rawset(L, headers);
  }
}

int luge__request_push(lua_State *L, struct luge__conn *c) {
  const struct luge__h1_head *head = &c->h1.head;
  luaL_checkstack(L, 16, NULL);
  struct luge__request *r = luge__class_new(L, &request_class, sizeof *r, 0);
  lua_pushlstring(L, head->method.ptr, head->method.len);
  lua_pushlstring(L, head->target.ptr, head->target.len);
  push_headers(L, head);
  r->conn = c;
  c->request = r;
  return 5;
}

void luge__request_detach(struct luge__request *r) {
  struct luge__conn *c = r->conn;
  r->conn = NULL;
  c->request = NULL;
  luge__waiters_wake_all(&c->readers);
  luge__waiters_wake_all(&c->writers);
}

/* The client has left, and the handler was told. */
static void forget(struct luge__request *r) {
  struct luge__conn *c = r->conn;
  luge__request_detach(r);
  luge__list_remove(&c->event);
  luge__server_request_ended(c->server);
  if (c->has_closed) {
    luge__conn_free(c);
  }
}

/* Closes the connection; the client sees that the answer, if it began, is not
 * complete. */
static void break_off(struct luge__conn *c) {
  if (c->started && c->framing == LUGE_FRAMING_CLOSE) {
    luge__conn_reset(c); /* an orderly end would look like the whole */
  } else {
    luge__conn_drop(c);
  }
}

/* The request is given up. */
static void give_up(struct luge__request *r) {
  struct luge__conn *c = r->conn;
  if (c == NULL) {
    return;
  }
  if (c->phase == LUGE_CONN_CLOSED) {
    forget(r);
    return;
  }
  luge__request_detach(r);
  break_off(c);
}

/* The handler has ended without an answer, because there was no memory for one:
 * tells the server's task as if the client had left. */
static void on_handler_ended(struct luge_listener *listener) {
  struct luge__request *r =
      luge__container(listener, struct luge__request, ended);
  if (r->conn != NULL) {
    break_off(r->conn);
  }
}

/* request:bind(task): the task handles it, and the request ends with it. */
static int request_bind(lua_State *L) {
  struct luge__request *r = luge__request_check(L);
  struct luge_task *task = luge__class_check(L, 2, &luge__task_class);
  luge__cell_listen(&task->cell, &r->ended, on_handler_ended);
  return 0;
}

static int request_abort(lua_State *L) {
  give_up(luge__request_check(L));
  return 0;
}

static int request_gc(lua_State *L) {
  struct luge__request *r = lua_touserdata(L, 1);
  luge__list_remove(&r->ended.link);
  give_up(r);
  return 0;
}

/* Reading. */

static int raise_body_error(lua_State *L, const struct luge__conn *c) {
  if (c->body_error != 413) {
    luge__push_error(L, "network", "the request's body: %s", c->h1.reason);
    lua_pushliteral(L, "protocol");
    lua_setfield(L, -2, "code");
  } else {
    lua_Integer limit = (lua_Integer)c->server->limits.max_body;
    luge__push_error(L, "limit", "the request's body is larger than %I bytes",
                     (LUAI_UACINT)limit);
    luge__set_limit(L, "body", limit);
  }
  lua_pushinteger(L, c->body_error); /* what to answer, if nobody catches it */
  lua_setfield(L, -2, "answer");
  return lua_error(L);
}

static int raise_late(lua_State *L, const struct luge__conn *c) {
  lua_Number seconds = (lua_Number)c->server->idle_timeout / 1000;
  luge__push_error(L, "timeout", "the request's body did not come on for %f s",
                   seconds);
  lua_pushnumber(L, seconds);
  lua_setfield(L, -2, "seconds");
  lua_pushliteral(L, "body");
  lua_setfield(L, -2, "phase");
  lua_pushinteger(L, 408);
  lua_setfield(L, -2, "answer");
  return lua_error(L);
}

/* The client waits for this before it sends the body. */
static void send_continue(struct luge__conn *c) {
  static char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
  if (c->h1.head.expects_continue && !c->started) {
    c->h1.head.expects_continue = 0;
    uv_buf_t buf = uv_buf_init(line, sizeof line - 1);
    luge__conn_send(c, &buf, 1);
  }
}

static int read_again(lua_State *L, struct luge_task *task, int base);

static int read_or_wait(lua_State *L, struct luge_task *task) {
  static const struct luge_wait_kind kind = {.name = "a request's body",
                                             .cancel = luge__waiters_leave,
                                             .finish = read_again};
  struct luge__conn *c = luge__request_conn(L);
  if (c->body.len > 0) {
    lua_pushlstring(L, c->body.ptr, c->body.len);
    luge__bytes_free(&c->body, &c->server->memory);
    luge__conn_update_reading(c);
    return 1;
  }
  if (c->body_error != 0) {
    return raise_body_error(L, c);
  }
  if (c->body_complete) {
    return 0;
  }
  if (c->timed_out) {
    return raise_late(L, c);
  }
  send_continue(c);
  c->since = uv_now(c->server->host->loop);
  return luge__waiters_join(L, task, &c->readers, &kind);
}

static int read_again(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return read_or_wait(L, task);
}

/* request:read() -> the next piece of the body, nil at its end. Waits. */
static int request_read(lua_State *L) {
  luge__request_check(L);
  struct luge_task *task = luge__enter(L);
  lua_settop(L, 1);
  return read_or_wait(L, task);
}

/* request:started() -> whether it is too late for another answer */
static int request_started(lua_State *L) {
  struct luge__request *r = luge__request_check(L);
  lua_pushboolean(L, r->conn == NULL || r->conn->started ||
                         r->conn->phase == LUGE_CONN_CLOSED);
  return 1;
}

void luge__request_init(lua_State *L) {
  static const luaL_Reg methods[] = {{"bind", request_bind},
                                     {"read", request_read},
                                     {"started", request_started},
                                     {"respond", luge__request_respond},
                                     {"start", luge__request_start},
                                     {"write", luge__request_write},
                                     {"finish", luge__request_finish},
                                     {"abort", request_abort},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", request_gc}, {NULL, NULL}};
  luge__class_init(L, &request_class, methods, metamethods);
}
