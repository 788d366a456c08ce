/* Addresses of sockets; see net_address.h. A look-up is a userdata that
 * contains the resolver's query; if it is collected together with its task, the
 * query is cancelled. */
#include "net_address.h"

#include <lauxlib.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <uv.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/permission.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "../net/resolver.h"
#include "../net/unix.h"

struct lookup {
  struct luge_query query;
  struct luge_task *task;
};

static const struct luge_class lookup_class = {"a look-up"};
static const struct luge_class targets_class = {"a list of addresses"};

socklen_t luge__net_size(const struct sockaddr_storage *address) {
  return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                        : sizeof(struct sockaddr_in);
}

/* Targets: those of the answer that are permitted, the first one first, then
 * one of each family in turn (RFC 8305, 4). */

static int family_of(const struct luge_answer *answer, unsigned i) {
  return answer->addresses[i].version;
}

/* The places in the order in which they are to be tried. */
static void interleave(const struct luge_answer *answer, unsigned *order) {
  unsigned next[2] = {0, 0};
  int wanted = answer->count > 0 ? family_of(answer, 0) : 4;
  for (unsigned n = 0; n < answer->count;) {
    unsigned *at = &next[wanted == 6];
    while (*at < answer->count && family_of(answer, *at) != wanted) {
      ++*at;
    }
    if (*at < answer->count) {
      order[n++] = (*at)++;
    }
    wanted = wanted == 4 ? 6 : 4;
  }
}

static int push_targets(lua_State *L, const struct luge_answer *answer,
                        enum luge_operation operation, const char *name,
                        uint16_t port) {
  struct luge_host *host = luge__host(L);
  struct sockaddr_storage address, denied;
  unsigned count = answer->count;
  unsigned *order = lua_newuserdatauv(L, (count + 1) * sizeof *order, 0);
  struct luge_targets *targets = luge__class_new(
      L, &targets_class, sizeof *targets + count * sizeof address, 0);
  targets->operation = operation;
  interleave(answer, order);
  for (unsigned i = 0; i < count; i++) {
    luge__address_to_sockaddr(&answer->addresses[order[i]], port, &address);
    if (luge__permits_address(host, operation, name,
                              (struct sockaddr *)&address)) {
      targets->addresses[targets->count++] = address;
    } else {
      denied = address;
    }
  }
  if (targets->count == 0 && count > 0) {
    return luge__permission_raise_address(L, operation, name,
                                          (struct sockaddr *)&denied);
  }
  return 1;
}

const struct luge_targets *luge__check_targets(lua_State *L, int arg,
                                               enum luge_operation operation) {
  const struct luge_targets *targets =
      luge__class_check(L, arg, &targets_class);
  if (targets->operation != operation) {
    luge__raise(L, "invalid", "the addresses are for %s",
                luge__operation_name(targets->operation));
  }
  return targets;
}

/* resolve(host, port, purpose) */

static enum luge_operation operation_at(lua_State *L, int arg) {
  static const char *const purposes[] = {"connect", "listen", "lookup", NULL};
  static const enum luge_operation operations[] = {
      LUGE_OP_NET_CONNECT, LUGE_OP_NET_LISTEN, LUGE_OP_NET_LOOKUP};
  return operations[luaL_checkoption(L, arg, NULL, purposes)];
}

/* The query at index 4 has its status. */
static int finish(lua_State *L) {
  struct lookup *lookup = lua_touserdata(L, 4);
  size_t length;
  const char *host = lua_tolstring(L, 1, &length);
  struct luge_address literal;
  char name[LUGE_HOST_MAX + 1];
  if (lookup->query.status != LUGE_RESOLVE_OK) {
    luge__resolve_push_error(L, &lookup->query, host, length);
    return lua_error(L);
  }
  bool named = !luge__address_parse(&literal, host, length) &&
               luge__host_normalize(host, length, name) == NULL;
  return push_targets(L, lookup->query.answer, operation_at(L, 3),
                      named ? name : NULL, (uint16_t)lua_tointeger(L, 2));
}

static int on_resolved(lua_State *L, struct luge_task *task, int base) {
  (void)task;
  (void)base;
  return finish(L);
}

static void on_answer(struct luge_query *query) {
  struct lookup *lookup = luge__container(query, struct lookup, query);
  luge__unref(lookup->task->host);
  luge__wake(lookup->task);
}

static bool leave(struct luge_task *task) {
  struct lookup *lookup = task->wait.data;
  luge__resolve_end(&lookup->query);
  luge__unref(task->host);
  return true;
}

static int lookup_gc(lua_State *L) {
  struct lookup *lookup = lua_touserdata(L, 1);
  luge__resolve_end(&lookup->query);
  return 0;
}

