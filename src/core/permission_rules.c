/* Reading and matching rules; see permission_rules.h. */
#include "permission_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "place.h"
#include "program.h"

/* Reading. A rule is one block: the struct, its text, its value. */

static struct luge_rule *new_rule(struct luge_host *host,
                                  enum luge_capability capability, bool denies,
                                  const char *entry) {
  const char *name = luge__capability_name(capability);
  size_t length = strlen(entry);
  size_t text_size = strlen("--allow-=") + strlen(name) + length + 1;
  size_t size = sizeof(struct luge_rule) + text_size + length + 1;
  struct luge_rule *rule = luge__realloc(host, NULL, 0, size);
  if (rule == NULL) {
    return NULL;
  }
  *rule = (struct luge_rule){.size = size, .port = LUGE_ANY_PORT};
  char *text = (char *)(rule + 1);
  const char *verb = denies ? "deny" : "allow";
  snprintf(text, text_size, strcmp(entry, "*") == 0 ? "--%s-%s" : "--%s-%s=%s",
           verb, name, entry);
  rule->text = text;
  rule->value = memcpy(text + text_size, entry, length + 1);
  return rule;
}

static void free_rule(struct luge_host *host, struct luge_rule *rule) {
  if (rule->kind == LUGE_RULE_BELOW || rule->kind == LUGE_RULE_PROGRAM) {
    free(rule->value);
    free(rule->real);
  }
  luge__realloc(host, rule, rule->size, 0);
}

static void free_list(struct luge_host *host, struct luge_rule *rule) {
  while (rule != NULL) {
    struct luge_rule *next = rule->next;
    free_rule(host, rule);
    rule = next;
  }
}

void luge__rules_free(struct luge_host *host, struct luge_rule_lists *lists) {
  free_list(host, lists->allow);
  free_list(host, lists->deny);
  *lists = (struct luge_rule_lists){NULL, NULL};
}

/* Each of these reads a rule of one kind; the result is NULL, or what is wrong
 * with it. */

static const char *const no_memory = "out of memory";

static const char *read_path(struct luge_rule *rule) {
  if (rule->value[0] == '~') {
    return "it begins with a ~ that no shell has expanded; a file of such a "
           "name is ./~";
  }
  char *real = luge__real_path(rule->value);
  if (real == NULL) {
    return "it cannot be looked up";
  }
  rule->value = real;
  rule->kind = LUGE_RULE_BELOW;
  return NULL;
}

static const char *read_name(struct luge_rule *rule) {
  size_t length = strlen(rule->value);
  if (strchr(rule->value, '=') != NULL) {
    return "it is no name of a variable";
  }
  rule->kind = LUGE_RULE_EXACT;
  if (rule->value[length - 1] == '*') {
    rule->kind = LUGE_RULE_PREFIX;
    rule->value[length - 1] = '\0';
  }
  return strchr(rule->value, '*') != NULL ? "it has a * that is not its end"
                                          : NULL;
}

static const char *read_program(struct luge_rule *rule) {
  char *path = luge__program_find(rule->value, NULL);
  if (path == NULL) {
    /* There is no program of that name: the rule applies to none. */
    rule->kind = LUGE_RULE_EXACT;
    rule->value[0] = '\0';
    return NULL;
  }
  rule->kind = LUGE_RULE_PROGRAM;
  rule->value = path;
  rule->real = luge__real_path(path);
  return rule->real == NULL ? no_memory : NULL;
}

/* Cuts the port off "host:port" and "[v6]:port"; an IPv6 address without
 * brackets has none. */
static const char *cut_port(struct luge_rule *rule) {
  char *text = rule->value, *colon = strrchr(text, ':');
  bool bracketed = text[0] == '[';
  if (colon == NULL || (bracketed && colon[-1] != ']') ||
      (!bracketed && strchr(text, ':') != colon)) {
    return NULL;
  }
  char *end;
  unsigned long port = strtoul(colon + 1, &end, 10);
  if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > 65535) {
    return "its port is no number up to 65535";
  }
  rule->port = (uint32_t)port;
  *colon = '\0';
  return NULL;
}

