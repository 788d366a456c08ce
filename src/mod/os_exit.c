/* os.exit: does not end the process, which is its embedder's, but cancels the
 * main task or, where the embedder has only started scripts, the caller's, and
 * gives the host a status to return. The first one counts. The caller ends too,
 * whichever task it is: `cancelled` is raised here, and again at every wait, so
 * that no `pcall` keeps it for long. `close`, the second argument, changes
 * nothing: the state is always closed. */
#include "os_exit.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"

static const char reason[] = "os.exit was called";

static int exit_code(lua_State *L) {
  if (lua_isboolean(L, 1)) {
    return lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  return (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
}

/* The task that the host owns, and which owns the current one, if not itself;
 * NULL: none runs. */
static struct luge_task *script_of(const struct luge_host *host) {
  struct luge_task *task = host->current;
  while (task != NULL && task->root.parent->task != NULL) {
    task = task->root.parent->task;
  }
  return task;
}

static void end(struct luge_task *task) {
  task->exiting = true;
  luge__scope_cancel(NULL, &task->root, reason);
}

static void note(struct luge_host *host, int code) {
  struct luge_task *script = script_of(host);
  const struct luge_task *main = host->main != NULL ? host->main : script;
  if (main == NULL || !main->exiting) {
    host->exit_code = code;
  }
  host->exiting = true;
  if (host->main != NULL) {
    end(host->main);
  }
  if (script != NULL && script != host->main) {
    end(script);
  }
}

/* Inside a shield, or where Lua cannot suspend, raises the error without
 * waiting for the children: the next wait does that. */
static int raise_exit(lua_State *L, struct luge_task *task) {
  bool can_wait = lua_isyieldable(L) && task->host->inside->co == L &&
                  task->host->inside->can_wait;
  if ((task->scope->flags & LUGE_SCOPE_CANCELLED) && can_wait) {
    luge__enter(L);
  }
  luge__push_error(L, "cancelled", "%s", reason);
  lua_pushstring(L, reason);
  lua_setfield(L, -2, "reason");
  return lua_error(L);
}

int luge__os_exit(lua_State *L) {
  int code = exit_code(L);
  struct luge_host *host = luge__host(L);
  note(host, code);
  if (host->current == NULL) { /* a finalizer, at the very end */
    return 0;
  }
  luge__scope_cancel(NULL, &host->current->root, reason); /* in a shield too */
  return raise_exit(L, host->current);
}
