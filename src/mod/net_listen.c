/* Accepting connections; see net_listen.h. */
#include "net_listen.h"

#include <errno.h>
#include <lauxlib.h>
#include <unistd.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "../net/descriptor.h"
#include "net_address.h"

struct box {
  struct luge_acceptor *acceptor;
};

static const struct luge_class acceptor_class = {"a listening socket"};

/* Its life. */

static void let_go(struct luge_acceptor *acceptor) {
  if (--acceptor->holds == 0) {
    luge__unix_remove(&acceptor->file); /* it never began to listen */
    luge__realloc(acceptor->net->host, acceptor, sizeof *acceptor, 0);
  }
}

static void on_closed(uv_handle_t *handle) {
  struct luge_acceptor *acceptor = handle->data;
  acceptor->net->host->handles--;
  let_go(acceptor);
}

static void wake_all(struct luge_acceptor *acceptor) {
  while (luge__waiters_wake_one(&acceptor->takers)) {
    luge__unref_listener(acceptor->net->host);
  }
}

void luge__acceptor_close(struct luge_acceptor *acceptor) {
  if (acceptor->closed) {
    return;
  }
  acceptor->closed = true;
  acceptor->watching = false;
  luge__list_remove(&acceptor->link);
  wake_all(acceptor);
  uv_close((uv_handle_t *)&acceptor->poll, on_closed);
  luge__unix_remove(&acceptor->file);
  close(acceptor->fd);
}

/* Watching. */

static void on_readable(uv_poll_t *poll, int status, int events);

/* Watches the descriptor only while a connection would be accepted. */
static void watch(struct luge_acceptor *acceptor) {
  bool wanted = !acceptor->closed && !luge__list_empty(&acceptor->takers) &&
                acceptor->count < acceptor->max;
  if (wanted && !acceptor->watching) {
    uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
  } else if (!wanted && acceptor->watching) {
    uv_poll_stop(&acceptor->poll);
  }
  acceptor->watching = wanted;
}

/* A taker that is woken looks for itself. */
static void on_readable(uv_poll_t *poll, int status, int events) {
  struct luge_acceptor *acceptor = poll->data;
  (void)status;
  (void)events;
  if (luge__waiters_wake_one(&acceptor->takers)) {
    luge__unref_listener(acceptor->net->host);
  }
  acceptor->watching = false;
  uv_poll_stop(poll);
}

void luge__acceptor_left(struct luge_socket *socket) {
  struct luge_acceptor *acceptor = socket->acceptor;
  socket->acceptor = NULL;
  luge__list_remove(&socket->peer_link);
  acceptor->count--;
  watch(acceptor);
  let_go(acceptor);
}

/* accept() -> a connection; nil once it is closed */

static bool leave(struct luge_task *task) {
  struct luge_acceptor *acceptor = task->wait.data;
  luge__unref_listener(task->host);
  luge__waiters_leave(task);
  watch(acceptor);
  return true;
}

static void adopt(struct luge_acceptor *acceptor, struct luge_socket *socket) {
  socket->acceptor = acceptor;
  luge__list_append(&acceptor->sockets, &socket->peer_link);
  acceptor->count++;
  acceptor->holds++;
  if (!acceptor->is_pipe) {
    uv_tcp_nodelay(&socket->uv.tcp, acceptor->nodelay);
    if (acceptor->keepalive > 0) {
      uv_tcp_keepalive(&socket->uv.tcp, 1, acceptor->keepalive);
    }
  }
}

/* Fills the box. 0, or a negative errno; UV_EAGAIN: there is none yet. */
static int take(struct luge_acceptor *acceptor, struct luge_socket_box *box) {
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;
  int fd;
  do {
    fd = luge__descriptor_accept(acceptor->fd, (struct sockaddr *)&peer, &size);
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0) {
    return uv_translate_sys_error(errno);
  }
  struct luge_socket *socket =
      luge__socket_new(acceptor->net, acceptor->is_pipe);
  if (socket == NULL) {
    close(fd);
    return UV_ENOMEM;
  }
  socket->holds++;
  box->socket = socket;
  int status = luge__socket_adopt(socket, fd);
  if (status == 0) {
    luge__socket_set_peer(socket, &peer);
    adopt(acceptor, socket);
  }
  return status;
}

static struct luge_acceptor *check(lua_State *L) {
  struct box *box = luge__class_check(L, 1, &acceptor_class);
  if (box->acceptor == NULL) { /* finalized */
    luge__raise(L, "closed", "the server is closed");
  }
  return box->acceptor;
}

/* The box for the connection is at index 2. */
static int on_connection(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {
      .name = "a connection", .cancel = leave, .finish = on_connection};
  struct luge_acceptor *acceptor = check(L);
  int status = UV_EAGAIN;
  (void)base;
  if (acceptor->closed) {
    return 0;
  }
  if (acceptor->count < acceptor->max) {
    status = take(acceptor, lua_touserdata(L, 2));
    watch(acceptor); /* for others that wait */
  }
  if (status == 0) {
    lua_settop(L, 2);
    return 1;
  }
  if (status != UV_EAGAIN) {
    return luge__net_raise(L, status, "accept", NULL);
  }
  luge__ref_listener(acceptor->net->host);
  luge__list_append(&acceptor->takers, &task->wait.link);
  task->wait.data = acceptor;
  watch(acceptor);
  return luge__suspend(L, task, &kind);
}

