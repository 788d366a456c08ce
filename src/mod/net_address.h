/* The addresses of sockets: what names lead to, once that is permitted; UNIX
 * sockets' paths; and what a descriptor is bound to. */
#ifndef LUGE_MOD_NET_ADDRESS_H
#define LUGE_MOD_NET_ADDRESS_H

#include <lua.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "../core/operation.h"

/* Addresses that may be used for what they were asked for: made by Lua's
 * `resolve`, and held by a userdata. */
struct luge_targets {
  enum luge_operation operation;
  unsigned count;
  struct sockaddr_storage addresses[];
};

/* The targets at `arg`, permitted for the operation; or raises `invalid`. */
const struct luge_targets *luge__check_targets(lua_State *L, int arg,
                                               enum luge_operation operation);

/* resolve(host, port, "connect", "listen" or "lookup") -> targets, which waits;
 * and addresses(targets) -> a list of texts */
int luge__net_resolve(lua_State *L);
int luge__net_addresses(lua_State *L);
void luge__targets_init(lua_State *L);

/* Pushes an address as "1.2.3.4:80" or "[::1]:80". */
const char *luge__net_push_target(lua_State *L, const struct sockaddr *address);

/* Asks whether the UNIX socket whose path is at `arg` may be used; pushes the
 * path that is to be. Raises `invalid`, `permission`. */
const char *luge__net_permit_path(lua_State *L, int arg, size_t *length);

/* Pushes the address of a descriptor's own end or its peer's: host and port,
 * or a path; returns their number. */
int luge__net_push_name(lua_State *L, int fd, bool peer);

/* Pushes the host and the port of an address; returns 2. */
int luge__net_push_address(lua_State *L, const struct sockaddr *address);

/* A size by which bind and connect take it. */
socklen_t luge__net_size(const struct sockaddr_storage *address);

#endif
