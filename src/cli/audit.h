/* --audit FILE: a line of JSON for each decision about a permission. One file
 * for the process, which is never closed before its end. */
#ifndef LUGE_CLI_AUDIT_H
#define LUGE_CLI_AUDIT_H

#include <luge.h>
#include <stdbool.h>

/* Opens the file, to add to it. False: told on standard error why not. */
bool cli_audit_open(const char *path);

/* The callbacks `authorize` and `audit` of luge_capabilities. The first writes
 * what is allowed, so that nothing is done that is not in the file. When the
 * file cannot be written, that is reported once, and nothing is allowed any
 * more. */
int cli_audit_allowed(luge_host *host, const luge_access *access, void *user);
void cli_audit_denied(luge_host *host, const luge_access *access, void *user);

/* Whether something could not be written. */
bool cli_audit_failed(void);

#endif
