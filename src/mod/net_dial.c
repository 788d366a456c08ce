/* Connecting to one of several addresses (RFC 8305): they are tried in their
 * order, the next one when the last has failed or has said nothing for a
 * quarter of a second; the first that answers wins, and the others are closed.
 *
 * A dial is malloc'ed: it is freed when its task has what it wanted, or was
 * cancelled, and all its handles have closed. */
#include "net_dial.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/error.h"
#include "../core/permission.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "../net/descriptor.h"
#include "../net/unix.h"
#include "net_address.h"
#include "net_socket.h"

enum { NEXT_AFTER = 250 }; /* milliseconds: RFC 8305, 5 */

struct luge_dial {
  struct luge_net *net;
  struct luge_task *task; /* NULL: cancelled */
  uv_timer_t timer;
  struct luge_list link;       /* in net->dials */
  struct luge_list attempts;   /* luge_socket.peer_link */
  struct luge_socket_box *box; /* on the task's stack: the winner's */
  bool awaited;                /* the task has its hold */
  unsigned holds; /* the task's, the timer's, one for each attempt */
  unsigned alive; /* attempts that may still succeed */
  unsigned next;  /* the address to be tried next */
  int error;      /* of the last that failed, and its place */
  unsigned failed;
  bool nodelay;
  unsigned keepalive;
  unsigned count;
  struct sockaddr_storage addresses[];
};

static void let_go(struct luge_dial *dial) {
  if (--dial->holds == 0) {
    luge__list_remove(&dial->link);
    luge__realloc(dial->net->host, dial,
                  sizeof *dial + dial->count * sizeof *dial->addresses, 0);
  }
}

/* The task has its connection, or was cancelled. */
static void forget_task(struct luge_dial *dial) {
  if (dial->awaited) {
    dial->awaited = false;
    dial->task = NULL;
    let_go(dial);
  }
}

static void on_timer_closed(uv_handle_t *timer) {
  struct luge_dial *dial = timer->data;
  dial->net->host->handles--;
  let_go(dial);
}

/* Nothing is tried any more. */
static void stop(struct luge_dial *dial) {
  dial->next = dial->count;
  while (!luge__list_empty(&dial->attempts)) {
    struct luge_socket *socket =
        luge__container(dial->attempts.next, struct luge_socket, peer_link);
    luge__list_remove(&socket->peer_link);
    luge__socket_destroy(socket);
  }
  if (!uv_is_closing((uv_handle_t *)&dial->timer)) {
    uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
  }
}

static void finish(struct luge_dial *dial) {
  struct luge_task *task = dial->task;
  stop(dial);
  if (task != NULL) {
    luge__unref(dial->net->host);
    luge__wake(task);
  }
}

static void try_next(struct luge_dial *dial);

static void on_connected(uv_connect_t *request, int status) {
  struct luge_socket *socket = request->handle->data;
  struct luge_dial *dial = socket->dial;
  socket->dial = NULL;
  dial->alive--;
  luge__list_remove(&socket->peer_link);
  if (status == 0 && dial->task != NULL && dial->box->socket == NULL) {
    dial->box->socket = socket;
    socket->holds++;
    finish(dial);
  } else if (!socket->destroyed) {
    dial->error = status;
    luge__socket_destroy(socket);
    try_next(dial);
  }
  let_go(dial);
}

/* 0: it is under way. */
static int attempt(struct luge_dial *dial,
                   const struct sockaddr_storage *address) {
  struct luge_socket *socket = luge__socket_new(dial->net, false);
  if (socket == NULL) {
    return UV_ENOMEM;
  }
  int status = uv_tcp_connect(&socket->request.connect, &socket->uv.tcp,
                              (const struct sockaddr *)address, on_connected);
  if (status != 0) {
    luge__socket_destroy(socket);
    return status;
  }
  luge__socket_set_peer(socket, address);
  uv_tcp_nodelay(&socket->uv.tcp, dial->nodelay);
  if (dial->keepalive > 0) {
    uv_tcp_keepalive(&socket->uv.tcp, 1, dial->keepalive);
  }
  socket->dial = dial;
  luge__list_append(&dial->attempts, &socket->peer_link);
  dial->alive++;
  dial->holds++;
  return 0;
}

static void on_timer(uv_timer_t *timer) {
  try_next(timer->data);
}

static void try_next(struct luge_dial *dial) {
  int status = -1;
  while (status != 0 && dial->next < dial->count) {
    dial->failed = dial->next;
    status = attempt(dial, &dial->addresses[dial->next++]);
    dial->error = status != 0 ? status : dial->error;
  }
  if (dial->next < dial->count) {
    uv_timer_start(&dial->timer, on_timer, NEXT_AFTER, 0);
  } else if (dial->alive == 0 && dial->box->socket == NULL) {
    finish(dial);
  }
}

