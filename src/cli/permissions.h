/* The options about permissions: --sandbox, --allow-*, --deny-*, --audit. */
#ifndef LUGE_CLI_PERMISSIONS_H
#define LUGE_CLI_PERMISSIONS_H

#include <luge.h>
#include <stdbool.h>
#include <stddef.h>

enum { CLI_CAPABILITIES = 5 };

struct cli_permissions {
  bool restricted; /* any of the options but --audit was given */
  char *allow[CLI_CAPABILITIES], *deny[CLI_CAPABILITIES]; /* or NULL */
  const char *audit;                                      /* a path, or NULL */
};

/* Whether the option, whose name has `length` bytes, is an --allow-* or a
 * --deny-*. They have no value, or one behind a "=". */
bool cli_is_permission(const char *option, size_t length);

/* Takes such an option. False: told on standard error what is wrong. */
bool cli_take_permission(struct cli_permissions *permissions,
                         const char *option, size_t length);

/* Restricts the host as the options say; `script` is the path of the script
 * that it will run, or NULL. Returns 0; or the exit status, after saying on
 * standard error why. */
int cli_permissions_apply(luge_host *host,
                          const struct cli_permissions *permissions,
                          const char *script);

void cli_permissions_free(struct cli_permissions *permissions);

#endif
