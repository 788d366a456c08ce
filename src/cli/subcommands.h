/* `luge NAME ...`: commands of their own. Each is a line of Lua that is run as
 * the script, with the arguments behind the name. */
#ifndef LUGE_CLI_SUBCOMMANDS_H
#define LUGE_CLI_SUBCOMMANDS_H

struct cli_subcommand {
  const char *name;
  const char *code; /* NULL: not part of this version */
};

/* NULL: there is none of the name, which then is that of a script. */
const struct cli_subcommand *cli_find_subcommand(const char *name);

#endif
