/* What each live task waits for, and where; see describe.h. */
#include "describe.h"

#include <lauxlib.h>

#include "host.h"
#include "stack.h"
#include "task.h"
#include "wait.h"

struct listener {
  void (*each)(const char *line, void *user);
  void *user;
};

/* Pushes " at FILE:LINE", of the innermost Lua function that is a script's and
 * not luge's own; or "". */
static void push_place(lua_State *L, lua_State *co) {
  lua_Debug ar;
  for (int level = 0; lua_getstack(co, level, &ar); level++) {
    lua_getinfo(co, "Sl", &ar);
    if (ar.currentline > 0 && !luge__stack_is_own(&ar)) {
      lua_pushfstring(L, " at %s:%d", ar.short_src, ar.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

const char *luge__describe_task(lua_State *L, int index) {
  const struct luge_task *task = lua_touserdata(L, index);
  int top = lua_gettop(L);
  luaL_checkstack(L, 8, NULL);
  const char *name = luge__task_name(L, index);
  const char *what = luge__wait_describe(L, task);
  bool waits = what[0] != '\0';
  push_place(L, task->thread.co);
  lua_pushfstring(L, "%s %s%s%s", name, waits ? "waits for " : "is ",
                  waits ? what : luge__task_status(task), lua_tostring(L, -1));
  lua_copy(L, -1, top + 1);
  lua_settop(L, top + 1);
  return lua_tostring(L, -1);
}

static int describe_all(lua_State *L) {
  const struct listener *listener = lua_touserdata(L, 1);
  struct luge_task_walk walk = {0};
  struct luge_task *task;
  while ((task = luge__task_next(L, &walk)) != NULL) {
    const char *line = luge__describe_task(L, 2);
    task->host->calling++;
    listener->each(line, listener->user);
    task->host->calling--;
    lua_settop(L, 1);
  }
  return 0;
}

int luge_describe_tasks(luge_host *host,
                        void (*each)(const char *line, void *user),
                        void *user) {
  if (!luge__usable(host) || each == NULL || host->current != NULL) {
    return LUGE_INVALID;
  }
  struct listener listener = {each, user};
  lua_State *L = host->L;
  lua_pushcfunction(L, describe_all);
  lua_pushlightuserdata(L, &listener);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    lua_pop(L, 1);
    return LUGE_MEMORY;
  }
  return LUGE_OK;
}
