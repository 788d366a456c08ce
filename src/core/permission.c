/* Deciding; see permission.h. */
#include "permission.h"

#include <lauxlib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "error.h"
#include "permission_rules.h"
#include "place.h"

struct luge_permission {
  bool trusted;   /* the rules do not count */
  bool inherited; /* the rules are another's */
  struct luge_rule_lists rules[LUGE_CAPS];
  struct luge_rule_lists modules;
  luge_authorize_fn authorize;
  luge_audit_fn audit;
};

/* Reading. */

static int read_all(struct luge_host *host,
                    const luge_capabilities *capabilities) {
  const luge_rules *given[LUGE_CAPS] = {[LUGE_CAP_NET] = &capabilities->net,
                                        [LUGE_CAP_READ] = &capabilities->read,
                                        [LUGE_CAP_WRITE] = &capabilities->write,
                                        [LUGE_CAP_ENV] = &capabilities->env,
                                        [LUGE_CAP_RUN] = &capabilities->run};
  const luge_rules modules = {capabilities->modules, NULL};
  struct luge_permission *permission = host->permission;
  int status =
      luge__rules_read(host, &permission->modules, LUGE_CAP_READ, &modules);
  for (int i = 0; status == LUGE_OK && i < LUGE_CAPS; i++) {
    status = luge__rules_read(host, &permission->rules[i],
                              (enum luge_capability)i, given[i]);
  }
  return status;
}

int luge__permission_open(struct luge_host *host,
                          const luge_capabilities *given) {
  luge_capabilities capabilities = {0};
  if (given->size < offsetof(luge_capabilities, net) ||
      given->size > sizeof capabilities) {
    return LUGE_INVALID;
  }
  memcpy(&capabilities, given, given->size);
  if (capabilities.trusted && capabilities.authorize == NULL &&
      capabilities.audit == NULL) {
    return LUGE_OK;
  }
  struct luge_permission *permission =
      luge__realloc(host, NULL, 0, sizeof *permission);
  if (permission == NULL) {
    return LUGE_MEMORY;
  }
  *permission = (struct luge_permission){.trusted = capabilities.trusted != 0,
                                         .authorize = capabilities.authorize,
                                         .audit = capabilities.audit};
  host->permission = permission;
  int status = read_all(host, &capabilities);
  if (status != LUGE_OK) {
    luge__permission_free(host);
  }
  return status;
}

int luge__permission_inherit(struct luge_host *host,
                             const struct luge_permission *parent,
                             luge_authorize_fn authorize, luge_audit_fn audit) {
  struct luge_permission *permission =
      luge__realloc(host, NULL, 0, sizeof *permission);
  if (permission == NULL) {
    return LUGE_MEMORY;
  }
  *permission = *parent;
  permission->inherited = true;
  permission->authorize = parent->authorize != NULL ? authorize : NULL;
  permission->audit = parent->audit != NULL ? audit : NULL;
  host->permission = permission;
  return LUGE_OK;
}

static void free_rules(struct luge_host *host) {
  struct luge_permission *permission = host->permission;
  for (int i = 0; i < LUGE_CAPS; i++) {
    luge__rules_free(host, &permission->rules[i]);
  }
  luge__rules_free(host, &permission->modules);
}

void luge__permission_free(struct luge_host *host) {
  struct luge_permission *permission = host->permission;
  if (permission == NULL) {
    return;
  }
  if (!permission->inherited) {
    free_rules(host);
  }
  luge__realloc(host, permission, sizeof *permission, 0);
  host->permission = NULL;
}

bool luge__is_restricted(const struct luge_host *host) {
  return host->permission != NULL && !host->permission->trusted;
}

/* Deciding. */

struct verdict {
  bool allowed;
  const char *rule; /* what decided; "": nothing */
};

static bool takes_tree(enum luge_operation operation) {
  return operation == LUGE_OP_FS_REMOVE || operation == LUGE_OP_FS_RENAME ||
         operation == LUGE_OP_FS_MOVE || operation == LUGE_OP_OS_RENAME ||
         operation == LUGE_OP_OS_MOVE;
}

static struct verdict judge(const struct luge_host *host,
                            enum luge_operation operation,
                            const struct luge_subject *subject) {
  const struct luge_permission *permission = host->permission;
  enum luge_capability capability = luge__operation_capability(operation);
  if (capability == LUGE_CAP_SIGNAL) {
    return host->options.signals ? (struct verdict){true, "signals"}
                                 : (struct verdict){false, ""};
  }
  if (permission == NULL || permission->trusted) {
    return (struct verdict){true, "trusted"};
  }
  if (capability == LUGE_CAP_HOST) {
    return (struct verdict){false, ""};
  }
  const struct luge_rule_lists *lists = &permission->rules[capability];
  const struct luge_rule *rule = luge__rules_deny(lists, subject);
  if (rule != NULL) {
    return (struct verdict){false, rule->text};
  }
  rule = luge__rules_allow(lists, subject);
  if (rule == NULL && operation == LUGE_OP_LOAD_MODULE) {
    rule = luge__rules_allow(&permission->modules, subject);
  }
  return (struct verdict){rule != NULL, rule != NULL ? rule->text : ""};
}

