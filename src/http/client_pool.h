/* What is known of the connections that a client's libcurl keeps: whether one
 * may be idle. For a request to come libcurl looks for that among all that it
 * has, also those in use, one by one; of a thousand requests that begin at
 * once it took a third of the time. So it is told not to look where there can
 * be none.
 *
 * Only of connections that serve one request at a time, of HTTP/1 without TLS:
 * others may have room for one more while they are in use. libcurl does not
 * say what it does with them; the count is an upper bound. Loop thread only. */
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
