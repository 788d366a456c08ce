/* Deadlock; see deadlock.h. */
#include "deadlock.h"

#include <lauxlib.h>

#include "describe.h"
#include "error.h"
#include "failure.h"
#include "host.h"
#include "task.h"

/* Tasks named in the text of one error. */
enum { MAX_LINES = 20 };

/* Pops a Task; appends its entry to the list at index `list`, and its line to
 * the string just above the list. */
static void describe(lua_State *L, struct luge_task *task, int list) {
  lua_Integer place = (lua_Integer)lua_rawlen(L, list) + 1;
  int index = lua_gettop(L);
  if (place <= MAX_LINES) {
    const char *before = lua_tostring(L, list + 1);
    lua_pushfstring(L, "%s\n\t%s", before, luge__describe_task(L, index));
    lua_replace(L, list + 1);
    lua_settop(L, index);
  }
  const char *what = luge__wait_describe(L, task);
  lua_createtable(L, 0, 2);
  luge__task_name(L, index);
  lua_setfield(L, -2, "task");
  lua_pushstring(L, what[0] != '\0' ? what : luge__task_status(task));
  lua_setfield(L, -2, "waits_for");
  lua_rawseti(L, list, place);
  lua_settop(L, list + 1);
}

/* Pushes a list of the live tasks, each { task = label, waits_for = text },
 * and a text with a line each. */
static void describe_all(lua_State *L) {
  luaL_checkstack(L, 10, NULL);
  lua_newtable(L);
  int list = lua_gettop(L);
  lua_pushliteral(L, "");
  struct luge_task_walk walk = {0};
  struct luge_task *task;
  while ((task = luge__task_next(L, &walk)) != NULL) {
    describe(L, task, list);
  }
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  if (count > MAX_LINES) {
    lua_pushfstring(L, "\n\tand %d more", (int)(count - MAX_LINES));
    lua_concat(L, 2);
  }
}

static int push_error(lua_State *L) {
  describe_all(L);
  luge__push_error(L, "deadlock",
                   "every task waits for what can no longer come:%s",
                   lua_tostring(L, -1));
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "tasks");
  return 1;
}

/* The main task's function has returned: the error takes the place of what it
 * returned, once its children are gone. */
static int fail_joining(lua_State *L) {
  struct luge_task *task = luge__host(L)->main;
  struct luge_scope *scope = task->wait.data;
  push_error(L);
  struct luge_failure *failure = luge__failure_new(L);
  luge__list_append(&scope->failures, &failure->link);
  luge__scope_cancel_children(scope, "deadlock");
  lua_setfield(L, LUA_REGISTRYINDEX, "luge.deadlock"); /* anchors it */
  return 0;
}

/* The last resort, for tasks that wait behind shields. */
static void cancel_all(struct luge_host *host) {
  struct luge_task_walk walk = {0};
  struct luge_task *task;
  while ((task = luge__task_next(host->store, &walk)) != NULL) {
    lua_pop(host->store, 1);
    luge__scope_cancel(NULL, task->scope, "deadlock");
  }
}

void luge__deadlock_break(struct luge_host *host) {
  struct luge_task *task = host->main;
  bool joins = luge__joins(task) && !host->deadlocked;
  host->deadlocked = joins;
  lua_State *L = host->L;
  lua_pushcfunction(L, joins ? fail_joining : push_error);
  if (lua_pcall(L, 0, joins ? 0 : 1, 0) != LUA_OK) {
    lua_pop(L, 1);
  } else if (joins || luge__wait_raise(task, L)) {
    return;
  }
  cancel_all(host);
}
