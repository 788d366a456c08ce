/* The tree of scopes and how cancellation runs through it; see scope.h. */
#include "scope.h"

#include <lauxlib.h>

#include "block.h"
#include "error.h"
#include "failure.h"
#include "host.h"
#include "task.h"

enum { DEAF = 3000 }; /* refused waits: a clean-up hardly makes so many */

static const char reasons_key = 0; /* registry: scope -> reason */

void luge__scope_setup(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &reasons_key);
}

void luge__scope_init(struct luge_scope *scope, struct luge_scope *parent,
                      struct luge_task *task, unsigned flags) {
  *scope = (struct luge_scope){.parent = parent, .task = task, .flags = flags};
  luge__list_init(&scope->blocks);
  luge__list_init(&scope->children);
  luge__list_init(&scope->failures);
  if (parent != NULL && !(flags & LUGE_SCOPE_SHIELD)) {
    scope->flags |= parent->flags & LUGE_SCOPE_CANCELLED;
  }
}

/* Marks the scope, and puts it at the end of the list of those whose inside
 * is still to be told. A list and not a recursion: trees may be deep. */
static void reach(struct luge_scope *scope, struct luge_scope **last) {
  if (!(scope->flags & (LUGE_SCOPE_CANCELLED | LUGE_SCOPE_SHIELD))) {
    scope->flags |= LUGE_SCOPE_CANCELLED;
    scope->reached = NULL;
    (*last)->reached = scope;
    *last = scope;
  }
}

static void spread(struct luge_scope *scope) {
  struct luge_scope *last = scope;
  scope->reached = NULL;
  for (; scope != NULL; scope = scope->reached) {
    struct luge_list *at;
    for (at = scope->blocks.next; at != &scope->blocks; at = at->next) {
      reach(&luge__container(at, struct luge_block, link)->scope, &last);
    }
    for (at = scope->children.next; at != &scope->children; at = at->next) {
      reach(&luge__container(at, struct luge_task, sibling)->root, &last);
    }
    if (scope->task != NULL && scope->task->scope == scope) {
      luge__wait_cancel(scope->task);
    }
  }
}

static void keep_reason(lua_State *L, struct luge_scope *scope) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &reasons_key);
  lua_insert(L, -2);
  lua_rawsetp(L, -2, scope);
  lua_pop(L, 1);
}

void luge__scope_cancel(lua_State *L, struct luge_scope *scope,
                        const char *reason) {
  if (scope->flags & (LUGE_SCOPE_ORIGIN | LUGE_SCOPE_CLOSED)) {
    if (reason == NULL) {
      lua_pop(L, 1);
    }
    return;
  }
  if (reason == NULL) {
    keep_reason(L, scope);
  }
  scope->reason = reason;
  scope->flags |= LUGE_SCOPE_ORIGIN;
  if (!(scope->flags & LUGE_SCOPE_CANCELLED)) {
    scope->flags |= LUGE_SCOPE_CANCELLED;
    spread(scope);
  }
}

/* A reason that is luge's own travels with each child, which then is the
 * origin for what lies below. */
void luge__scope_cancel_children(struct luge_scope *scope, const char *reason) {
  struct luge_list *at, *next;
  for (at = scope->children.next; at != &scope->children; at = next) {
    next = at->next;
    luge__scope_cancel(
        NULL, &luge__container(at, struct luge_task, sibling)->root, reason);
  }
}

/* Servants are the first in the list: it is enough to look at the last. */
void luge__scope_dismiss(struct luge_scope *scope) {
  const struct luge_task *last =
      luge__container(scope->children.prev, struct luge_task, sibling);
  if (!luge__list_empty(&scope->children) &&
      (last->root.flags & LUGE_SCOPE_SERVANT)) {
    luge__scope_cancel_children(scope, "its owner ended");
  }
}

static const struct luge_scope *origin(const struct luge_scope *scope) {
  while (!(scope->flags & LUGE_SCOPE_ORIGIN) && scope->parent != NULL) {
    scope = scope->parent;
  }
  return scope;
}

/* Whether the reason on top of the stack says something to people. */
static bool has_text(lua_State *L) {
  if (lua_isstring(L, -1)) {
    return true;
  }
  if (luaL_getmetafield(L, -1, "__tostring") == LUA_TNIL) {
    return false;
  }
  lua_pop(L, 1);
  return true;
}

void luge__scope_push_cancelled(lua_State *L, struct luge_scope *scope) {
  const struct luge_scope *from = origin(scope);
  luaL_checkstack(L, 6, NULL);
  if (from->reason != NULL) {
    lua_pushstring(L, from->reason);
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &reasons_key);
    lua_rawgetp(L, -1, from);
    lua_remove(L, -2);
  }
  if (has_text(L)) {
    luge__push_error(L, "cancelled", "%s", luge__error_text(L, -1));
    lua_remove(L, -2);
  } else {
    luge__push_error(L, "cancelled", "the task was cancelled");
  }
  lua_insert(L, -2);
  lua_setfield(L, -2, "reason");
}

void luge__scope_count_refusal(struct luge_task *task) {
  struct luge_scope *scope = task->scope;
  while (scope->task == task && (scope->flags & LUGE_SCOPE_CANCELLED)) {
    scope->refused += scope->refused < DEAF;
    scope = scope->parent;
  }
}

bool luge__scope_is_deaf(const struct luge_task *task) {
  return task->scope->refused == DEAF;
}

void luge__scope_close(struct luge_scope *scope) {
  scope->flags |= LUGE_SCOPE_CLOSED;
  if ((scope->flags & LUGE_SCOPE_ORIGIN) && scope->reason == NULL) {
    lua_State *L = scope->task->host->store;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &reasons_key);
    lua_pushnil(L); /* takes a key out: allocates nothing */
    lua_rawsetp(L, -2, scope);
    lua_pop(L, 1);
  }
}

bool luge__scope_holds(const struct luge_task *task) {
  const struct luge_scope *scope = task->scope;
  for (; scope != NULL && scope->task == task; scope = scope->parent) {
    if (!(scope->flags & LUGE_SCOPE_CANCELLED)) {
      return false;
    }
    if (!luge__list_empty(&scope->children)) {
      return true;
    }
  }
  return false;
}

void luge__scope_child_ended(struct luge_scope *scope, bool failed) {
  if (failed && (scope->flags & LUGE_SCOPE_FAIL_FAST)) {
    luge__scope_cancel(NULL, scope, "a task of the scope failed");
  } else if (failed && (scope->flags & LUGE_SCOPE_JOINING)) {
    luge__scope_cancel_children(scope, "a sibling failed");
  } else if (scope->flags & LUGE_SCOPE_JOINING) {
    luge__scope_dismiss(scope);
  }
  if (scope->task != NULL && luge__list_empty(&scope->children)) {
    luge__wait_release(scope->task);
  }
}