static void cut_brackets(struct luge_rule *rule) {
  size_t length = strlen(rule->value);
  if (rule->value[0] == '[' && rule->value[length - 1] == ']') {
    rule->value[length - 1] = '\0';
    rule->value++;
  }
}

static const char *read_host(struct luge_rule *rule) {
  char name[LUGE_HOST_MAX + 1];
  if (strstr(rule->value, "://") != NULL) {
    return "it is a URL, of which a rule takes the host";
  }
  const char *wrong = cut_port(rule);
  if (wrong != NULL) {
    return wrong;
  }
  cut_brackets(rule);
  char *text = rule->value;
  if (strcmp(text, "*") == 0) {
    rule->kind = LUGE_RULE_ANY;
    return NULL;
  }
  if (luge__address_block_parse(&rule->block, text, strlen(text))) {
    rule->kind = LUGE_RULE_BLOCK;
    return NULL;
  }
  bool below = strncmp(text, "*.", 2) == 0;
  const char *host = below ? text + 2 : text;
  if (strchr(host, '/') != NULL) {
    return "it is no block of addresses, such as 10.0.0.0/8, with zeros behind "
           "its bits";
  }
  if (strchr(host, ':') != NULL ||
      luge__address_is_numeric(host, strlen(host))) {
    return "it is no host and no address";
  }
  wrong = luge__host_normalize(host, strlen(host), name);
  if (wrong != NULL) {
    return wrong;
  }
  rule->kind = below ? LUGE_RULE_SUFFIX : LUGE_RULE_EXACT;
  memcpy(text + below, name, strlen(name) + 1);
  text[0] = below ? '.' : text[0];
  return NULL;
}

static const char *read_rule(struct luge_rule *rule,
                             enum luge_capability capability) {
  if (strcmp(rule->value, "*") == 0) {
    rule->kind = LUGE_RULE_ANY;
    return NULL;
  }
  switch (capability) {
  case LUGE_CAP_NET:
    return read_host(rule);
  case LUGE_CAP_ENV:
    return read_name(rule);
  case LUGE_CAP_RUN:
    return read_program(rule);
  default:
    return read_path(rule);
  }
}

/* Copies the entry that `list` begins with, ",," being a comma, and returns
 * what follows it; NULL: it was the last. */
static const char *take_entry(const char *list, char *entry) {
  for (; *list != '\0'; list++) {
    if (*list == ',' && *++list != ',') {
      *entry = '\0';
      return list;
    }
    *entry++ = *list;
  }
  *entry = '\0';
  return NULL;
}

static int refuse(struct luge_host *host, const char *text, const char *why) {
  char message[512];
  snprintf(message, sizeof message, "%s: %s", text, why);
  luge__log(host, LUGE_LOG_ERROR, message);
  return LUGE_INVALID;
}

static int read_list(struct luge_host *host, struct luge_rule **last,
                     enum luge_capability capability, bool denies,
                     const char *list) {
  size_t size = list != NULL ? strlen(list) + 1 : 0;
  char *entry = list != NULL ? luge__realloc(host, NULL, 0, size) : NULL;
  int status = list != NULL && entry == NULL ? LUGE_MEMORY : LUGE_OK;
  while (status == LUGE_OK && list != NULL) {
    list = take_entry(list, entry);
    struct luge_rule *rule = new_rule(host, capability, denies, entry);
    if (rule == NULL) {
      status = LUGE_MEMORY;
      break;
    }
    *last = rule;
    last = &rule->next;
    const char *wrong = entry[0] == '\0' ? "an entry of the list is empty"
                                         : read_rule(rule, capability);
    status = wrong != NULL ? refuse(host, rule->text, wrong) : LUGE_OK;
  }
  luge__realloc(host, entry, size, 0);
  return status;
}

