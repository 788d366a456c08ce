/* --audit FILE: a line of JSON for each decision about a permission. One file
 * for the process, which is never closed before its end. */
#ifndef LUGE_CLI_AUDIT_H
#define LUGE_CLI_AUDIT_H

#include <luge.h>
#include <stdbool.h>

/* Opens the file, to add to it. False: told on standard error why not. */
bool cli_audit_open(const char *path);

/* Callbacks of luge_capabilities. What cannot be written is told once, and
 * from then on nothing is allowed. */
void cli_audit(luge_host *host, const luge_access *access, void *user);
int cli_audit_works(luge_host *host, const luge_access *access, void *user);

/* Whether something could not be written. */
bool cli_audit_failed(void);

#endif
