/* Running a function in a scope, and leaving it when its children have ended;
 * see scope.h. While the children are waited for, what came out of the
 * function stays on the stack, from scope->first on: the results, or the error.
 * On top of them, whether it failed. */
#include <lauxlib.h>

#include "block.h"
#include "error.h"
#include "failure.h"
#include "host.h"
#include "sched.h"
#include "scope.h"
#include "scope_object.h"
#include "task.h"
#include "trace.h"

static int leave(lua_State *L, struct luge_scope *scope, bool failed);

/* A scope that was cancelled while it waited for its children is left by
 * `cancelled`, as any wait. */
static int on_children_ended(lua_State *L, struct luge_task *task, int base) {
  struct luge_scope *scope = task->wait.data;
  bool failed = lua_toboolean(L, base);
  lua_settop(L, base - 1);
  if (!failed && (scope->flags & LUGE_SCOPE_CANCELLED) &&
      luge__list_empty(&scope->failures)) {
    lua_settop(L, scope->first - 1);
    luge__scope_push_cancelled(L, scope);
    failed = true;
  }
  return leave(L, scope, failed);
}

static const struct luge_wait_kind children_kind = {
    .name = "its tasks to end", .finish = on_children_ended};

bool luge__joins(const struct luge_task *task) {
  return task->wait.kind == &children_kind;
}

/* The error of the first child that nobody awaited takes the place of the
 * results. */
static bool take_failure(lua_State *L, struct luge_scope *scope) {
  if (luge__list_empty(&scope->failures)) {
    return false;
  }
  lua_settop(L, scope->first - 1);
  luge__failure_take(
      L, luge__container(scope->failures.next, struct luge_failure, link));
  return true;
}

/* One error is raised. The others are in the scope's `errors`, if it is such
 * a scope, or else are reported: nothing fails in silence. */
static void settle_others(lua_State *L, struct luge_scope *scope) {
  if (scope->flags & LUGE_SCOPE_FAIL_FAST) {
    luge__failures_drop(L, &scope->failures);
  } else {
    luge__failures_report(L, &scope->failures);
  }
}

static int leave(lua_State *L, struct luge_scope *scope, bool failed) {
  luaL_checkstack(L, 8, NULL);
  luge__blocks_abandon(scope);
  if (!failed) {
    failed = take_failure(L, scope);
  }
  if (failed) {
    luge__scope_cancel_children(scope, "its owner failed");
  } else {
    luge__scope_dismiss(scope);
  }
  if (!luge__list_empty(&scope->children)) {
    struct luge_task *task = scope->task;
    task->wait.data = scope;
    lua_pushboolean(L, failed);
    return luge__suspend(L, task, &children_kind);
  }
  if (failed) {
    settle_others(L, scope);
    lua_settop(L, scope->first);
  }
  return scope->left(L, scope, scope->first, failed);
}

/* Among the `errors` of a scope its own is where it came. */
static void keep_own_error(lua_State *L, struct luge_scope *scope) {
  if ((scope->flags & LUGE_SCOPE_FAIL_FAST) &&
      !((scope->flags & LUGE_SCOPE_CANCELLED) &&
        luge__is_error(L, -1, "cancelled"))) {
    luge__scope_keep_error(L, scope);
  }
}

static int on_return(lua_State *L, int status, lua_KContext context) {
  struct luge_scope *scope = (struct luge_scope *)context;
  bool failed = status != LUA_OK && status != LUA_YIELD;
  if (scope->flags & LUGE_SCOPE_CLOSED) { /* was abandoned */
    return failed ? lua_error(L) : lua_gettop(L) - scope->first + 1;
  }
  scope->flags |= LUGE_SCOPE_JOINING;
  if (failed) {
    keep_own_error(L, scope);
  }
  return leave(L, scope, failed);
}

/* At the moment of an error, before the stack unwinds: the children are
 * cancelled, so that they end while the `<close>` handlers run. */
int luge__scope_handler(lua_State *L) {
  struct luge_task *task = luge__host(L)->current;
  luge__scope_cancel_children(task->scope, "its owner failed");
  if (!luge__is_error(L, 1, "cancelled")) {
    luge__trace_note(L, L, 1);
  }
  return 1;
}

int luge__scope_call(lua_State *L, struct luge_scope *scope, int first) {
  scope->first = first;
  int status = lua_pcallk(L, lua_gettop(L) - first, LUA_MULTRET, first - 1,
                          (lua_KContext)scope, on_return);
  return on_return(L, status, (lua_KContext)scope);
}
