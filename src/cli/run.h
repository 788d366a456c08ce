/* Running what the command line asks for, in one host. */
#ifndef LUGE_CLI_RUN_H
#define LUGE_CLI_RUN_H

#include "options.h"

/* Returns the exit status. */
int cli_run(int argc, char **argv, const struct cli_options *options);

/* The same for an executable that was built: all arguments are the script's. */
int cli_run_app(int argc, char **argv);

#endif
