/* The listener and the life of a server; see server.h. */
#include "server.h"

#include <string.h>
#include <unistd.h>

#include "../core/host.h"
#include "../core/sched.h"
#include "../core/wait.h"

enum { BACKLOG = 1024, MIN_SWEEP = 20, MAX_SWEEP = 1000 };

static void *allocate(void *ud, void *block, size_t old_size, size_t new_size) {
  return luge__realloc(ud, block, old_size, new_size);
}

void luge__server_init(struct luge__server *s, struct luge_host *host) {
  memset(s, 0, offsetof(struct luge__server, buffer));
  s->host = host;
  s->memory = (struct luge__memory){allocate, host};
  s->in_lua = true;
  luge__list_init(&s->connections);
  luge__list_init(&s->events);
  luge__list_init(&s->takers);
  luge__list_init(&s->drainers);
}

static void free_if_unused(struct luge__server *s) {
  if (s->handles == 0 && !s->in_lua) {
    luge__bytes_free(&s->head, &s->memory);
    luge__realloc(s->host, s, sizeof *s, 0);
  }
}

void luge__server_handle_closed(struct luge__server *s) {
  s->handles--;
  free_if_unused(s);
}

void luge__server_release(struct luge__server *s) {
  luge__server_destroy(s);
  s->in_lua = false;
  free_if_unused(s);
}

static void on_close(uv_handle_t *handle) {
  luge__server_handle_closed(handle->data);
}

static bool has_room(const struct luge__server *s) {
  return s->count < s->max_count;
}

/* As long as the connection is not accepted, libuv does not listen for more:
 * further clients wait in the system's queue, and nothing spins. Where the
 * process has no descriptors left, libuv takes clients off the queue with one
 * that it keeps in reserve, and closes them. */
static void on_connection(uv_stream_t *listener, int status) {
  struct luge__server *s = listener->data;
  if (status != 0) {
    return;
  }
  s->accept_waits = true;
  luge__server_accept_next(s);
}

/* Closes the oldest of the idle connections. */
static void make_room(struct luge__server *s) {
  for (struct luge_list *link = s->connections.next; link != &s->connections;
       link = link->next) {
    struct luge__conn *c = luge__container(link, struct luge__conn, link);
    if (luge__conn_is_spare(c)) {
      luge__conn_drop(c); /* which accepts the next */
      return;
    }
  }
}

void luge__server_accept_next(struct luge__server *s) {
  if (!s->accept_waits || !s->listening) {
    return;
  }
  if (!has_room(s)) {
    make_room(s);
  } else {
    s->accept_waits = false;
    if (!luge__conn_accept(s)) {
      s->accept_waits = true;
      luge__server_starve(s);
    }
  }
}

void luge__server_starve(struct luge__server *s) {
  s->starved = true;
  luge__waiters_wake_one(&s->takers);
}

static void on_sweep(uv_timer_t *timer) {
  struct luge__server *s = timer->data;
  uint64_t now = uv_now(timer->loop);
  struct luge_list *link = s->connections.next, *next;
  for (; link != &s->connections; link = next) {
    next = link->next;
    luge__conn_check_time(luge__container(link, struct luge__conn, link), now);
  }
  luge__server_accept_next(s); /* if there was no memory for it */
}

static void start_sweep(struct luge__server *s) {
  uint64_t period = s->idle_timeout / 4;
  if (period < MIN_SWEEP) {
    period = MIN_SWEEP;
  }
  if (period > MAX_SWEEP || s->idle_timeout == 0) {
    period = MAX_SWEEP;
  }
  uv_timer_init(s->host->loop, &s->sweep);
  s->sweep.data = s;
  s->sweeping = true;
  s->handles++;
  uv_timer_start(&s->sweep, on_sweep, period, period);
}

/* The listener's handle is open: listens, or closes it again. */
static int listen_on(struct luge__server *s, int status) {
  s->listener.handle.data = s;
  s->handles++;
  if (status == 0) {
    status = uv_listen(&s->listener.stream, BACKLOG, on_connection);
  }
  if (status != 0) {
    uv_close(&s->listener.handle, on_close);
    return status;
  }
  s->listening = true;
  luge__ref_listener(s->host);
  start_sweep(s);
  return 0;
}

int luge__server_listen_tcp(struct luge__server *s,
                            const struct sockaddr *address) {
  int status = uv_tcp_init(s->host->loop, &s->listener.tcp);
  return status != 0 ? status
                     : listen_on(s, uv_tcp_bind(&s->listener.tcp, address, 0));
}

/* Not by uv_pipe_bind, which cuts off what is too long of a path. */
int luge__server_listen_pipe(struct luge__server *s, const char *path,
                             size_t length) {
  int fd;
  int status = luge__unix_listen(&s->file, path, length, BACKLOG, &fd);
  if (status != 0) {
    return status;
  }
  s->is_pipe = true;
  status = uv_pipe_init(s->host->loop, &s->listener.pipe, 0);
  int opened = status != 0 ? status : uv_pipe_open(&s->listener.pipe, fd);
  if (opened != 0) {
    close(fd);
  }
  if (status == 0) {
    status = listen_on(s, opened);
  }
  if (status != 0) {
    luge__unix_remove(&s->file);
  }
  return status;
}

int luge__server_port(const struct luge__server *s) {
  struct sockaddr_storage name;
  int len = sizeof name;
  if (s->is_pipe || uv_tcp_getsockname(&s->listener.tcp,
                                       (struct sockaddr *)&name, &len) != 0) {
    return 0;
  }
  return ntohs(name.ss_family == AF_INET6
                   ? ((struct sockaddr_in6 *)&name)->sin6_port
                   : ((struct sockaddr_in *)&name)->sin_port);
}

static void stop_listening(struct luge__server *s) {
  if (s->listening) {
    s->listening = false;
    luge__unix_remove(&s->file);
    uv_close(&s->listener.handle, on_close);
  }
}

static void drop_connections(struct luge__server *s, bool also_active) {
  struct luge_list *link = s->connections.next, *next;
  for (; link != &s->connections; link = next) {
    next = link->next;
    struct luge__conn *c = luge__container(link, struct luge__conn, link);
    if (also_active || c->phase != LUGE_CONN_ACTIVE) {
      luge__conn_drop(c);
    }
  }
}

/* Wakes all drainers: each looks for itself whether there are few enough
 * requests. */
static void wake_drained(struct luge__server *s) {
  luge__waiters_wake_all(&s->drainers);
  if (s->stopped && s->active == 0) {
    luge__waiters_wake_all(&s->takers);
  }
}

void luge__server_stop(struct luge__server *s) {
  if (!s->stopped) {
    s->stopped = true;
    stop_listening(s);
    drop_connections(s, false);
    wake_drained(s);
  }
}

void luge__server_destroy(struct luge__server *s) {
  if (s->destroyed) {
    return;
  }
  s->destroyed = true;
  luge__server_stop(s);
  drop_connections(s, true);
  luge__waiters_wake_all(&s->takers);
  luge__waiters_wake_all(&s->drainers);
  if (s->sweeping) {
    uv_close((uv_handle_t *)&s->sweep, on_close);
    luge__unref_listener(s->host);
  }
}

void luge__server_post(struct luge__conn *c) {
  luge__list_append(&c->server->events, &c->event);
  luge__waiters_wake_one(&c->server->takers);
}

void luge__server_request_ended(struct luge__server *s) {
  s->active--;
  wake_drained(s);
}
