/* How a permission is decided: what the files that implement permission.h
 * share. */
#ifndef LUGE_CORE_PERMISSION_DECIDE_H
#define LUGE_CORE_PERMISSION_DECIDE_H

#include "permission.h"
#include "permission_rules.h"

struct luge_permission {
  bool trusted;   /* the rules do not count */
  bool inherited; /* the rules are another's */
  struct luge_rule_lists rules[LUGE_CAPS];
  struct luge_rule_lists modules;
  luge_authorize_fn authorize;
  luge_audit_fn audit;
};

struct luge_verdict {
  bool allowed;
  const char *rule; /* what decided; "": nothing */
};

/* What the rules say. */
struct luge_verdict luge__judge(const struct luge_host *host,
                                enum luge_operation operation,
                                const struct luge_subject *subject);

/* Asks and tells the embedder; returns the final decision. */
struct luge_verdict luge__settle(struct luge_host *host,
                                 enum luge_operation operation,
                                 const char *resource,
                                 struct luge_verdict verdict);

/* Raises `permission` for what was denied. */
int luge__deny(lua_State *L, enum luge_operation operation,
               const char *resource, const char *rule);

#endif
