/* luge.native.http_server: the server of server.h for Lua. Options are checked
 * and given their defaults in lua/luge/internal/http_server.lua, which is the
 * only user. */
#include "server_lua.h"

#include "../core/args.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "../mod/modules.h"

/* The server itself outlives its userdata: until its handles have closed. */
struct server_box {
  struct luge__server *server;
  struct luge_listener ended; /* of the task that takes its events */
};

static const struct luge_class server_class = {"an HTTP server"};

/* Its user value: the requests by their connections (light userdata), weak. */
enum { REQUESTS = 1 };

static struct luge__server *check_server(lua_State *L) {
  struct server_box *box = luge__class_check(L, 1, &server_class);
  if (box->server == NULL) { /* finalized */
    luge__raise(L, "closed", "the server is closed");
  }
  return box->server;
}

static struct luge__server *new_server(lua_State *L) {
  struct luge_host *host = luge__host(L);
  struct server_box *box =
      luge__class_new(L, &server_class, sizeof *box, REQUESTS);
  luge__weak_table(L, "v");
  lua_setiuservalue(L, -2, REQUESTS);
  struct luge__server *s = luge__realloc(host, NULL, 0, sizeof *s);
  if (s == NULL) {
    luge__raise_memory(L);
  } else {
    luge__server_init(s, host);
    box->server = s;
  }
  return s;
}

/* listen(address, port, path, max_body, max_head, max_fields,
 *        max_connections, idle_seconds): `path` of a UNIX socket, or nil. */
static int lib_listen(lua_State *L) {
  uint64_t max_body = (uint64_t)luaL_checkinteger(L, 4);
  size_t max_head = (size_t)luaL_checkinteger(L, 5);
  size_t max_fields = (size_t)luaL_checkinteger(L, 6);
  unsigned max_connections = (unsigned)luaL_checkinteger(L, 7);
  double idle = luge__check_seconds(L, 8);
  struct luge__server *s = new_server(L);
  s->limits = (struct luge__h1_limits){max_head, max_fields, max_body};
  s->max_count = max_connections;
  s->idle_timeout = idle < 1e9 ? (uint64_t)(idle * 1000) : 0;
  luge__server_listen(L, s);
  return 1;
}

static int server_port(lua_State *L) {
  lua_pushinteger(L, luge__server_port(check_server(L)));
  return 1;
}

/* Pushes the request of the connection, which Lua may have let go of. */
static void push_known_request(lua_State *L, const struct luge__conn *c) {
  lua_getiuservalue(L, 1, REQUESTS);
  lua_rawgetp(L, -1, c);
  lua_remove(L, -2);
}

/* server, connection (light userdata) -> what luge__request_push pushes */
static int push_new_request(lua_State *L) {
  struct luge__conn *c = lua_touserdata(L, 2);
  int count = luge__request_push(L, c);
  lua_getiuservalue(L, 1, REQUESTS);
  lua_pushvalue(L, 3);
  lua_rawsetp(L, -2, c);
  lua_pop(L, 1);
  return count;
}

/* The client has left: pushes the request. The event stays until the request is
 * aborted: if the taker fails to do that, it is told again. */
static void take_leaving(lua_State *L, struct luge__conn *c) {
  push_known_request(L, c);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1); /* is about to be collected, and will notice */
    luge__list_remove(&c->event);
  }
}

/* If there is no memory for the request, only the request is dropped, and the
 * server goes on. */
static void take_request(lua_State *L, struct luge__conn *c) {
  luge__list_remove(&c->event);
  lua_pushcfunction(L, push_new_request);
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, c);
  if (lua_pcall(L, 2, LUA_MULTRET, 0) != LUA_OK) {
    lua_pop(L, 1);
    if (c->request != NULL) {
      luge__request_detach(c->request);
    }
    luge__conn_drop(c);
  }
}

/* Takes the first event: how many values were pushed, 0 if there is nobody to
 * be told of it. */
static int take_event(lua_State *L, struct luge__server *s) {
  struct luge__conn *c =
      luge__container(s->events.next, struct luge__conn, event);
  if (c->phase == LUGE_CONN_CLOSED) {
    take_leaving(L, c);
  } else {
    take_request(L, c);
  }
  return lua_gettop(L) - 1;
}

