/* Listening: a descriptor that is watched for as long as somebody waits for a
 * connection. When descriptors run out, libuv's own listening closes new
 * connections without a word; here they stay in the system's queue, and whoever
 * waits gets an error. Loop thread only. */
#ifndef LUGE_MOD_NET_LISTEN_H
#define LUGE_MOD_NET_LISTEN_H

#include <lua.h>
#include <stdbool.h>
#include <uv.h>

#include "../net/unix.h"
#include "net_socket.h"

struct luge_acceptor {
  uv_poll_t poll;
  struct luge_net *net;
  struct luge_list link;    /* in net->acceptors */
  struct luge_list sockets; /* luge_socket.peer_link: its connections */
  struct luge_list takers;  /* tasks */
  unsigned count, max;      /* connections */
  unsigned holds;           /* the handle, the userdata, each connection */
  int fd;
  bool is_pipe, nodelay, watching, closed;
  unsigned keepalive;
  struct luge_unix_file file;
};

/* listen(targets, backlog, max_connections, nodelay, keepalive), and
 * listen_path(path, backlog, max_connections) -> an acceptor, with the methods
 * `accept`, which waits, `close`, `address` and `count`. */
int luge__net_listen(lua_State *L);
int luge__net_listen_path(lua_State *L);
void luge__acceptor_init(lua_State *L);

/* A connection of it has closed. */
void luge__acceptor_left(struct luge_socket *socket);

/* Closes it; its connections stay. May be called again. */
void luge__acceptor_close(struct luge_acceptor *acceptor);

/* net_bind.c: makes a descriptor that listens. 0, or a negative errno. */
int luge__net_bind(const struct sockaddr *address, socklen_t size, int backlog,
                   int *fd);

#endif
