/* HTTP clients: what the transfers of one session share. A client has its own
 * libcurl multi handle, with its own pool of connections, for its whole life:
 * destroying one when idle would throw the connections away, and sharing one
 * between clients would mix their limits, and leave the connections of a
 * closed client open.
 *
 * All clients of a host belong to one service, which owns the sockets too: a
 * socket is registered with libuv from when libcurl opens it until libcurl
 * closes it. Loop thread only. */
#ifndef LUGE_HTTP_CLIENT_H
#define LUGE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "../core/host.h"
#include "../core/list.h"
#include "bytes.h"
#include "client_pool.h"
#include "curl.h"

struct luge__proxies;
struct luge__socket;
struct luge__transfer;

/* What is known of a descriptor. */
struct luge__socket_place {
  struct luge__socket *socket;         /* that is polled, or NULL */
  struct luge__client *client;         /* whose connection it is, or NULL */
  const struct luge__transfer *opener; /* for whom libcurl opened it */
  bool kept;                           /* libcurl will say when it closes it */
  bool multiplexed;                    /* speaks HTTP/2 */
};

struct luge__http {
  struct luge_service service;
  struct luge_host *host;
  const struct luge__curl *curl;
  struct luge__memory memory;         /* the host's: its limit counts */
  struct luge_list clients;           /* luge__client.link */
  struct luge__socket_place *sockets; /* by descriptor */
  size_t socket_count;                /* of places */
  int held; /* the UNIX socket last connected to; -1: none */
  bool stopped;
  bool stale_headers; /* see transfer_stale.c */
};

/* Bounds that a request may set for itself. Times in nanoseconds; 0: none. */
struct luge__bounds {
  uint64_t connect, idle;
  size_t max_body;
};

struct luge__client {
  struct luge__http *http;
  struct luge_list link;
  CURLM *multi;
  CURLSH *share; /* of cookies; NULL: the client has none */
  uv_timer_t timer;
  uv_timer_t nudge;         /* while a paused stream holds up others */
  struct luge_list running; /* luge__transfer.link */
  struct luge_list spare;   /* the same, of those to be used again */
  unsigned spare_count;
  unsigned holding; /* of those running: paused streams of HTTP/2 */
  unsigned refs;    /* from Lua, the timer, transfers */
  bool in_turn;     /* libcurl is being called */
  uint64_t now;     /* on the host's clock, when libcurl was last called */
  bool due;         /* libcurl wants to be called at once */
  bool answered;    /* a transfer may be: see luge__transfer_is_answered */
  bool closed;
  struct luge__pool pool;
  struct luge__bounds bounds;
  struct luge__proxies *proxies; /* of the environment; NULL: none */
};

/* The service of the host, created when first asked for; or NULL, and why in
 * *problem. */
struct luge__http *luge__http_service(struct luge_host *host,
                                      struct luge__http **slot,
                                      const char **problem);

/* NULL: out of memory. The caller has a reference. */
struct luge__client *luge__client_new(struct luge__http *http,
                                      const struct luge__pool_limits *limits);

/* Ends its transfers as `closed` and closes its connections. */
void luge__client_close(struct luge__client *client);

void luge__client_ref(struct luge__client *client);
void luge__client_unref(struct luge__client *client);

/* Hands a configured transfer to libcurl and lets that begin. False: out of
 * memory. */
bool luge__client_add(struct luge__client *client,
                      struct luge__transfer *transfer);

/* Hands a transfer that is already running to libcurl once more. False: out of
 * memory. Not for libcurl's callbacks; what ends transfers may call it. */
bool luge__client_resume(struct luge__client *client,
                         struct luge__transfer *transfer);

/* Takes it back. */
void luge__client_remove(struct luge__client *client,
                         struct luge__transfer *transfer);

/* Makes libcurl look at a transfer that connects, though nothing has happened:
 * what is paused, and unpaused, it does look at. */
void luge__client_rouse(struct luge__client *client, CURL *easy);

/* Lets libcurl see what has changed: a transfer was unpaused. */
void luge__client_unpause(struct luge__client *client, CURL *easy);

/* Whether one of its transfers is paused, be it in sending or in receiving. */
bool luge__client_is_paused(const struct luge__client *client);

/* Calls libcurl about a socket, or CURL_SOCKET_TIMEOUT, and ends what has
 * finished. Not from libcurl's callbacks. */
void luge__client_turn(struct luge__client *client, curl_socket_t fd,
                       int flags);

/* The glue; client_socket.c. */

/* Lets libcurl look at the connections with several streams, as if there were
 * something to read. */
void luge__sockets_nudge(struct luge__client *client);

/* libcurl's callbacks; the data are the client, and the service. */
int luge__on_socket(CURL *easy, curl_socket_t fd, int what, void *data,
                    void *unused);
int luge__on_close_socket(void *data, curl_socket_t fd);

/* A new socket for the transfer, which children do not inherit; or
 * CURL_SOCKET_BAD, and errno. The address of a UNIX socket becomes one that
 * leads to no other, whatever is swapped meanwhile. */
curl_socket_t luge__socket_open(struct luge__client *client,
                                const struct luge__transfer *opener,
                                struct curl_sockaddr *address);

/* The connection that was opened for the transfer is established. */
void luge__socket_keep(struct luge__http *http, curl_socket_t fd,
                       const struct luge__transfer *opener);

/* It speaks HTTP/2. */
void luge__socket_multiplexes(struct luge__http *http, curl_socket_t fd,
                              const struct luge__transfer *opener);

void luge__sockets_free(struct luge__http *http);

#endif
