/* The permissions of a host, read and freed; see permission.h. */
#include "permission.h"

#include <stddef.h>
#include <string.h>

#include "permission_decide.h"

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
