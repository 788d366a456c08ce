/* Scripts as embedders give them, and the tasks they become. */
#ifndef LUGE_CORE_SCRIPT_H
#define LUGE_CORE_SCRIPT_H

#include <lua.h>
#include <stdbool.h>
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

/* A script of text, which is not copied; `name` may be NULL. */
static inline struct luge_script luge__script_of(const char *code,
                                                 size_t length,
                                                 const char *name, int argc,
                                                 const char *const *argv) {
  return (struct luge_script){.code = code,
                              .length = length,
                              .name = name != NULL ? name : "=(string)",
                              .argc = argc,
                              .argv = argv};
}

/* Whether its arguments are strings, as many as it says. */
bool luge__script_fits(const struct luge_script *script);

/* Loads the script and spawns it as a task of the host's; pushes the Task on
 * the main state. NULL: pushes the error instead. */
struct luge_task *luge__script_spawn(struct luge_host *host,
                                     const struct luge_script *script);

/* Whether the main state has a function below `nargs` arguments on top. */
bool luge__script_has_function(const struct luge_host *host, int nargs);

/* The same for that function; pops it and the arguments. */
struct luge_task *luge__script_spawn_function(struct luge_host *host,
                                              int nargs);

/* Something is to run: forgets an os.exit, unless what it cancels still
 * lives. */
void luge__script_begin(struct luge_host *host);

#endif
