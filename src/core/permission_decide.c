/* Deciding; see permission_decide.h. */
#include "permission_decide.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "place.h"

static bool takes_tree(enum luge_operation operation) {
  return operation == LUGE_OP_FS_REMOVE || operation == LUGE_OP_FS_RENAME ||
         operation == LUGE_OP_FS_MOVE || operation == LUGE_OP_OS_RENAME ||
         operation == LUGE_OP_OS_MOVE;
}

struct luge_verdict luge__judge(const struct luge_host *host,
                                enum luge_operation operation,
                                const struct luge_subject *subject) {
  const struct luge_permission *permission = host->permission;
  enum luge_capability capability = luge__operation_capability(operation);
  if (capability == LUGE_CAP_SIGNAL) {
    return host->options.signals ? (struct luge_verdict){true, "signals"}
                                 : (struct luge_verdict){false, ""};
  }
  if (permission == NULL || permission->trusted) {
    return (struct luge_verdict){true, "trusted"};
  }
  if (capability == LUGE_CAP_HOST) {
    return (struct luge_verdict){false, ""};
  }
  const struct luge_rule_lists *lists = &permission->rules[capability];
  const struct luge_rule *rule = luge__rules_deny(lists, subject);
  if (rule != NULL) {
    return (struct luge_verdict){false, rule->text};
  }
  rule = luge__rules_allow(lists, subject);
  if (rule == NULL && operation == LUGE_OP_LOAD_MODULE) {
    rule = luge__rules_allow(&permission->modules, subject);
  }
  return (struct luge_verdict){rule != NULL, rule != NULL ? rule->text : ""};
}

int luge__permission_authorize(struct luge_host *host,
                               const luge_access *access) {
  return host->permission->authorize(host, access, host->options.user);
}

void luge__permission_audit(struct luge_host *host, const luge_access *access) {
  host->permission->audit(host, access, host->options.user);
}

/* Asks the embedder, and tells it. */
struct luge_verdict luge__settle(struct luge_host *host,
                                 enum luge_operation operation,
                                 const char *resource,
                                 struct luge_verdict verdict) {
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
  return (struct luge_verdict){access.allowed != 0, access.rule};
}

/* The option that would allow it: in its list a comma is written twice, and the
 * name of a temporary file is never the same again. */
static void push_option(lua_State *L, enum luge_operation operation,
                        const char *resource) {
  const char *slash = strrchr(resource, '/');
  if (operation == LUGE_OP_FS_TEMP && slash != NULL && slash != resource) {
    resource = lua_pushlstring(L, resource, (size_t)(slash - resource));
  }
  resource = luaL_gsub(L, resource, ",", ",,");
  lua_pushfstring(L, "--allow-%s=%s allows it",
                  luge__capability_name(luge__operation_capability(operation)),
                  resource);
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
  } else if (operation == LUGE_OP_SOCKET_WRITE && resource[0] == '@') {
    lua_pushliteral(L, "only --allow-write without a list allows it");
  } else {
    push_option(L, operation, resource);
  }
}

int luge__deny(lua_State *L, enum luge_operation operation,
               const char *resource, const char *rule) {
  enum luge_capability capability = luge__operation_capability(operation);
  const char *name = luge__operation_name(operation);
  push_reason(L, operation, resource, rule);
  luge__push_error(L, "permission", "%s%s%s is not permitted: %s",
                   operation == LUGE_OP_HOST ? "" : name,
                   operation == LUGE_OP_HOST ? "" : " of ", resource,
                   lua_tostring(L, -1));
  lua_pushstring(L, luge__capability_name(capability));
  lua_setfield(L, -2, "capability");
  lua_pushstring(L, resource);
  lua_setfield(L, -2, "resource");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "operation");
  return lua_error(L);
}

static void require_allowed(lua_State *L, enum luge_operation operation,
                            const char *resource,
                            const struct luge_subject *subject) {
  struct luge_host *host = luge__host(L);
  struct luge_verdict verdict = luge__settle(
      host, operation, resource, luge__judge(host, operation, subject));
  if (!verdict.allowed) {
    luge__deny(L, operation, resource, verdict.rule);
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
  return luge__settle(host, operation, resource,
                      luge__judge(host, operation, &subject))
      .allowed;
}

bool luge__would_permit(const struct luge_host *host,
                        enum luge_operation operation, const char *resource) {
  const struct luge_subject subject = named(operation, resource);
  return luge__judge(host, operation, &subject).allowed;
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
  struct luge_verdict verdict = luge__judge(luge__host(L), operation, &subject);
  return luge__deny(L, operation, resource,
                    verdict.allowed ? "authorize" : verdict.rule);
}

void luge__permit_program(lua_State *L, enum luge_operation operation,
                          const char *path) {
  if (luge__is_trusted(luge__host(L))) {
    return;
  }
  char *real = luge__real_path(path);
  if (real == NULL) {
    luge__raise_memory(L);
    return;
  }
  lua_pushstring(L, real);
  free(real);
  const struct luge_subject subject = {.text = path,
                                       .real = lua_tostring(L, -1)};
  require_allowed(L, operation, path, &subject);
  lua_pop(L, 1);
}

bool luge__can_be_read(const struct luge_host *host, const char *path) {
  const struct luge_permission *permission = host->permission;
  const struct luge_subject subject = {.text = path, .tree = true};
  return permission == NULL || permission->trusted ||
         luge__rules_touch(&permission->rules[LUGE_CAP_READ], &subject);
}
