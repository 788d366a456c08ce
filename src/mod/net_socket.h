/* Sockets: connections over TCP and UNIX sockets. The struct belongs to libuv
 * as long as its handle is open, and to a small userdata that scripts have:
 * whoever lets go last frees it. What comes is kept until it is read, up to a
 * limit beyond which nothing more is read; what is written goes out at once, or
 * is queued, and whoever writes waits when that is too much. Closing lets what
 * is queued go out, for some seconds. Loop thread only. */
#ifndef LUGE_MOD_NET_SOCKET_H
#define LUGE_MOD_NET_SOCKET_H

#include <lua.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <uv.h>

#include "../core/host.h"
#include "../core/list.h"

struct luge_dial;
struct luge_acceptor;
struct luge_task;
struct luge_wait_kind;

enum { LUGE_NET_PIECE = 1 << 16 };

/* What all sockets of a host share. */
struct luge_net {
  struct luge_service service;
  struct luge_host *host;
  struct luge_list sockets;   /* all that are open */
  struct luge_list acceptors; /* all that listen */
  struct luge_list dials;     /* all that connect */
  char piece[LUGE_NET_PIECE]; /* what is just being read */
};

struct luge_socket {
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } uv;
  struct luge_net *net;
  struct luge_list link;      /* in net->sockets */
  struct luge_list peer_link; /* in the dial's or the acceptor's */
  struct luge_dial *dial;     /* which tries to connect it, or NULL */
  struct luge_acceptor *acceptor;
  struct luge_list readers, writers; /* tasks */
  struct sockaddr_in6 peer;          /* or an IPv4 one; zero: ask the system */
  char *bytes;                       /* have come */
  size_t length;
  int read_error, write_error; /* negative errnos */
  unsigned holds;              /* the handle, the timer, the userdata, writes */
  bool is_pipe;
  bool reading;   /* libuv reads */
  bool ended;     /* nothing more will come */
  bool shut;      /* nothing more may be written */
  bool shut_done; /* and the other end has been told */
  bool closing;   /* the script has closed it */
  bool destroyed; /* uv_close was called */
  uv_timer_t linger;
  union {
    uv_connect_t connect;
    uv_shutdown_t shutdown;
  } request;
};

/* net_socket.c */

/* A new socket with its handle open, but no descriptor; held by that alone.
 * NULL: out of memory. */
struct luge_socket *luge__socket_new(struct luge_net *net, bool is_pipe);

/* Makes the descriptor its own, also if it fails. 0, or a negative errno. */
int luge__socket_adopt(struct luge_socket *socket, int fd);

/* Notes the other end, which the system forgets when the connection breaks. */
void luge__socket_set_peer(struct luge_socket *socket,
                           const struct sockaddr_storage *peer);

/* Goes on to read, unless enough is there. */
void luge__socket_read_on(struct luge_socket *socket);

/* The script closes it; what is queued goes out in the background, unless
 * `discard`. May be called again. */
void luge__socket_close(struct luge_socket *socket, bool discard);

/* Closes the handle at once. */
void luge__socket_destroy(struct luge_socket *socket);

/* One hold less: the last frees it. */
void luge__socket_let_go(struct luge_socket *socket);

/* Bytes that the system has not taken yet. */
size_t luge__socket_unsent(const struct luge_socket *socket);

/* Suspends the task in one of its lists; the wait counts as an operation. The
 * kind's cancel is luge__socket_leave. */
int luge__socket_wait(lua_State *L, struct luge_task *task,
                      struct luge_socket *socket, struct luge_list *waiters,
                      const struct luge_wait_kind *kind);
bool luge__socket_leave(struct luge_task *task);

/* Wakes all of them. */
void luge__net_wake(struct luge_net *net, struct luge_list *waiters);

/* net_write.c */

/* Writes, or queues, a copy of the bytes. 0, or a negative errno. */
int luge__socket_write(struct luge_socket *socket, const char *bytes,
                       size_t length);

/* Nothing more is written: the other end is told after what is queued. */
int luge__socket_shutdown(struct luge_socket *socket);

/* Whether whoever writes should wait. */
bool luge__socket_is_full(const struct luge_socket *socket);

/* net_error.c: raises for a negative errno: `limit` for descriptors, memory,
 * else `network` with `code` ("connect" or "reset"), phase and errno. `where`
 * may be NULL. */
int luge__net_raise(lua_State *L, int error, const char *phase,
                    const char *where);

/* net_connection.c: connections as scripts have them. */

struct luge_socket_box {
  struct luge_socket *socket; /* NULL: not yet; stays when it is closed */
};

/* Pushes a box that is still empty: filling it cannot fail. */
struct luge_socket_box *luge__connection_new(lua_State *L);

void luge__connection_init(lua_State *L);

/* The net of the host, once the module is open. */
struct luge_net *luge__net(lua_State *L);

#endif