int luge__permission_authorize(struct luge_host *host,
                               const luge_access *access) {
  return host->permission->authorize(host, access, host->options.user);
}

void luge__permission_audit(struct luge_host *host, const luge_access *access) {
  host->permission->audit(host, access, host->options.user);
}

/* Asks the embedder, and tells it. */
static struct verdict settle(struct luge_host *host,
                             enum luge_operation operation,
                             const char *resource, struct verdict verdict) {
  const struct luge_permission *permission = host->permission;
  luge_access access = {.operation = luge__operation_name(operation),
                        .capability = luge__capability_name(
                            luge__operation_capability(operation)),
                        .resource = resource,
                        .rule = verdict.rule,
                        .allowed = verdict.allowed};
  if (permission == NULL) {
    return verdict;
  }
  host->calling++;
  if (access.allowed && permission->authorize != NULL &&
      luge__permission_authorize(host, &access) == 0) {
    access.allowed = 0;
    access.rule = "authorize";
  }
  if (permission->audit != NULL) {
    luge__permission_audit(host, &access);
  }
  host->calling--;
  return (struct verdict){access.allowed != 0, access.rule};
}

/* What would allow it, or what forbids it. */
static void push_reason(lua_State *L, enum luge_operation operation,
                        const char *resource, const char *rule) {
  enum luge_capability capability = luge__operation_capability(operation);
  if (strcmp(rule, "authorize") == 0) {
    lua_pushliteral(L, "the host refuses it");
  } else if (rule[0] != '\0') {
    lua_pushfstring(L, "%s forbids it", rule);
  } else if (capability == LUGE_CAP_SIGNAL) {
    lua_pushliteral(L, "the host does not let scripts handle signals");
  } else if (capability == LUGE_CAP_HOST) {
    lua_pushliteral(L, "no option allows it");
  } else if (operation == LUGE_OP_PROCESS_ENV) {
    lua_pushliteral(L, "only --allow-run without a list allows it");
  } else {
    lua_pushfstring(L, "--allow-%s=%s allows it",
                    luge__capability_name(capability), resource);
  }
}

static int raise_denied(lua_State *L, enum luge_operation operation,
                        const char *resource, const char *rule) {
  enum luge_capability capability = luge__operation_capability(operation);
  push_reason(L, operation, resource, rule);
  luge__push_error(L, "permission", "%s of %s is not permitted: %s",
                   luge__operation_name(operation), resource,
                   lua_tostring(L, -1));
  lua_pushstring(L, luge__capability_name(capability));
  lua_setfield(L, -2, "capability");
  lua_pushstring(L, resource);
  lua_setfield(L, -2, "resource");
  lua_pushstring(L, luge__operation_name(operation));
  lua_setfield(L, -2, "operation");
  return lua_error(L);
}

static void require_allowed(lua_State *L, enum luge_operation operation,
                            const char *resource,
                            const struct luge_subject *subject) {
  struct luge_host *host = luge__host(L);
  struct verdict verdict =
      settle(host, operation, resource, judge(host, operation, subject));
  if (!verdict.allowed) {
    raise_denied(L, operation, resource, verdict.rule);
  }
}

/* Paths, variables. */

static struct luge_subject named(enum luge_operation operation,
                                 const char *resource) {
  return (struct luge_subject){.text = resource, .tree = takes_tree(operation)};
}

bool luge__permits(struct luge_host *host, enum luge_operation operation,
                   const char *resource) {
  const struct luge_subject subject = named(operation, resource);
  return settle(host, operation, resource, judge(host, operation, &subject))
      .allowed;
}

bool luge__would_permit(const struct luge_host *host,
                        enum luge_operation operation, const char *resource) {
  const struct luge_subject subject = named(operation, resource);
  return judge(host, operation, &subject).allowed;
}

void luge__permit(lua_State *L, enum luge_operation operation,
                  const char *resource) {
  if (!luge__is_trusted(luge__host(L))) {
    const struct luge_subject subject = named(operation, resource);
    require_allowed(L, operation, resource, &subject);
  }
}

int luge__permission_raise(lua_State *L, enum luge_operation operation,
                           const char *resource) {
  const struct luge_subject subject = named(operation, resource);
  struct verdict verdict = judge(luge__host(L), operation, &subject);
  return raise_denied(L, operation, resource,
                      verdict.allowed ? "authorize" : verdict.rule);
}

void luge__permit_program(lua_State *L, enum luge_operation operation,
                          const char *path) {
  if (luge__is_trusted(luge__host(L))) {
    return;
  }
  char *real = luge__real_path(path);
  if (real == NULL) {
    luaL_error(L, "not enough memory");
    return;
  }
  lua_pushstring(L, real);
  free(real);
  const struct luge_subject subject = {.text = path,
                                       .real = lua_tostring(L, -1)};
  require_allowed(L, operation, path, &subject);
  lua_pop(L, 1);
}

/* Hosts and addresses. */