static int acceptor_accept(lua_State *L) {
  check(L);
  lua_settop(L, 1);
  luge__connection_new(L);
  return on_connection(L, luge__enter(L), 2);
}

static int acceptor_close(lua_State *L) {
  luge__acceptor_close(check(L));
  return 0;
}

/* count() -> open connections */
static int acceptor_count(lua_State *L) {
  lua_pushinteger(L, check(L)->count);
  return 1;
}

/* address() -> host and port, or the path; nil once it is closed */
static int acceptor_address(lua_State *L) {
  const struct luge_acceptor *acceptor = check(L);
  if (acceptor->closed) {
    return 0;
  }
  return luge__net_push_name(L, acceptor->fd, false);
}

static int acceptor_gc(lua_State *L) {
  struct box *box = lua_touserdata(L, 1);
  if (box->acceptor != NULL) {
    luge__acceptor_close(box->acceptor);
    let_go(box->acceptor);
    box->acceptor = NULL;
  }
  return 0;
}

/* Beginning to listen. */

static int raise_listen(lua_State *L, int status, const char *where) {
  char name[32], text[128];
  if (status == UV_EMFILE || status == UV_ENFILE || status == UV_ENOMEM) {
    return luge__net_raise(L, status, "listen", where);
  }
  luge__push_error(L, "io", "cannot listen on %s: %s", where,
                   uv_strerror_r(status, text, sizeof text));
  lua_pushstring(L, uv_err_name_r(status, name, sizeof name));
  lua_setfield(L, -2, "errno");
  lua_pushstring(L, where);
  lua_setfield(L, -2, "path");
  return lua_error(L);
}

/* Pushes a box with an acceptor that is not open yet. */
static struct luge_acceptor *push_acceptor(lua_State *L, unsigned max) {
  struct luge_net *net = luge__net(L);
  struct box *box = luge__class_new(L, &acceptor_class, sizeof *box, 0);
  struct luge_acceptor *acceptor = luge__alloc_zeroed(L, sizeof *acceptor);
  acceptor->net = net;
  acceptor->max = max;
  acceptor->holds = 1;
  acceptor->closed = true;
  luge__list_init(&acceptor->link);
  luge__list_init(&acceptor->sockets);
  luge__list_init(&acceptor->takers);
  box->acceptor = acceptor;
  return acceptor;
}

/* The descriptor is the acceptor's from here on. */
static int open_poll(struct luge_acceptor *acceptor, int fd) {
  struct luge_net *net = acceptor->net;
  int status = uv_poll_init(net->host->loop, &acceptor->poll, fd);
  if (status != 0) {
    close(fd);
    return status;
  }
  acceptor->fd = fd;
  acceptor->poll.data = acceptor;
  acceptor->closed = false;
  acceptor->holds++;
  net->host->handles++;
  luge__list_append(&net->acceptors, &acceptor->link);
  return 0;
}

int luge__net_listen(lua_State *L) {
  const struct luge_targets *targets =
      luge__check_targets(L, 1, LUGE_OP_NET_LISTEN);
  int backlog = (int)luaL_checkinteger(L, 2);
  const struct sockaddr_storage *address = &targets->addresses[0];
  struct luge_acceptor *acceptor =
      push_acceptor(L, (unsigned)luaL_checkinteger(L, 3));
  acceptor->nodelay = lua_toboolean(L, 4);
  acceptor->keepalive = (unsigned)lua_tointeger(L, 5);
  int fd;
  int status = luge__net_bind((const struct sockaddr *)address,
                              luge__net_size(address), backlog, &fd);
  if (status == 0) {
    status = open_poll(acceptor, fd);
  }
  if (status != 0) {
    const struct sockaddr *any = (const struct sockaddr *)address;
    return raise_listen(L, status, luge__net_push_target(L, any));
  }
  return 1;
}

int luge__net_listen_path(lua_State *L) {
  size_t length;
  int backlog = (int)luaL_checkinteger(L, 2);
  const char *path = luge__net_permit_path(L, 1, &length);
  struct luge_acceptor *acceptor =
      push_acceptor(L, (unsigned)luaL_checkinteger(L, 3));
  acceptor->is_pipe = true;
  int fd;
  int status = luge__unix_listen(&acceptor->file, path, length, backlog, &fd);
  if (status == 0) {
    status = open_poll(acceptor, fd);
  }
  return status == 0 ? 1 : raise_listen(L, status, path);
}

void luge__acceptor_init(lua_State *L) {
  static const luaL_Reg methods[] = {{"accept", acceptor_accept},
                                     {"close", acceptor_close},
                                     {"count", acceptor_count},
                                     {"address", acceptor_address},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", acceptor_gc}, {NULL, NULL}};
  luge__class_init(L, &acceptor_class, methods, metamethods);
}
