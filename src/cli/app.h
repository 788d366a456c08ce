/* Executables that `luge build` has made: this command, with a script and its
 * modules behind it. Where they are is written into a marker in the command's
 * own data, so that luge itself looks for nothing, what others append (a
 * signature, say) does no harm, and one that was stripped of them knows it.
 *
 * Behind the offset of the marker are records, one for each option, the script
 * and each module: a byte for the kind ('o', 's', 'm'), the lengths of a name,
 * a path and a text as 32 bits each, little-endian, and the three. An option is
 * a text that a zero byte ends. */
#ifndef LUGE_CLI_APP_H
#define LUGE_CLI_APP_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "script.h"

struct cli_app {
  char *records; /* malloc'ed */
  size_t length;
  char **options; /* malloc'ed, in the records: argv[0], then the options */
  int option_count;
};

/* Whether the running executable is one. */
bool cli_app_is_one(void);

/* Reads what is behind it. False: told on standard error why not. cli_app_free
 * is to be called in either case. */
bool cli_app_read(struct cli_app *app);
void cli_app_free(struct cli_app *app);

/* Its script, whose text stays the app's. False: told. */
bool cli_app_script(const struct cli_app *app, struct cli_script *script);

/* Puts its modules into package.preload; the app must stay as long as scripts
 * run, those of workers too. May raise (memory). */
void cli_app_install(lua_State *L, const struct cli_app *app);

/* The marker as it is in luge; and what it begins with, however it goes on. */
const char *cli_app_marker(size_t *prefix);

/* The path of the running executable, malloc'ed; NULL: it is not known. */
char *cli_app_executable(void);

#endif