const char *luge__net_resource(char text[LUGE_NET_RESOURCE], const char *host,
                               uint16_t port) {
  snprintf(text, LUGE_NET_RESOURCE,
           strchr(host, ':') != NULL ? "[%.*s]:%u" : "%.*s:%u", LUGE_HOST_MAX,
           host, (unsigned)port);
  return text;
}

/* A name is not denied yet if its addresses are to be asked about and may be
 * allowed. */
static void permit_host(lua_State *L, enum luge_operation operation,
                        const char *name, uint16_t port, bool asks_again) {
  struct luge_host *host = luge__host(L);
  struct luge_address address;
  char text[LUGE_NET_RESOURCE];
  if (luge__is_trusted(host)) {
    return;
  }
  bool literal = luge__address_parse(&address, name, strlen(name));
  const struct luge_subject subject = {.text = literal ? NULL : name,
                                       .address = literal ? &address : NULL,
                                       .port = port};
  struct verdict verdict = judge(host, operation, &subject);
  if (!literal && asks_again && !verdict.allowed && verdict.rule[0] == '\0' &&
      luge__rules_await_address(&host->permission->rules[LUGE_CAP_NET], port)) {
    return;
  }
  luge__net_resource(text, name, port);
  verdict = settle(host, operation, text, verdict);
  if (!verdict.allowed) {
    raise_denied(L, operation, text, verdict.rule);
  }
}

void luge__permit_host(lua_State *L, enum luge_operation operation,
                       const char *name, uint16_t port) {
  permit_host(L, operation, name, port, true);
}

void luge__permit_remote(lua_State *L, enum luge_operation operation,
                         const char *name, uint16_t port) {
  permit_host(L, operation, name, port, false);
}

static uint16_t port_of(const struct sockaddr *address) {
  return ntohs(address->sa_family == AF_INET6
                   ? ((const struct sockaddr_in6 *)address)->sin6_port
                   : ((const struct sockaddr_in *)address)->sin_port);
}

/* An address, and the name that it was found by. */
struct found {
  struct luge_address address;
  struct luge_subject subject;
  char resource[LUGE_NET_RESOURCE];
};

static bool find(struct found *found, const char *name,
                 const struct sockaddr *address) {
  char text[LUGE_ADDRESS_TEXT];
  if (!luge__address_from_sockaddr(&found->address, address)) {
    return false;
  }
  uint16_t port = port_of(address);
  found->subject = (struct luge_subject){
      .text = name, .address = &found->address, .port = port};
  luge__address_format(&found->address, text);
  luge__net_resource(found->resource, text, port);
  return true;
}

bool luge__permits_address(struct luge_host *host,
                           enum luge_operation operation, const char *name,
                           const struct sockaddr *address) {
  struct found found;
  if (luge__is_trusted(host)) {
    return true;
  }
  return find(&found, name, address) &&
         settle(host, operation, found.resource,
                judge(host, operation, &found.subject))
             .allowed;
}

int luge__permission_raise_address(lua_State *L, enum luge_operation operation,
                                   const char *name,
                                   const struct sockaddr *address) {
  struct found found;
  if (!find(&found, name, address)) {
    return luge__permission_raise(L, operation, name != NULL ? name : "");
  }
  struct verdict verdict = judge(luge__host(L), operation, &found.subject);
  return raise_denied(L, operation, found.resource,
                      verdict.allowed ? "authorize" : verdict.rule);
}

/* Paths that are looked up at once. */

static int leave_place(lua_State *L) {
  luge__place_leave(lua_touserdata(L, 1));
  return 0;
}

static struct luge_place *push_place(lua_State *L) {
  static const char class_key = 0; /* registry: the metatable */
  struct luge_place *place = lua_newuserdatauv(L, sizeof *place, 0);
  *place = luge__place_here("");
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &class_key) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, leave_place);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &class_key);
  }
  lua_setmetatable(L, -2);
  return place;
}

struct luge_place *luge__permit_place(lua_State *L,
                                      enum luge_operation operation,
                                      enum luge_operation other,
                                      const char *path, bool follow,
                                      int *error) {
  struct luge_place *place = push_place(L);
  *error = 0;
  if (luge__is_trusted(luge__host(L))) {
    *place = luge__place_here(path);
    return place;
  }
  *error = luge__place_find(place, path, follow);
  if (place->path != NULL) {
    luge__permit(L, operation, place->path);
    if (other != LUGE_OP_NONE && other != operation) {
      luge__permit(L, other, place->path);
    }
  }
  return place;
}

const char *luge__permit_path(lua_State *L, enum luge_operation operation,
                              enum luge_operation other, const char *path) {
  int error;
  if (luge__is_trusted(luge__host(L))) {
    return lua_pushstring(L, path);
  }
  struct luge_place *place =
      luge__permit_place(L, operation, other, path, true, &error);
  if (error != 0) {
    luge__push_error(L, "io", "cannot open %s: %s", path, strerror(error));
    lua_pushstring(L, path);
    lua_setfield(L, -2, "path");
    lua_error(L);
  }
  const char *real = lua_pushstring(L, place->path);
  luge__place_leave(place);
  lua_remove(L, -2);
  return real;
}