/* In the task. The box is at index 4. */
static int on_finished(lua_State *L, struct luge_task *task, int base) {
  struct luge_dial *dial = task->wait.data;
  const struct luge_socket_box *box = lua_touserdata(L, 4);
  struct sockaddr_storage address = dial->addresses[dial->failed];
  int error = dial->error;
  (void)base;
  forget_task(dial);
  if (box->socket != NULL) {
    lua_settop(L, 4);
    return 1;
  }
  return luge__net_raise(L, error, "connect",
                         luge__net_push_target(L, (struct sockaddr *)&address));
}

static void give_up(struct luge_dial *dial) {
  stop(dial);
  forget_task(dial);
}

static bool leave(struct luge_task *task) {
  luge__unref(task->host);
  give_up(task->wait.data);
  return true;
}

void luge__dials_stop(struct luge_net *net) {
  struct luge_list *at, *next;
  for (at = net->dials.next; at != &net->dials; at = next) {
    struct luge_dial *dial = luge__container(at, struct luge_dial, link);
    next = at->next;
    luge__list_remove(at);
    give_up(dial);
  }
}

static struct luge_dial *new_dial(lua_State *L,
                                  const struct luge_targets *targets) {
  struct luge_net *net = luge__net(L);
  size_t addresses = targets->count * sizeof *targets->addresses;
  struct luge_dial *dial = luge__alloc(L, sizeof *dial + addresses);
  memset(dial, 0, sizeof *dial);
  dial->net = net;
  dial->count = targets->count;
  dial->awaited = true;
  dial->holds = 2;
  memcpy(dial->addresses, targets->addresses, addresses);
  luge__list_init(&dial->attempts);
  luge__list_append(&net->dials, &dial->link);
  uv_timer_init(net->host->loop, &dial->timer);
  dial->timer.data = dial;
  net->host->handles++;
  return dial;
}

int luge__net_dial(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "a connection", .cancel = leave, .finish = on_finished};
  const struct luge_targets *targets =
      luge__check_targets(L, 1, LUGE_OP_NET_CONNECT);
  lua_settop(L, 3);
  luge__connection_new(L);
  struct luge_task *task = luge__enter(L);
  struct luge_dial *dial = new_dial(L, targets);
  dial->box = lua_touserdata(L, 4);
  dial->nodelay = lua_toboolean(L, 2);
  dial->keepalive = (unsigned)lua_tointeger(L, 3);
  try_next(dial);
  task->wait.data = dial;
  if (uv_is_closing((uv_handle_t *)&dial->timer)) { /* all failed at once */
    return on_finished(L, task, 4);
  }
  dial->task = task;
  luge__ref(task->host);
  return luge__suspend(L, task, &kind);
}

/* UNIX sockets: they connect at once, or never. */

static int connect_path(const struct luge_unix_target *target, int *fd) {
  *fd = luge__descriptor_open(AF_UNIX);
  if (*fd < 0) {
    return uv_translate_sys_error(errno);
  }
  int status = 0;
  do {
    status =
        connect(*fd, (const struct sockaddr *)&target->address, target->size);
  } while (status != 0 && errno == EINTR);
  if (status != 0) {
    status = uv_translate_sys_error(errno);
    close(*fd);
  }
  return status;
}

static int dial_path(const struct luge_host *host, const char *path,
                     size_t length, int *fd) {
  struct luge_unix_target target;
  int error = luge__unix_aim(&target, host, path, length);
  int status =
      error != 0 ? uv_translate_sys_error(error) : connect_path(&target, fd);
  if (target.held >= 0) {
    close(target.held);
  }
  return status;
}

int luge__net_dial_path(lua_State *L) {
  struct sockaddr_un address;
  struct luge_net *net = luge__net(L);
  size_t length;
  luaL_checklstring(L, 1, &length);
  const char *path = luge__net_permit_path(L, 1, &length);
  if (luge__unix_address(&address, path, length) == 0) {
    return luge__raise(L, "invalid", "the path of a UNIX socket is too long");
  }
  struct luge_socket_box *box = luge__connection_new(L);
  int fd = -1;
  int status = dial_path(luge__host(L), path, length, &fd);
  if (status != 0) {
    return luge__net_raise(L, status, "connect", path);
  }
  struct luge_socket *socket = luge__socket_new(net, true);
  if (socket == NULL) {
    close(fd);
    return luge__raise_memory(L);
  }
  socket->holds++;
  box->socket = socket;
  status = luge__socket_adopt(socket, fd);
  return status == 0 ? 1 : luge__net_raise(L, status, "connect", path);
}
