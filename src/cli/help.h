/* What `luge --help` and `luge --version` print on standard output. */
#ifndef LUGE_CLI_HELP_H
#define LUGE_CLI_HELP_H

/* Both return the exit status. */
int cli_help(void);
int cli_version(void);

#endif
