/* The life of sockets, and reading; see net_socket.h. */
#include "net_socket.h"

#include <string.h>
#include <unistd.h>

#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "net_listen.h"

/* Bytes that are kept before reading pauses; milliseconds that a closed socket
 * has to send what was written. */
enum { MAX_KEPT = 1 << 17, LINGER = 5000 };

/* Waiting. */

int luge__socket_wait(lua_State *L, struct luge_task *task,
                      struct luge_socket *socket, struct luge_list *waiters,
                      const struct luge_wait_kind *kind) {
  luge__ref(socket->net->host);
  return luge__waiters_join(L, task, waiters, kind);
}

bool luge__socket_leave(struct luge_task *task) {
  luge__unref(task->host);
  return luge__waiters_leave(task);
}

void luge__net_wake(struct luge_net *net, struct luge_list *waiters) {
  while (luge__waiters_wake_one(waiters)) {
    luge__unref(net->host);
  }
}

/* The end. */

void luge__socket_let_go(struct luge_socket *socket) {
  if (--socket->holds == 0) {
    struct luge_host *host = socket->net->host;
    luge__realloc(host, socket->bytes, socket->length, 0);
    luge__realloc(host, socket, sizeof *socket, 0);
  }
}

static void on_closed(uv_handle_t *handle) {
  struct luge_socket *socket = handle->data;
  socket->net->host->handles--;
  if (handle == &socket->uv.handle && socket->acceptor != NULL) {
    luge__acceptor_left(socket);
  }
  luge__socket_let_go(socket);
}

static void hold(struct luge_socket *socket, void *handle) {
  ((uv_handle_t *)handle)->data = socket;
  socket->net->host->handles++;
  socket->holds++;
}

void luge__socket_destroy(struct luge_socket *socket) {
  if (socket->destroyed) {
    return;
  }
  socket->closing = socket->destroyed = true;
  luge__list_remove(&socket->link);
  luge__net_wake(socket->net, &socket->readers);
  luge__net_wake(socket->net, &socket->writers);
  uv_close(&socket->uv.handle, on_closed);
  if (socket->linger.data != NULL) {
    uv_close((uv_handle_t *)&socket->linger, on_closed);
  }
}

static void on_linger_over(uv_timer_t *timer) {
  luge__socket_destroy(timer->data);
}

void luge__socket_close(struct luge_socket *socket, bool discard) {
  if (socket->closing) {
    if (discard) {
      luge__socket_destroy(socket);
    }
    return;
  }
  socket->closing = true;
  if (discard || socket->write_error != 0 || luge__socket_unsent(socket) == 0) {
    luge__socket_destroy(socket);
    return;
  }
  uv_read_stop(&socket->uv.stream);
  luge__net_wake(socket->net, &socket->readers);
  luge__net_wake(socket->net, &socket->writers);
  uv_timer_init(socket->net->host->loop, &socket->linger);
  hold(socket, &socket->linger);
  uv_timer_start(&socket->linger, on_linger_over, LINGER, 0);
}

/* Reading. */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  struct luge_socket *socket = handle->data;
  (void)suggested;
  *buffer = uv_buf_init(socket->net->piece, LUGE_NET_PIECE);
}

static bool keep(struct luge_socket *socket, const char *bytes, size_t length) {
  char *grown = luge__realloc(socket->net->host, socket->bytes, socket->length,
                              socket->length + length);
  if (grown == NULL) {
    return false;
  }
  memcpy(grown + socket->length, bytes, length);
  socket->bytes = grown;
  socket->length += length;
  return true;
}

static void end(struct luge_socket *socket, int error) {
  socket->ended = true;
  socket->reading = false;
  socket->read_error = error;
  uv_read_stop(&socket->uv.stream);
  luge__net_wake(socket->net, &socket->readers);
}

static void on_read(uv_stream_t *stream, ssize_t count,
                    const uv_buf_t *buffer) {
  struct luge_socket *socket = stream->data;
  if (count < 0) {
    end(socket, count == UV_EOF ? 0 : (int)count);
  } else if (count > 0 && !keep(socket, buffer->base, (size_t)count)) {
    end(socket, UV_ENOMEM);
  } else if (count > 0) {
    if (socket->length >= MAX_KEPT) {
      socket->reading = false;
      uv_read_stop(stream);
    }
    luge__net_wake(socket->net, &socket->readers);
  }
}

void luge__socket_read_on(struct luge_socket *socket) {
  if (!socket->reading && !socket->ended && !socket->closing) {
    socket->reading = true;
    uv_read_start(&socket->uv.stream, on_room, on_read);
  }
}

/* The beginning. */

struct luge_socket *luge__socket_new(struct luge_net *net, bool is_pipe) {
  struct luge_host *host = net->host;
  struct luge_socket *socket = luge__realloc(host, NULL, 0, sizeof *socket);
  if (socket == NULL) {
    return NULL;
  }
  memset(socket, 0, sizeof *socket);
  socket->net = net;
  socket->is_pipe = is_pipe;
  luge__list_init(&socket->peer_link);
  luge__list_init(&socket->readers);
  luge__list_init(&socket->writers);
  luge__list_append(&net->sockets, &socket->link);
  if (is_pipe) {
    uv_pipe_init(host->loop, &socket->uv.pipe, 0);
  } else {
    uv_tcp_init(host->loop, &socket->uv.tcp);
  }
  hold(socket, &socket->uv.handle);
  return socket;
}

int luge__socket_adopt(struct luge_socket *socket, int fd) {
  int status = socket->is_pipe ? uv_pipe_open(&socket->uv.pipe, fd)
                               : uv_tcp_open(&socket->uv.tcp, fd);
  if (status != 0) {
    close(fd);
  }
  return status;
}

void luge__socket_set_peer(struct luge_socket *socket,
                           const struct sockaddr_storage *peer) {
  if (!socket->is_pipe) {
    memcpy(&socket->peer, peer, sizeof socket->peer);
  }
}