int luge__rules_read(struct luge_host *host, struct luge_rule_lists *lists,
                     enum luge_capability capability, const luge_rules *given) {
  *lists = (struct luge_rule_lists){NULL, NULL};
  int status = read_list(host, &lists->allow, capability, false, given->allow);
  return status == LUGE_OK
             ? read_list(host, &lists->deny, capability, true, given->deny)
             : status;
}

/* Matching. */

static bool is_below(const char *path, const char *directory) {
  size_t length = strlen(directory);
  if (strcmp(directory, "/") == 0) {
    return path[0] == '/';
  }
  return strncmp(path, directory, length) == 0 &&
         (path[length] == '\0' || path[length] == '/');
}

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text), end_length = strlen(end);
  return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_same(const char *a, const char *b) {
  return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool holds(const struct luge_rule *rule,
                  const struct luge_address *address) {
  return address != NULL && luge__address_block_holds(&rule->block, address);
}

static bool is_named(const struct luge_rule *rule, const char *text) {
  if (text == NULL) {
    return false;
  }
  switch (rule->kind) {
  case LUGE_RULE_PREFIX:
    return strncmp(text, rule->value, strlen(rule->value)) == 0;
  case LUGE_RULE_SUFFIX:
    return ends_with(text, rule->value);
  case LUGE_RULE_BELOW:
    return is_below(text, rule->value);
  default:
    return strcmp(text, rule->value) == 0;
  }
}

static bool matches(const struct luge_rule *rule,
                    const struct luge_subject *subject) {
  if (rule->port != LUGE_ANY_PORT && rule->port != subject->port) {
    return false;
  }
  return rule->kind == LUGE_RULE_ANY ||
         (rule->kind == LUGE_RULE_BLOCK
              ? holds(rule, subject->address) || holds(rule, subject->other)
              : is_named(rule, subject->text) ||
                    is_named(rule, subject->alias));
}

/* A denial applies to everything that the subject is or contains: also to a
 * program by its real path, and to a tree by what is below it. */
static bool touches(const struct luge_rule *rule,
                    const struct luge_subject *subject) {
  bool is_program = rule->kind == LUGE_RULE_PROGRAM;
  bool is_tree = rule->kind == LUGE_RULE_BELOW && subject->tree;
  return matches(rule, subject) ||
         (is_program && is_same(subject->real, rule->real)) ||
         (is_tree && is_below(rule->value, subject->text));
}

/* /proc shows what other capabilities protect, so a rule must name it: one for
 * a directory above, such as "/", does not reach it. */
static bool reaches_processes(const struct luge_rule *rule) {
  return rule->kind == LUGE_RULE_BELOW && is_below(rule->value, "/proc");
}

const struct luge_rule *luge__rules_allow(const struct luge_rule_lists *lists,
                                          const struct luge_subject *subject) {
  bool in_proc = subject->text != NULL && is_below(subject->text, "/proc");
  const struct luge_rule *rule = lists->allow;
  while (rule != NULL &&
         (!matches(rule, subject) || (in_proc && !reaches_processes(rule)))) {
    rule = rule->next;
  }
  return rule;
}

const struct luge_rule *luge__rules_deny(const struct luge_rule_lists *lists,
                                         const struct luge_subject *subject) {
  const struct luge_rule *rule = lists->deny;
  while (rule != NULL && !touches(rule, subject)) {
    rule = rule->next;
  }
  return rule;
}

bool luge__rules_touch(const struct luge_rule_lists *lists,
                       const struct luge_subject *subject) {
  const struct luge_rule *rule = lists->allow;
  while (rule != NULL && !touches(rule, subject)) {
    rule = rule->next;
  }
  return rule != NULL;
}

bool luge__rules_await_address(const struct luge_rule_lists *lists,
                               uint16_t port) {
  const struct luge_rule *rule = lists->allow;
  while (rule != NULL &&
         (rule->kind != LUGE_RULE_BLOCK ||
          (rule->port != LUGE_ANY_PORT && rule->port != port))) {
    rule = rule->next;
  }
  return rule != NULL;
}
