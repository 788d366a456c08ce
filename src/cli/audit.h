/* --audit FILE: a line of JSON for each decision about a permission. One file
 * for the process, which is never closed before its end. */
#ifndef LUGE_CLI_AUDIT_H
#define LUGE_CLI_AUDIT_H

#include <luge.h>
#include <stdbool.h>

/* Opens the file, to add to it. False: told on standard error why not. */
bool cli_audit_open(const char *path);

/* Callbacks of luge_capabilities, `authorize` and `audit`: what is allowed is
 * written by the first, so that nothing is done that is not told. What cannot
 * be written is said once, and from then on nothing is allowed. */
int cli_audit_allowed(luge_host *host, const luge_access *access, void *user);
void cli_audit_denied(luge_host *host, const luge_access *access, void *user);

/* Whether something could not be written. */
bool cli_audit_failed(void);

#endif
