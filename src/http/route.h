/* The way of a request: straight to its server, through a proxy, or to a UNIX
 * socket. This decides which names libcurl will need the addresses of, asks
 * whether scripts may reach them, and tells libcurl which proxy to use: libcurl
 * itself never looks up a name, and never reads the environment.
 *
 * A host is checked before the request is handed to libcurl, on each hop of a
 * redirect anew, and behind a proxy too; the addresses of a name when they have
 * been looked up. libcurl is told the ones that are permitted, and knows no
 * other: it connects to nothing else, whatever the name leads to later. */
#ifndef LUGE_HTTP_ROUTE_H
#define LUGE_HTTP_ROUTE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "../core/address.h"
#include "../core/operation.h"
#include "bytes.h"

struct luge__transfer;

/* A host on the way. */
struct luge__stop {
  char name[LUGE_HOST_MAX + 3]; /* as libcurl calls it, without brackets */
  uint16_t port;
  bool literal;                  /* an address */
  bool resolved;                 /* here, if it is a name, and not by a proxy */
  bool connected;                /* to */
  enum luge_operation operation; /* what permissions call it */
};

enum { LUGE_STOPS = 2 };

struct luge__route {
  struct luge__bytes proxy; /* its URL, as libcurl is told; empty: none */
  bool given;     /* the proxy is an option's, not of the environment */
  bool to_socket; /* a UNIX socket, wherever the URL leads */
  bool known;     /* `literal` is that of this URL and proxy */
  bool literal;   /* libcurl needs no name's addresses */
  struct luge_address refused; /* the last that was; version 0: none was */
  unsigned refused_at;         /* which stop's */
};

/* The handle is new: forgets all, and takes no proxy. */
void luge__route_reset(struct luge__transfer *t);

/* An option names the proxy; "": none. Raises for memory. */
void luge__route_give(lua_State *L, struct luge__transfer *t,
                      const char *proxy);

/* Chooses the way, once the URL and the options are set, and asks whether
 * scripts may take it. Raises `permission`, and `invalid` for a bad proxy. */
void luge__route_set(lua_State *L, struct luge__transfer *t);

/* Whether it goes through a proxy. */
bool luge__route_is_proxied(const struct luge__transfer *t);

/* The hosts that are connected to, looked up, or both; returns their number. 0:
 * out of memory, or a name is malformed. */
unsigned luge__route_stops(struct luge__transfer *t,
                           struct luge__stop stops[LUGE_STOPS]);

/* Whether an address of stop number `stop` of the route may be used; one that
 * may not is noted. Never raises. */
bool luge__route_permits(struct luge__transfer *t,
                         const struct luge__stop *stop, unsigned at,
                         const struct luge_address *address);

/* Pushes the error for the address that was last refused. */
void luge__route_push_refused(lua_State *L, struct luge__transfer *t);

#endif
