/* The HTTP/1.x server, below Lua: sockets, parsing, writing, time limits.
 *
 * A server owns its listener and its connections. What happens on them is
 * queued as events (a request came; its client left), which one task takes
 * with `next` (server_lua.c) and gives to handlers. No callback of libuv runs
 * Lua. Everything here runs on the host's loop thread.
 *
 * A connection serves one request at a time; while it does, it goes on reading,
 * so as to see the client leave, up to small limits. Connections come from the
 * host's allocator, and are freed in libuv's close callback or, if a request of
 * theirs is still being handled, when that has been given up. The server is
 * freed when all handles have closed and Lua has let go of it, whichever comes
 * last. */
#ifndef LUGE_HTTP_SERVER_H
#define LUGE_HTTP_SERVER_H

#include <lua.h>
#include <stdbool.h>
#include <uv.h>

#include "../core/list.h"
#include "../net/unix.h"
#include "h1.h"

struct luge_host;
struct luge_task;
struct luge__request;

enum {
  LUGE_SERVER_BUFFER = 64 * 1024, /* bytes read at once */
  LUGE_SERVER_AHEAD = 64 * 1024,  /* kept of requests sent ahead */
  LUGE_SERVER_BODY = 128 * 1024,  /* kept of a body that nobody reads */
  LUGE_SERVER_OUT = 64 * 1024     /* queued before a writer waits */
};

