/* The command line: what is to be done, in `argv`'s own strings. */
#ifndef LUGE_CLI_OPTIONS_H
#define LUGE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "permissions.h"

enum cli_action {
  CLI_RUN,     /* -e's and the script */
  CLI_COMMAND, /* a subcommand: argv[operand] is its name */
  CLI_HELP,
  CLI_VERSION
};

struct cli_options {
  enum cli_action action;
  double timeout; /* seconds; 0: none */
  double slow;    /* the same */
  size_t memory_limit;
  bool interactive;  /* -i: a prompt behind what is run */
  bool has_code;     /* an -e was given; they stand before `operand` */
  bool literal_dash; /* "-" stands behind "--": it is the name of a file */
  struct cli_permissions permissions; /* freed by who has parsed them */
  int operand;   /* the first argument that is no option; argc: none */
  int test_file; /* the argument that names the file whose tests this process,
                    one of those of `luge test`, runs; 0: it is none */
};

/* Reads the options. False: told on standard error what is wrong with them. */
bool cli_parse(int argc, char **argv, struct cli_options *options);

/* Calls `each` with the code of each -e, until it returns false. */
bool cli_each_code(int argc, char **argv,
                   bool (*each)(const char *code, void *user), void *user);

/* The same with the path of each --env-file. */
bool cli_each_env_file(int argc, char **argv,
                       bool (*each)(const char *path, void *user), void *user);

#endif
