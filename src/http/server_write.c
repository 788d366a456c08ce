/* Writing to a connection: at once what the socket takes, the rest when it
 * can; see server.h. */
#include <stdio.h>
#include <string.h>

#include "../core/host.h"
#include "../core/wait.h"
#include "server.h"

size_t luge__conn_unsent(const struct luge__conn *c) {
  return c->out.len + (c->writing ? c->stream.stream.write_queue_size : 0);
}

static void start_write(struct luge__conn *c);

static void on_write(uv_write_t *request, int status) {
  struct luge__conn *c = request->handle->data;
  c->writing = false;
  luge__bytes_free(&c->flying, &c->server->memory);
  if (c->phase == LUGE_CONN_CLOSED) {
    return;
  }
  if (status != 0) {
    luge__conn_drop(c);
    return;
  }
  c->sent = uv_now(c->server->host->loop);
  if (c->out.len > 0) {
    start_write(c);
  }
  if (luge__conn_unsent(c) < LUGE_SERVER_OUT) {
    luge__waiters_wake_all(&c->writers);
  }
  if (c->complete && !c->writing) {
    luge__conn_answered(c);
  }
}

static void start_write(struct luge__conn *c) {
  c->flying = c->out;
  c->out = (struct luge__bytes){0};
  uv_buf_t buf = uv_buf_init(c->flying.ptr, (unsigned)c->flying.len);
  c->writing = true;
  if (uv_write(&c->request_to_uv.write, &c->stream.stream, &buf, 1, on_write) !=
      0) {
    c->writing = false;
    luge__conn_drop(c);
  }
}

/* Queues what is left of the buffers after `skip` bytes. */
static bool queue(struct luge__conn *c, const uv_buf_t *bufs, unsigned n,
                  size_t skip) {
  for (unsigned i = 0; i < n; i++) {
    size_t gone = skip < bufs[i].len ? skip : bufs[i].len;
    skip -= gone;
    if (!luge__bytes_append(&c->out, &c->server->memory, bufs[i].base + gone,
                            bufs[i].len - gone)) {
      return false;
    }
  }
  return true;
}

bool luge__conn_send(struct luge__conn *c, const uv_buf_t *bufs, unsigned n) {
  int written = 0;
  if (!c->writing) {
    written = uv_try_write(&c->stream.stream, bufs, n);
    if (written < 0 && written != UV_EAGAIN) {
      luge__conn_drop(c);
      return false;
    }
    c->sent = uv_now(c->server->host->loop);
  }
  if (!queue(c, bufs, n, written > 0 ? (size_t)written : 0)) {
    luge__conn_drop(c);
    return false;
  }
  if (!c->writing && c->out.len > 0) {
    start_write(c);
  }
  return c->phase != LUGE_CONN_CLOSED;
}

bool luge__conn_send_piece(struct luge__conn *c, const char *bytes,
                           size_t len) {
  if (len == 0) {
    return true; /* an empty chunk would be the last */
  }
  char size[24];
  int size_len = snprintf(size, sizeof size, "%zx\r\n", len);
  uv_buf_t bufs[3] = {uv_buf_init(size, (unsigned)size_len),
                      uv_buf_init((char *)bytes, (unsigned)len),
                      uv_buf_init((char *)"\r\n", 2)};
  return c->framing == LUGE_FRAMING_CHUNKED ? luge__conn_send(c, bufs, 3)
                                            : luge__conn_send(c, bufs + 1, 1);
}

void luge__conn_finish(struct luge__conn *c) {
  uv_buf_t last = uv_buf_init((char *)"0\r\n\r\n", 5);
  if (c->framing == LUGE_FRAMING_CHUNKED && !luge__conn_send(c, &last, 1)) {
    return;
  }
  c->complete = true;
  if (!c->writing) {
    luge__conn_answered(c);
  }
}

void luge__conn_refuse(struct luge__conn *c, int status, const char *reason) {
  c->phase = LUGE_CONN_ACTIVE; /* for the time that it takes to say so */
  c->server->active++;
  c->keep_alive = false;
  c->framing = LUGE_FRAMING_LENGTH;
  char body[128];
  int len = snprintf(body, sizeof body, "%d %s: %s\n", status,
                     luge__status_text(status), reason);
  static const char type[] = "text/plain; charset=utf-8";
  if (!luge__head_begin(c, status, (uint64_t)len, false) ||
      !luge__head_add(c, "Content-Type", 12, type, sizeof type - 1) ||
      !luge__head_end(c)) {
    luge__conn_drop(c);
    return;
  }
  struct luge__bytes *head = &c->server->head;
  uv_buf_t bufs[2] = {uv_buf_init(head->ptr, (unsigned)head->len),
                      uv_buf_init(body, (unsigned)len)};
  if (luge__conn_send(c, bufs, luge__conn_is_to_head(c) ? 1 : 2)) {
    luge__conn_finish(c);
  }
}
