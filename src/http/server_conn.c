/* A connection: reading requests, one at a time, and noticing that the client
 * has left; see server.h. */
#include <poll.h>

#include "../core/host.h"
#include "../core/wait.h"
#include "server.h"

/* What a client may still send after the answer, and for how long: one that is
 * in the middle of an upload has yet to hear of it. */
enum { MAX_LINGER_BYTES = 64 * 1024 * 1024, MAX_LINGER_MS = 5000 };

static void parse(struct luge__conn *c, const char *bytes, size_t len);

void luge__conn_free(struct luge__conn *c) {
  struct luge__server *s = c->server;
  luge__h1_free(&c->h1);
  luge__bytes_free(&c->ahead, &s->memory);
  luge__bytes_free(&c->body, &s->memory);
  luge__bytes_free(&c->out, &s->memory);
  luge__bytes_free(&c->flying, &s->memory);
  luge__realloc(s->host, c, sizeof *c, 0);
  luge__server_handle_closed(s);
}

/* A handler that still has the request must first be told that the client
 * left. */
static void on_close(uv_handle_t *handle) {
  struct luge__conn *c = handle->data;
  c->has_closed = true;
  if (c->request == NULL) {
    luge__conn_free(c);
  }
}

static void close_handle(struct luge__conn *c, bool reset) {
  c->phase = LUGE_CONN_CLOSED;
  luge__list_remove(&c->link);
  c->server->count--;
  if (!reset || c->server->is_pipe ||
      uv_tcp_close_reset(&c->stream.tcp, on_close) != 0) {
    uv_close(&c->stream.handle, on_close);
  }
  luge__server_accept_next(c->server);
}

static void drop(struct luge__conn *c, bool reset) {
  bool was_active = c->phase == LUGE_CONN_ACTIVE;
  if (c->phase == LUGE_CONN_CLOSED) {
    return;
  }
  close_handle(c, reset);
  if (!was_active) {
    return;
  }
  if (c->request != NULL) {
    luge__server_post(c); /* it ends when the handler has been told */
  } else {
    luge__list_remove(&c->event); /* nobody has taken it yet, or it was done */
    luge__server_request_ended(c->server);
  }
}

void luge__conn_drop(struct luge__conn *c) {
  drop(c, false);
}

void luge__conn_reset(struct luge__conn *c) {
  drop(c, true);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  struct luge__conn *c = handle->data;
  (void)suggested;
  *buf = uv_buf_init(c->server->buffer, LUGE_SERVER_BUFFER);
}

/* Ends the wait once more was thrown away than any client would still send. */
static void linger_on(struct luge__conn *c, size_t len) {
  c->lingered += len;
  if (c->lingered > MAX_LINGER_BYTES) {
    luge__conn_drop(c);
  }
}

/* The client will send no more: it has left, or at least nobody can tell. What
 * is complete is sent all the same. */
static void on_end(struct luge__conn *c) {
  if (c->phase == LUGE_CONN_ACTIVE && c->complete) {
    c->keep_alive = false;
    c->reading = false;
    uv_read_stop(&c->stream.stream);
  } else {
    luge__conn_drop(c);
  }
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  struct luge__conn *c = stream->data;
  if (nread == UV_EOF) {
    on_end(c);
  } else if (nread < 0) {
    luge__conn_drop(c);
  } else if (c->phase == LUGE_CONN_LINGER) {
    linger_on(c, (size_t)nread);
  } else if (nread > 0) {
    /* A head has its time from its first byte on, a body from its last. */
    bool was_idle = luge__h1_is_idle(&c->h1);
    parse(c, buf->base, (size_t)nread);
    if (c->phase == LUGE_CONN_ACTIVE ||
        (was_idle && !luge__h1_is_idle(&c->h1))) {
      c->since = uv_now(stream->loop);
    }
    luge__conn_update_reading(c);
  }
}

void luge__conn_update_reading(struct luge__conn *c) {
  bool wanted =
      c->ahead.len < LUGE_SERVER_AHEAD && c->body.len < LUGE_SERVER_BODY;
  if (c->phase == LUGE_CONN_CLOSED || wanted == c->reading) {
    return;
  }
  c->reading = wanted;
  if (!wanted) {
    uv_read_stop(&c->stream.stream);
  } else if (uv_read_start(&c->stream.stream, on_alloc, on_read) != 0) {
    luge__conn_drop(c);
  }
}

static void begin_request(struct luge__conn *c) {
  c->phase = LUGE_CONN_ACTIVE;
  c->keep_alive = c->h1.head.keep_alive;
  c->server->active++;
  luge__server_post(c);
}

static void on_bad_request(struct luge__conn *c) {
  if (c->phase == LUGE_CONN_HEAD) {
    luge__conn_refuse(c, c->h1.error, c->h1.reason);
  } else {
    c->body_error = c->h1.error; /* whoever reads it is told */
    luge__waiters_wake_all(&c->readers);
  }
}

static bool add_body(struct luge__conn *c, struct luge__h1_text piece) {
  luge__waiters_wake_all(&c->readers);
  return luge__bytes_append(&c->body, &c->server->memory, piece.ptr, piece.len);
}

static bool end_body(struct luge__conn *c, const char *ahead, size_t len) {
  c->body_complete = true;
  luge__waiters_wake_all(&c->readers);
  return luge__bytes_append(&c->ahead, &c->server->memory, ahead, len);
}

