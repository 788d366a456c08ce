/* The end of a task; see task.h. It settles its cell on its own thread, under
 * Lua's protection, as the last thing that runs there. What is left for the
 * scheduler, after the thread has returned, allocates nothing. */
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "failure.h"
#include "host.h"
#include "newborn.h"
#include "scope_object.h"
#include "start.h"
#include "task.h"
#include "trace.h"

/* Inside a task a full memory is Lua's own string; what leaves a task is a
 * `limit` error. */
static void translate_memory(lua_State *L) {
  const char *message =
      lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  if (strcmp(message, "not enough memory") != 0) {
    return;
  }
  luge__push_error(L, "limit", "not enough memory");
  luge__set_limit(L, "memory", (lua_Integer)luge__host(L)->memory.limit);
  lua_replace(L, -2);
}

/* The task, whose Task is at index 1, has failed with the error on top. */
static void settle_failed(lua_State *L, struct luge_task *task) {
  struct luge_scope *owner = task->root.parent;
  translate_memory(L);
  if ((task->root.flags & LUGE_SCOPE_CANCELLED) &&
      luge__is_error(L, -1, "cancelled")) {
    luge__cell_cancel(L, 1, &task->cell);
    return;
  }
  luge__trace_spawned(L, task, 1);
  bool awaited = luge__cell_awaited(&task->cell);
  if ((owner->flags & LUGE_SCOPE_FAIL_FAST) && !awaited) {
    luge__scope_keep_error(L, owner);
  }
  task->unawaited = !luge__cell_reject(L, 1, &task->cell, owner);
}

int luge__task_left(lua_State *L, struct luge_scope *root, int first,
                    bool failed) {
  struct luge_task *task = root->task;
  if (failed) {
    luaL_checkstack(L, 8, NULL);
    settle_failed(L, task);
  } else {
    luge__cell_resolve(L, 1, &task->cell, lua_gettop(L) - first + 1);
  }
  return 0;
}

/* The Task is at index 1, its error at 2. */
static int settle_protected(lua_State *L) {
  settle_failed(L, lua_touserdata(L, 1));
  return 0;
}

/* Settles the cell of a task whose thread cannot do it. The Task and its error
 * are on top of the stack, and popped. */
static void settle_outside(lua_State *L, struct luge_task *task) {
  lua_pushcfunction(L, settle_protected);
  lua_insert(L, -3);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) { /* out of memory, again */
    task->unawaited = !luge__cell_break(&task->cell);
    if (task->unawaited) {
      luge__report(L, task->host);
    }
    lua_pop(L, 1);
  }
}

/* Ends a task whose thread did not return: it raised outside of its function
 * (out of memory), or yielded something that is not a wait. */
static void end_by_force(struct luge_task *task, int status) {
  lua_State *L = task->host->L, *co = task->thread.co;
  luge__scope_cancel_children(&task->root, "its owner failed");
  if (status == LUA_YIELD) {
    lua_pushliteral(L, "a C library yielded from a task");
  } else {
    lua_xmove(co, L, 1); /* makes room for the Task */
  }
  if (!luge__thread_push_first(L, co)) {
    lua_pushnil(L);
  }
  lua_insert(L, -2);
  luge__thread_mark(co, LUGE_THREAD_LENT, true);
  lua_resetthread(co);
  settle_outside(L, task);
}

/* It is settled: its owner and the host let go of it. */
static void leave(struct luge_task *task) {
  struct luge_host *host = task->host;
  luge__scope_close(&task->root);
  luge__list_remove(&task->sibling);
  luge__scope_child_ended(task->root.parent, task->unawaited);
  if (task->has_context) {
    lua_pushboolean(host->store, 0);
    lua_rawseti(host->store, LUGE_CONTEXTS, task->thread.slot);
  }
  host->live--;
  if (task->started_by_host) {
    luge__start_tell(task);
  }
}

void luge__task_ended(struct luge_task *task, int status) {
  if (status != LUA_OK || task->cell.state == LUGE_CELL_PENDING) {
    end_by_force(task, status);
  }
  leave(task);
  luge__thread_give(task->host, task->thread);
  task->thread.co = NULL;
}

/* No memory for a thread: it fails without having run. */
static void fail_unborn(struct luge_task *task) {
  lua_State *L = task->host->L;
  luge__newborn_push(L, task);
  lua_insert(L, -2);
  task->bed = 0;
  settle_outside(L, task);
  leave(task);
  task->thread.co = NULL;
}

bool luge__task_begin(struct luge_task *task) {
  if (!luge__newborn_start(task)) {
    fail_unborn(task);
    return false;
  }
  task->bed = 0;
  return true;
}
