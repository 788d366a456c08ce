/* Permissions: the one place that decides what scripts may do. A host that
 * trusts them has none of this (host->permission is NULL), and each check is a
 * look at that pointer. Loop thread only; the rules never change once read.
 *
 * A check comes before anything is done, on what will be used and not on what
 * it is called: the real path (place.h), the address (address.h), the program
 * that was found. Each decision is one of luge_access, told to the embedder. */
#ifndef LUGE_CORE_PERMISSION_H
#define LUGE_CORE_PERMISSION_H

#include <lua.h>
#include <luge.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "host.h"
#include "operation.h"

/* Whether checks can be left out: all is allowed, and nobody is told. */
static inline bool luge__is_trusted(const struct luge_host *host) {
  return host->permission == NULL;
}

/* Whether scripts are confined: functions of Lua's that no rule is about are
 * out of reach. */
bool luge__is_restricted(const struct luge_host *host);

/* Decides about a real path, the name of a variable, or the path of a program,
 * and tells the audit. Never raises. */
bool luge__permits(struct luge_host *host, enum luge_operation operation,
                   const char *resource);

/* Decides as above, and raises `permission`. */
void luge__permit(lua_State *L, enum luge_operation operation,
                  const char *resource);

/* Whether what is moved to a path can be read there, as a whole or in part:
 * then it takes LUGE_OP_FS_MOVE or LUGE_OP_OS_MOVE to move it. */
bool luge__can_be_read(const struct luge_host *host, const char *path);

/* Raises `permission` for what has been decided. */
int luge__permission_raise(lua_State *L, enum luge_operation operation,
                           const char *resource);

/* The same about a program, by its path as luge__program_find has it. */
void luge__permit_program(lua_State *L, enum luge_operation operation,
                          const char *path);

/* The network takes two decisions. First about a host, as a name in its
 * normalised form or as an address, before it is looked up: raises. Then about
 * each address that one would connect to, send to or listen on: never raises.
 * `name` is what was looked up, NULL if nothing was. Whoever connects uses the
 * addresses that were allowed, and no other; where none is left, it raises for
 * one that was denied. */
void luge__permit_host(lua_State *L, enum luge_operation operation,
                       const char *name, uint16_t port);
bool luge__permits_address(struct luge_host *host,
                           enum luge_operation operation, const char *name,
                           const struct sockaddr *address);
int luge__permission_raise_address(lua_State *L, enum luge_operation operation,
                                   const char *name,
                                   const struct sockaddr *address);

/* As luge__permit_host, about a host whose addresses somebody else looks up, a
 * proxy: what no rule allows by its name is denied. */
void luge__permit_remote(lua_State *L, enum luge_operation operation,
                         const char *name, uint16_t port);

/* Finds where a path leads to and decides about it at once: raises `permission`
 * unless both operations (the second may be LUGE_OP_NONE) are allowed; sets
 * `error` to that of luge__place_find. The place is in a userdata that is
 * pushed. It is left when that is collected; better leave it before. */
struct luge_place *luge__permit_place(lua_State *L,
                                      enum luge_operation operation,
                                      enum luge_operation other,
                                      const char *path, bool follow,
                                      int *error);

/* A path that something opens by its name (SQLite, say): looks it up, checks
 * its real path, and pushes that for it to open; in a host that trusts, the
 * path as it is. Blocks as a look-up of a file does. Raises `permission`, and
 * `io` where the directories on the way cannot be passed. `other` is a second
 * operation on the same path that is checked too, or the same again. */
const char *luge__permit_path(lua_State *L, enum luge_operation operation,
                              enum luge_operation other, const char *path);

/* Whether the rules allow it; the embedder is neither asked nor told. For what
 * luge's own Lua code tries, and can do without. */
bool luge__would_permit(const struct luge_host *host,
                        enum luge_operation operation, const char *resource);

/* "host:port", with IPv6 in brackets, as rules are written. */
enum { LUGE_NET_RESOURCE = 320 };
const char *luge__net_resource(char text[LUGE_NET_RESOURCE], const char *host,
                               uint16_t port);

/* What luge_restrict does: 0 or a luge_status. luge__permission_free undoes
 * it. */
int luge__permission_open(struct luge_host *host,
                          const luge_capabilities *given);
void luge__permission_free(struct luge_host *host);

/* Lets the host decide by the rules of another one, the parent, which owns them
 * and must outlive it. The two may be on different threads, since rules never
 * change. If the parent's embedder is to be asked or told, the two callbacks
 * are called, on this host's thread. */
typedef int (*luge_authorize_fn)(luge_host *host, const luge_access *access,
                                 void *user);
typedef void (*luge_audit_fn)(luge_host *host, const luge_access *access,
                              void *user);
int luge__permission_inherit(struct luge_host *host,
                             const struct luge_permission *parent,
                             luge_authorize_fn authorize, luge_audit_fn audit);

/* Ask the embedder, or tell it, if it gave the callback. */
int luge__permission_authorize(struct luge_host *host,
                               const luge_access *access);
void luge__permission_audit(struct luge_host *host, const luge_access *access);

#endif
