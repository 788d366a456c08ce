/* The text of a script, read from a file or from standard input. */
#ifndef LUGE_CLI_SCRIPT_H
#define LUGE_CLI_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct cli_script {
  char *bytes;      /* as read; freed by cli_script_free */
  const char *text; /* what Lua is to see of it; NULL: there is none */
  size_t length;
  char *name; /* of the chunk, as for lua_load */
};

/* Reads `path`, or standard input if it is NULL. False: told on standard error
 * why not. cli_script_free is to be called in either case. */
bool cli_script_read(struct cli_script *script, const char *path);

/* Text that belongs to the program instead. False: out of memory, and told. */
bool cli_script_use(struct cli_script *script, const char *text,
                    const char *name);

void cli_script_free(struct cli_script *script);

#endif
