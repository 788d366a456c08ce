/* Writing to sockets; see net_socket.h. */
#include <string.h>

#include "../core/wait.h"
#include "net_socket.h"

/* A writer waits once more than HIGH bytes are queued, until LOW are left. */
enum { HIGH = 1 << 16, LOW = 1 << 14 };

struct write {
  uv_write_t request;
  struct luge_socket *socket;
  size_t length;
  char bytes[];
};

size_t luge__socket_unsent(const struct luge_socket *socket) {
  return uv_stream_get_write_queue_size(&socket->uv.stream);
}

bool luge__socket_is_full(const struct luge_socket *socket) {
  return luge__socket_unsent(socket) > HIGH;
}

static void on_written(uv_write_t *request, int status) {
  struct write *write = luge__container(request, struct write, request);
  struct luge_socket *socket = write->socket;
  luge__realloc(socket->net->host, write, sizeof *write + write->length, 0);
  if (status != 0 && status != UV_ECANCELED && socket->write_error == 0) {
    socket->write_error = status;
  }
  size_t unsent = luge__socket_unsent(socket);
  if (unsent <= LOW || socket->write_error != 0) {
    luge__net_wake(socket->net, &socket->writers);
  }
  if (socket->closing && (unsent == 0 || socket->write_error != 0)) {
    luge__socket_destroy(socket);
  }
  luge__socket_let_go(socket);
}

static int queue(struct luge_socket *socket, const char *bytes, size_t length) {
  struct luge_host *host = socket->net->host;
  struct write *write = luge__realloc(host, NULL, 0, sizeof *write + length);
  if (write == NULL) {
    return UV_ENOMEM;
  }
  write->socket = socket;
  write->length = length;
  memcpy(write->bytes, bytes, length);
  uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned)length);
  int status =
      uv_write(&write->request, &socket->uv.stream, &buffer, 1, on_written);
  if (status == 0) {
    socket->holds++;
  } else {
    luge__realloc(host, write, sizeof *write + length, 0);
  }
  return status;
}

int luge__socket_write(struct luge_socket *socket, const char *bytes,
                       size_t length) {
  uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)length);
  int sent = length > 0 ? uv_try_write(&socket->uv.stream, &buffer, 1) : 0;
  if (sent == UV_EAGAIN) {
    sent = 0;
  }
  int status = sent < 0 ? sent : 0;
  if (status == 0 && (size_t)sent < length) {
    status = queue(socket, bytes + sent, length - (size_t)sent);
  }
  if (status != 0 && status != UV_ENOMEM) {
    socket->write_error = status;
  }
  return status;
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  struct luge_socket *socket = request->handle->data;
  socket->shut_done = true;
  if (status != 0 && status != UV_ECANCELED && status != UV_ENOTCONN &&
      socket->write_error == 0) {
    socket->write_error = status;
  }
  luge__net_wake(socket->net, &socket->writers);
  luge__socket_let_go(socket);
}

int luge__socket_shutdown(struct luge_socket *socket) {
  if (socket->shut) {
    return 0;
  }
  int status =
      uv_shutdown(&socket->request.shutdown, &socket->uv.stream, on_shutdown);
  socket->shut = true;
  if (status == 0) {
    socket->holds++;
  } else {
    socket->shut_done = true;
  }
  return status == UV_ENOTCONN ? 0 : status;
}