union luge__server_stream {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

struct luge__server {
  struct luge_host *host;
  struct luge__memory memory;
  union luge__server_stream listener;
  struct luge_unix_file file; /* of a listener that is a pipe */
  uv_timer_t sweep;           /* looks for connections whose time is up */
  bool sweeping; /* the timer is open, and the host counts on the server */
  bool is_pipe;
  bool listening;
  bool
      accept_waits; /* a client waits until a connection closes: none is kept */
  bool starved;     /* there was no memory for a client */
  bool stopped;     /* takes no more requests */
  bool destroyed;
  bool in_lua;      /* its userdata lives */
  unsigned handles; /* open: the listener, the timer, the connections */
  unsigned count;   /* connections */
  unsigned max_count;
  unsigned active;       /* requests not yet answered to the last byte */
  uint64_t idle_timeout; /* milliseconds; 0: none */
  struct luge__h1_limits limits;
  struct luge_list connections;
  struct luge_list events;   /* luge__conn.event */
  struct luge_list takers;   /* tasks that wait for an event */
  struct luge_list drainers; /* tasks that wait for fewer active */
  struct luge__bytes head;   /* scratch, to build a response's head in */
  time_t date_of;
  char date[48];
  char buffer[LUGE_SERVER_BUFFER];
};

enum luge__conn_phase {
  LUGE_CONN_HEAD,   /* waits for a request, or reads its head */
  LUGE_CONN_ACTIVE, /* a request is being handled or answered */
  LUGE_CONN_LINGER, /* said all there was to say; waits for the other end */
  LUGE_CONN_CLOSED  /* uv_close was called */
};

enum luge__framing {
  LUGE_FRAMING_NONE,    /* no body: 204, 304, HEAD */
  LUGE_FRAMING_LENGTH,  /* Content-Length */
  LUGE_FRAMING_CHUNKED, /* chunks */
  LUGE_FRAMING_CLOSE    /* up to the end of the connection: HTTP/1.0 */
};

struct luge__conn {
  union luge__server_stream stream;
  struct luge__server *server;
  struct luge_list link;  /* in server->connections */
  struct luge_list event; /* in server->events */
  struct luge__h1 h1;
  struct luge__bytes ahead;      /* read beyond the request in progress */
  struct luge__bytes body;       /* decoded, and not yet read by the handler */
  struct luge__bytes out;        /* to be written after what flies */
  struct luge__bytes flying;     /* libuv writes it */
  struct luge__request *request; /* its userdata, while the handler may act */
  struct luge_list readers;      /* tasks */
  struct luge_list writers;      /* tasks */
  uint64_t since;                /* loop time of the last progress of reading */
  uint64_t sent;                 /* and of writing */
  size_t lingered;               /* bytes thrown away */
  size_t unsent;                 /* when progress of writing was looked at */
  int body_error;                /* an HTTP status: what is wrong with it */
  uint8_t phase;                 /* enum luge__conn_phase */
  uint8_t framing;               /* enum luge__framing, of the response */
  bool has_closed;               /* the close callback has been called */
  bool reading;
  bool writing;
  bool body_complete;
  bool timed_out; /* the body did not come on */
  bool keep_alive;
  bool kept;     /* it has answered a request */
  bool started;  /* the response's head was sent */
  bool complete; /* the response was handed over to its end */
  union {
    uv_write_t write;
    uv_shutdown_t shutdown;
  } request_to_uv;
};

/* server.c */
void luge__server_init(struct luge__server *s, struct luge_host *host);
int luge__server_listen_tcp(struct luge__server *s,
                            const struct sockaddr *address);
int luge__server_listen_pipe(struct luge__server *s, const char *path,
                             size_t length);
int luge__server_port(const struct luge__server *s);

/* Takes no more connections, and closes those that wait for a request. */
void luge__server_stop(struct luge__server *s);

/* Closes everything at once. May be called twice. */
void luge__server_destroy(struct luge__server *s);

/* Lua has let go of it. */
void luge__server_release(struct luge__server *s);

/* A handle has closed; frees the server after the last one. */
void luge__server_handle_closed(struct luge__server *s);

/* A connection was closed: another one may come in its place. */
void luge__server_accept_next(struct luge__server *s);

/* There is no memory for a client. Garbage may be all that is in its way, and
 * where no Lua runs, nothing collects it: the taker of events does. */
void luge__server_starve(struct luge__server *s);

/* The connection has something to tell the taker of events. */
void luge__server_post(struct luge__conn *c);

/* A request is over, in whatever way. */
void luge__server_request_ended(struct luge__server *s);

/* server_conn.c */

/* Accepts the connection that libuv has ready. False: out of memory. */
bool luge__conn_accept(struct luge__server *s);

/* Whether it is idle: kept only in case its client sends another request. */
bool luge__conn_is_spare(const struct luge__conn *c);

/* The client left, or the connection is given up: closes it, and tells the
 * handler of the request in progress. */
void luge__conn_drop(struct luge__conn *c);

/* As above, and the client sees a reset instead of an orderly end. */
void luge__conn_reset(struct luge__conn *c);

/* Frees a connection that has closed, and has no request. */
void luge__conn_free(struct luge__conn *c);

/* Goes on reading, or stops, as the buffers allow. */
void luge__conn_update_reading(struct luge__conn *c);

/* The response is complete and sent: on to the next request, or the end. */
void luge__conn_answered(struct luge__conn *c);

/* Looks whether its time is up; `now` is the loop's. */
void luge__conn_check_time(struct luge__conn *c, uint64_t now);

/* server_write.c */

/* Sends, or queues what the socket does not take. False: the connection is
 * dropped. */
bool luge__conn_send(struct luge__conn *c, const uv_buf_t *bufs, unsigned n);

/* Sends a piece of the response's body, framed. */
bool luge__conn_send_piece(struct luge__conn *c, const char *bytes, size_t len);

/* Ends the response; the handler has no more to do with the connection. */
void luge__conn_finish(struct luge__conn *c);

/* Bytes that the socket has not yet taken. */
size_t luge__conn_unsent(const struct luge__conn *c);

/* Answers in the handler's place, and closes. */
void luge__conn_refuse(struct luge__conn *c, int status, const char *reason);

/* server_head.c */

/* Starts a response's head in server->head: the status line and the fields
 * that are ours. False: out of memory. */
bool luge__head_begin(struct luge__conn *c, int status, uint64_t length,
                      bool has_date);

/* Adds a field. False: out of memory. */
bool luge__head_add(struct luge__conn *c, const char *name, size_t name_len,
                    const char *value, size_t value_len);

/* Adds the empty line. False: out of memory. */
bool luge__head_end(struct luge__conn *c);

/* Whether the request is a HEAD, of which the answer is only a head. */
bool luge__conn_is_to_head(const struct luge__conn *c);

/* "Not Found" for 404; "" for what has no name. */
const char *luge__status_text(int status);

#endif
