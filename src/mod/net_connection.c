/* Connections as scripts have them: a userdata around a socket, whose methods
 * wait; what to do with the pieces that come is Lua's (net_connection.lua). */
#include <lauxlib.h>
#include <limits.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "net_address.h"
#include "net_socket.h"

static const struct luge_class connection_class = {"a connection"};

struct luge_socket_box *luge__connection_new(lua_State *L) {
  return luge__class_new(L, &connection_class, sizeof(struct luge_socket_box),
                         0);
}

static struct luge_socket *check(lua_State *L) {
  const struct luge_socket_box *box =
      luge__class_check(L, 1, &connection_class);
  if (box->socket == NULL) {
    luge__raise(L, "closed", "the connection was not made");
  }
  return box->socket;
}

static struct luge_socket *check_open(lua_State *L) {
  struct luge_socket *socket = check(L);
  if (socket->closing) {
    luge__raise(L, "closed", "the connection is closed");
  }
  return socket;
}

/* read() -> what has come, at least a byte; nil at the end */

static int on_readable(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {.name = "bytes of a connection",
                                             .cancel = luge__socket_leave,
                                             .finish = on_readable};
  struct luge_socket *socket = check_open(L);
  (void)base;
  if (socket->length > 0) {
    lua_pushlstring(L, socket->bytes, socket->length);
    luge__realloc(socket->net->host, socket->bytes, socket->length, 0);
    socket->bytes = NULL;
    socket->length = 0;
    luge__socket_read_on(socket);
    return 1;
  }
  if (socket->ended) {
    return socket->read_error != 0
               ? luge__net_raise(L, socket->read_error, "read", NULL)
               : 0;
  }
  luge__socket_read_on(socket);
  return luge__socket_wait(L, task, socket, &socket->readers, &kind);
}

static int connection_read(lua_State *L) {
  check_open(L);
  lua_settop(L, 1);
  return on_readable(L, luge__enter(L), 1);
}

/* write(bytes): waits while too much is queued */

static int on_drained(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {.name = "a connection to take "
                                                     "bytes",
                                             .cancel = luge__socket_leave,
                                             .finish = on_drained};
  struct luge_socket *socket = check_open(L);
  (void)base;
  if (socket->write_error != 0) {
    return luge__net_raise(L, socket->write_error, "write", NULL);
  }
  if (!luge__socket_is_full(socket)) {
    return 0;
  }
  return luge__socket_wait(L, task, socket, &socket->writers, &kind);
}

static int connection_write(lua_State *L) {
  struct luge_socket *socket = check_open(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  luaL_argcheck(L, length <= INT_MAX, 2, "too long");
  struct luge_task *task = luge__enter(L);
  if (socket->shut) {
    return luge__raise(L, "closed", "the connection is shut down for writing");
  }
  if (socket->write_error == 0) {
    int status = luge__socket_write(socket, bytes, length);
    if (status != 0) {
      return luge__net_raise(L, status, "write", NULL);
    }
  }
  lua_settop(L, 1);
  return on_drained(L, task, 1);
}

/* shutdown(): waits until the other end has been told */

static int on_shut(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {.name = "a connection to take "
                                                     "what was written",
                                             .cancel = luge__socket_leave,
                                             .finish = on_shut};
  struct luge_socket *socket = check_open(L);
  (void)base;
  if (socket->write_error != 0) {
    return luge__net_raise(L, socket->write_error, "write", NULL);
  }
  if (socket->shut_done) {
    return 0;
  }
  return luge__socket_wait(L, task, socket, &socket->writers, &kind);
}

static int connection_shutdown(lua_State *L) {
  struct luge_socket *socket = check_open(L);
  struct luge_task *task = luge__enter(L);
  int status = luge__socket_shutdown(socket);
  if (status != 0) {
    return luge__net_raise(L, status, "write", NULL);
  }
  lua_settop(L, 1);
  return on_shut(L, task, 1);
}

/* close() -> whether something is still on its way: see `closed`. What a
 * cancelled task has written is not waited for. */
static int connection_close(lua_State *L) {
  const struct luge_socket_box *box =
      luge__class_check(L, 1, &connection_class);
  struct luge_socket *socket = box->socket;
  if (socket != NULL) {
    const struct luge_task *task = socket->net->host->current;
    bool cancelled =
        task != NULL && (task->scope->flags & LUGE_SCOPE_CANCELLED) != 0;
    luge__socket_close(socket, cancelled);
  }
  lua_pushboolean(L, socket != NULL && !socket->destroyed);
  return 1;
}

/* closed(): waits until all is sent, or has been given up */

static int on_gone(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {.name = "a connection to close",
                                             .cancel = luge__socket_leave,
                                             .finish = on_gone};
  struct luge_socket *socket = check(L);
  (void)base;
  return socket->destroyed
             ? 0
             : luge__socket_wait(L, task, socket, &socket->writers, &kind);
}

static int connection_closed(lua_State *L) {
  check(L);
  struct luge_task *task = luge__enter(L);
  lua_settop(L, 1);
  return on_gone(L, task, 1);
}

/* address(peer) -> host and port; or the path, "" if it has none */
static int connection_address(lua_State *L) {
  const struct luge_socket *socket = check_open(L);
  uv_os_fd_t fd;
  if (lua_toboolean(L, 2) && socket->peer.sin6_family != 0) {
    return luge__net_push_address(L, (const struct sockaddr *)&socket->peer);
  }
  int status = uv_fileno(&socket->uv.handle, &fd);
  if (status != 0) {
    return luge__net_raise(L, status, "read", NULL);
  }
  return luge__net_push_name(L, fd, lua_toboolean(L, 2));
}

static int connection_gc(lua_State *L) {
  struct luge_socket_box *box = lua_touserdata(L, 1);
  if (box->socket != NULL) {
    luge__socket_close(box->socket, false);
    luge__socket_let_go(box->socket);
    box->socket = NULL;
  }
  return 0;
}

void luge__connection_init(lua_State *L) {
  static const luaL_Reg methods[] = {{"read", connection_read},
                                     {"write", connection_write},
                                     {"shutdown", connection_shutdown},
                                     {"close", connection_close},
                                     {"closed", connection_closed},
                                     {"address", connection_address},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", connection_gc}, {NULL, NULL}};
  luge__class_init(L, &connection_class, methods, metamethods);
}
