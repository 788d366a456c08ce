/* Scripts as embedders give them, and the tasks they become. */
#ifndef LUGE_CORE_SCRIPT_H
#define LUGE_CORE_SCRIPT_H

#include <lua.h>
#include <stddef.h>

struct luge_host;
struct luge_task;

struct luge_script {
  const char *code; /* NULL: a file */
  size_t length;
  const char *name; /* of the chunk, or the file; NULL: standard input */
  int argc;
  const char *const *argv;
};

/* Loads the script and spawns it as a task of the host's; pushes the Task on
 * the main state. NULL: pushes the error instead. */
struct luge_task *luge__script_spawn(struct luge_host *host,
                                     const struct luge_script *script);

#endif
