/* The rules of a capability: lists of what is allowed and denied, read once
 * from the texts in luge.h, and matched without touching the system. They are
 * made of the host's memory. */
#ifndef LUGE_CORE_PERMISSION_RULES_H
#define LUGE_CORE_PERMISSION_RULES_H

#include <luge.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "operation.h"

struct luge_rule {
  struct luge_rule *next;
  const char *text; /* as the option that gives it: "--allow-read=/srv" */
  enum {
    LUGE_RULE_ANY,
    LUGE_RULE_EXACT,  /* value is the whole */
    LUGE_RULE_PREFIX, /* value is how it begins */
    LUGE_RULE_SUFFIX, /* value is how it ends */
    LUGE_RULE_BELOW,  /* value is a path: this, and what is below */
    LUGE_RULE_BLOCK,  /* addresses */
    LUGE_RULE_PROGRAM /* value is its path; real, where that leads */
  } kind;
  char *value, *real;
  struct luge_address_block block;
  uint32_t port; /* LUGE_ANY_PORT */
  size_t size;
};

enum { LUGE_ANY_PORT = 65536 };

struct luge_rule_lists {
  struct luge_rule *allow, *deny;
};

/* What is asked about; what does not apply is NULL. */
struct luge_subject {
  const char *text; /* a real path, the name of a variable or host, a program */
  const char *alias;                          /* another name of the host */
  const char *real;                           /* the program's real path */
  const struct luge_address *address, *other; /* another that it leads to */
  uint16_t port;
  bool tree; /* with all that is below the path */
};

/* Reads both lists. 0; LUGE_MEMORY; or LUGE_INVALID, and the log was told. What
 * was read is to be freed in any case. */
int luge__rules_read(struct luge_host *host, struct luge_rule_lists *lists,
                     enum luge_capability capability, const luge_rules *given);
void luge__rules_free(struct luge_host *host, struct luge_rule_lists *lists);

/* The first rule that the subject falls under, or NULL. */
const struct luge_rule *luge__rules_allow(const struct luge_rule_lists *lists,
                                          const struct luge_subject *subject);
const struct luge_rule *luge__rules_deny(const struct luge_rule_lists *lists,
                                         const struct luge_subject *subject);

/* Whether anything allows the path of the subject, or something below it. */
bool luge__rules_touch(const struct luge_rule_lists *lists,
                       const struct luge_subject *subject);

/* Whether addresses that are not known yet may be allowed, at the port. */
bool luge__rules_await_address(const struct luge_rule_lists *lists,
                               uint16_t port);

#endif