static void parse(struct luge__conn *c, const char *bytes, size_t len) {
  bool has_memory = true;
  while (has_memory && c->body_error == 0) {
    struct luge__h1_text piece;
    switch (luge__h1_next(&c->h1, &bytes, &len, &piece)) {
    case LUGE_H1_HEAD:
      begin_request(c);
      continue;
    case LUGE_H1_BODY:
      has_memory = add_body(c, piece);
      continue;
    case LUGE_H1_END:
      if (end_body(c, bytes, len)) {
        return;
      }
      break;
    case LUGE_H1_ERROR:
      on_bad_request(c);
      return;
    case LUGE_H1_MORE:
      return;
    case LUGE_H1_NO_MEMORY:
      break;
    }
    has_memory = false;
  }
  if (!has_memory) {
    luge__server_starve(c->server);
    luge__conn_drop(c);
  }
}

/* Starts the time for the next request, of which a part may be here already. */
static void next_request(struct luge__conn *c) {
  struct luge__bytes ahead = c->ahead;
  c->ahead = (struct luge__bytes){0};
  luge__bytes_free(&c->body, &c->server->memory);
  luge__h1_reset(&c->h1);
  c->phase = LUGE_CONN_HEAD;
  c->kept = true;
  c->since = uv_now(c->server->host->loop);
  c->body_complete = false;
  c->started = false;
  c->complete = false;
  parse(c, ahead.ptr, ahead.len);
  luge__bytes_free(&ahead, &c->server->memory);
  luge__conn_update_reading(c);
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  (void)request;
  (void)status; /* the other end is heard of by reading */
}

/* Says that there is no more to come, and reads on until the client closes: a
 * connection that is closed with bytes unread is reset, and the client might
 * lose the answer. */
static void linger(struct luge__conn *c) {
  c->phase = LUGE_CONN_LINGER;
  c->since = uv_now(c->server->host->loop);
  luge__h1_free(&c->h1);
  luge__bytes_free(&c->ahead, &c->server->memory);
  luge__bytes_free(&c->body, &c->server->memory);
  if (uv_shutdown(&c->request_to_uv.shutdown, &c->stream.stream, on_shutdown) !=
      0) {
    luge__conn_drop(c);
  } else {
    luge__conn_update_reading(c);
  }
}

bool luge__conn_is_spare(const struct luge__conn *c) {
  return c->phase == LUGE_CONN_HEAD && c->kept && luge__h1_is_idle(&c->h1);
}

void luge__conn_answered(struct luge__conn *c) {
  struct luge__server *s = c->server;
  if (c->keep_alive && c->body_complete && !s->stopped) {
    next_request(c);
    luge__server_accept_next(s); /* in its place, if a client waits */
  } else {
    linger(c);
  }
  luge__server_request_ended(s);
}

/* Whether the client has gone, while nothing is read from it. */
static bool has_hung_up(struct luge__conn *c) {
  bool hung_up = false;
#ifdef POLLRDHUP
  struct pollfd p = {.events = POLLRDHUP};
  hung_up = uv_fileno(&c->stream.handle, &p.fd) == 0 && poll(&p, 1, 0) > 0 &&
            (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
#else
  (void)c; /* it is noticed once somebody reads or writes */
#endif
  return hung_up;
}

static bool is_late(const struct luge__conn *c, uint64_t since, uint64_t now) {
  uint64_t limit = c->server->idle_timeout;
  return limit != 0 && now - since > limit;
}

/* Reading and writing have a time each: a client that sends on does not thereby
 * read. */
static void check_active(struct luge__conn *c, uint64_t now) {
  size_t unsent = luge__conn_unsent(c);
  if (unsent < c->unsent) {
    c->sent = now;
  }
  c->unsent = unsent;
  bool blind = !c->reading && !c->complete;
  if ((unsent > 0 && is_late(c, c->sent, now)) || (blind && has_hung_up(c))) {
    luge__conn_drop(c);
  } else if (is_late(c, c->since, now) && !luge__list_empty(&c->readers)) {
    c->timed_out = true;
    luge__waiters_wake_all(&c->readers);
  }
}

void luge__conn_check_time(struct luge__conn *c, uint64_t now) {
  switch (c->phase) {
  case LUGE_CONN_HEAD:
    if (!is_late(c, c->since, now)) {
      break;
    }
    if (luge__h1_is_idle(&c->h1)) {
      luge__conn_drop(c);
    } else {
      luge__conn_refuse(c, 408, "the request took too long");
    }
    break;
  case LUGE_CONN_ACTIVE:
    check_active(c, now);
    break;
  case LUGE_CONN_LINGER:
    if (now - c->since > MAX_LINGER_MS) {
      luge__conn_drop(c);
    }
    break;
  default:
    break;
  }
}

static int open_stream(struct luge__conn *c) {
  struct luge__server *s = c->server;
  return s->is_pipe ? uv_pipe_init(s->host->loop, &c->stream.pipe, 0)
                    : uv_tcp_init(s->host->loop, &c->stream.tcp);
}

bool luge__conn_accept(struct luge__server *s) {
  struct luge__conn *c = luge__realloc(s->host, NULL, 0, sizeof *c);
  if (c == NULL) {
    return false;
  }
  *c = (struct luge__conn){.server = s, .since = uv_now(s->host->loop)};
  luge__h1_init(&c->h1, s->memory, &s->limits);
  luge__list_init(&c->event);
  luge__list_init(&c->readers);
  luge__list_init(&c->writers);
  if (open_stream(c) != 0) {
    luge__realloc(s->host, c, sizeof *c, 0);
    return false;
  }
  c->stream.handle.data = c;
  luge__list_append(&s->connections, &c->link);
  s->handles++;
  s->count++;
  if (uv_accept(&s->listener.stream, &c->stream.stream) != 0) {
    luge__conn_drop(c); /* it has gone already, or there is none */
    return true;
  }
  if (!s->is_pipe) {
    uv_tcp_nodelay(&c->stream.tcp, 1); /* an event is sent when it is made */
  }
  luge__conn_update_reading(c);
  return true;
}