/* About the name, before anybody hears of it. */
static void permit(lua_State *L, enum luge_operation operation,
                   const char *host, size_t length, uint16_t port) {
  struct luge_address literal;
  char name[LUGE_HOST_MAX + 1];
  const char *problem = NULL;
  if (luge__address_parse(&literal, host, length)) {
    char text[LUGE_ADDRESS_TEXT];
    luge__permit_host(L, operation, luge__address_format(&literal, text), port);
  } else if ((problem = luge__host_normalize(host, length, name)) != NULL) {
    luge__raise(L, "invalid", "bad host \"%s\": %s", host, problem);
  } else {
    luge__permit_host(L, operation, name, port);
  }
}

int luge__net_resolve(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "a name to be looked up", .cancel = leave, .finish = on_resolved};
  size_t length;
  const char *host = luaL_checklstring(L, 1, &length);
  lua_Integer port = luaL_checkinteger(L, 2);
  enum luge_operation operation = operation_at(L, 3);
  luaL_argcheck(L, port >= 0 && port <= 65535, 2, "a port");
  lua_settop(L, 3);
  struct luge_task *task = luge__enter(L);
  permit(L, operation, host, length, (uint16_t)port);
  struct lookup *lookup = luge__class_new(L, &lookup_class, sizeof *lookup, 0);
  lookup->task = task;
  if (luge__resolve(task->host, &lookup->query, host, length, on_answer) !=
      LUGE_RESOLVE_PENDING) {
    return finish(L);
  }
  luge__ref(task->host);
  task->wait.data = lookup;
  return luge__suspend(L, task, &kind);
}

/* Texts. */

int luge__net_addresses(lua_State *L) {
  const struct luge_targets *targets = luge__class_check(L, 1, &targets_class);
  lua_createtable(L, (int)targets->count, 0);
  for (unsigned i = 0; i < targets->count; i++) {
    struct luge_address address;
    char text[LUGE_ADDRESS_TEXT];
    luge__address_from_sockaddr(
        &address, (const struct sockaddr *)&targets->addresses[i]);
    lua_pushstring(L, luge__address_format(&address, text));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static uint16_t port_of(const struct sockaddr *address) {
  return ntohs(address->sa_family == AF_INET6
                   ? ((const struct sockaddr_in6 *)address)->sin6_port
                   : ((const struct sockaddr_in *)address)->sin_port);
}

const char *luge__net_push_target(lua_State *L,
                                  const struct sockaddr *address) {
  struct luge_address parsed;
  char text[LUGE_ADDRESS_TEXT], resource[LUGE_NET_RESOURCE];
  luge__address_from_sockaddr(&parsed, address);
  return lua_pushstring(
      L, luge__net_resource(resource, luge__address_format(&parsed, text),
                            port_of(address)));
}

/* UNIX sockets. */

const char *luge__net_permit_path(lua_State *L, int arg, size_t *length) {
  const char *path = luaL_checklstring(L, arg, length);
  if (*length == 0 || strlen(path) != *length) {
    luge__raise(L, "invalid",
                "the path of a UNIX socket is empty, or has a zero byte");
  }
  return luge__unix_permit(L, path, length);
}

static int push_path(lua_State *L, const struct sockaddr_un *address,
                     socklen_t size) {
  size_t begin = offsetof(struct sockaddr_un, sun_path);
  size_t length = size > begin ? size - begin : 0;
  if (length > 0 && address->sun_path[0] == '\0') {
    lua_pushliteral(L, "@");
    lua_pushlstring(L, address->sun_path + 1, length - 1);
    lua_concat(L, 2);
  } else {
    lua_pushlstring(L, address->sun_path, strnlen(address->sun_path, length));
  }
  return 1;
}

int luge__net_push_address(lua_State *L, const struct sockaddr *address) {
  struct luge_address parsed;
  char text[LUGE_ADDRESS_TEXT];
  luge__address_from_sockaddr(&parsed, address);
  lua_pushstring(L, luge__address_format(&parsed, text));
  lua_pushinteger(L, port_of(address));
  return 2;
}

int luge__net_push_name(lua_State *L, int fd, bool peer) {
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  struct sockaddr *any = (struct sockaddr *)&address;
  memset(&address, 0, sizeof address);
  if ((peer ? getpeername(fd, any, &size) : getsockname(fd, any, &size)) != 0) {
    lua_pushnil(L);
    return 1;
  }
  if (address.ss_family == AF_UNIX) {
    return push_path(L, (struct sockaddr_un *)&address, size);
  }
  return luge__net_push_address(L, any);
}

void luge__targets_init(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", lookup_gc}, {NULL, NULL}};
  luge__class_init(L, &lookup_class, none, metamethods);
  luge__class_init(L, &targets_class, none, NULL);
}
