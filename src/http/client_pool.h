/* Whether a client may have an idle connection. Before every request libcurl
 * looks for one among all connections to the host, in use or not; where
 * thousands of requests began at once, that was a quarter of their cost. So it
 * is told not to look where none can be idle.
 *
 * Counts only connections that serve one request at a time, of HTTP/1 without
 * TLS: one of HTTP/2 may have room for more while it is in use. libcurl does
 * not tell what it keeps, so the count is an upper bound. Loop thread only. */
#ifndef LUGE_HTTP_CLIENT_POOL_H
#define LUGE_HTTP_CLIENT_POOL_H

#include <stdbool.h>

struct luge__pool_limits {
  long total, per_host; /* connections; 0: no limit */
  bool cookies;
};

struct luge__pool {
  struct luge__pool_limits limits;
  long transfers; /* that libcurl has: each has one connection at most */
  long sockets;   /* that are open */
  long idle;      /* connections, at most */
};

/* Whether a new request finds no idle connection, and may open one: none is
 * idle, and it need not wait for its turn. */
bool luge__pool_is_empty(const struct luge__pool *pool);

/* A request has got a connection that was there before. */
void luge__pool_taken(struct luge__pool *pool);

/* A request has ended, and may have left its connection. */
void luge__pool_left(struct luge__pool *pool);

/* A socket of the client was opened; was closed. */
void luge__pool_opened(struct luge__pool *pool);
void luge__pool_closed(struct luge__pool *pool);

#endif