static int next_event(lua_State *L, struct luge_task *task, int base);

static int next_or_wait(lua_State *L, struct luge_task *task) {
  static const struct luge_wait_kind kind = {.name = "an HTTP request",
                                             .cancel = luge__waiters_leave,
                                             .finish = next_event};
  struct luge__server *s = check_server(L);
  if (s->starved) {
    s->starved = false;
    lua_gc(L, LUA_GCCOLLECT, 0);
    luge__server_accept_next(s);
  }
  while (!luge__list_empty(&s->events)) {
    int count = take_event(L, s);
    if (count > 0) {
      return count;
    }
  }
  if (s->destroyed || (s->stopped && s->active == 0)) {
    return 0;
  }
  return luge__waiters_join(L, task, &s->takers, &kind);
}

static int next_event(lua_State *L, struct luge_task *task, int base) {
  lua_settop(L, base);
  return next_or_wait(L, task);
}

/* server:next() -> request, method, target, headers, repeated: a new one;
 * request: its client has left, abort it; nothing: the server has stopped.
 * Waits. */
static int server_next(lua_State *L) {
  check_server(L);
  struct luge_task *task = luge__enter(L);
  lua_settop(L, 1);
  return next_or_wait(L, task);
}

static int drain_again(lua_State *L, struct luge_task *task, int base);

static int drain_or_wait(lua_State *L, struct luge_task *task) {
  static const struct luge_wait_kind kind = {.name = "requests to be answered",
                                             .cancel = luge__waiters_leave,
                                             .finish = drain_again};
  struct luge__server *s = check_server(L);
  if ((lua_Integer)s->active <= lua_tointeger(L, 2) || s->destroyed) {
    return 0;
  }
  return luge__waiters_join(L, task, &s->drainers, &kind);
}

static int drain_again(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return drain_or_wait(L, task);
}

/* server:drain(count): waits until no more than so many requests are not yet
 * answered, to the last byte. */
static int server_drain(lua_State *L) {
  check_server(L);
  struct luge_task *task = luge__enter(L);
  luaL_checkinteger(L, 2);
  lua_settop(L, 2);
  return drain_or_wait(L, task);
}

static void on_taker_ended(struct luge_listener *listener) {
  struct server_box *box = luge__container(listener, struct server_box, ended);
  luge__server_destroy(box->server);
}

/* server:bind(task): the task takes the events, and the server ends with it. */
static int server_bind(lua_State *L) {
  check_server(L);
  struct server_box *box = lua_touserdata(L, 1);
  struct luge_task *task = luge__class_check(L, 2, &luge__task_class);
  if (luge__list_linked(&box->ended.link) ||
      task->cell.state != LUGE_CELL_PENDING) {
    luge__raise(L, "invalid", "the server is bound, or the task has ended");
  }
  luge__cell_watch(&task->cell, &box->ended, on_taker_ended);
  return 0;
}

static int server_stop(lua_State *L) {
  luge__server_stop(check_server(L));
  return 0;
}

static int server_destroy(lua_State *L) {
  luge__server_destroy(check_server(L));
  return 0;
}

/* server:connections() -> open connections, requests not yet answered */
static int server_connections(lua_State *L) {
  const struct luge__server *s = check_server(L);
  lua_pushinteger(L, s->count);
  lua_pushinteger(L, s->active);
  return 2;
}

static int server_gc(lua_State *L) {
  struct server_box *box = lua_touserdata(L, 1);
  luge__list_remove(&box->ended.link);
  if (box->server != NULL) {
    luge__server_release(box->server);
    box->server = NULL;
  }
  return 0;
}

int luge__open_http_server(lua_State *L) {
  static const luaL_Reg methods[] = {{"port", server_port},
                                     {"bind", server_bind},
                                     {"next", server_next},
                                     {"drain", server_drain},
                                     {"stop", server_stop},
                                     {"destroy", server_destroy},
                                     {"connections", server_connections},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", server_gc}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"listen", lib_listen}, {NULL, NULL}};
  luge__class_init(L, &server_class, methods, metamethods);
  luge__request_init(L);
  luaL_newlib(L, functions);
  return 1;
}
