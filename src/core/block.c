/* Blocks; see block.h. A block is a userdata and a to-be-closed value of the C
 * function that opens it. So it is closed even if that function's continuation
 * never runs, because a coroutine that is suspended inside the block is closed
 * or collected. Then its children are cancelled and handed to the scope
 * outside.
 */
#include "block.h"

#include <lauxlib.h>
#include <string.h>

#include "args.h"
#include "error.h"
#include "host.h"
#include "scope_object.h"
#include "task.h"

static const char metatable_key = 0;

void luge__block_close(struct luge_block *block) {
  struct luge_scope *scope = &block->scope;
  if (scope->flags & LUGE_SCOPE_FAIL_FAST) {
    luge__scope_object_close(scope);
  }
  luge__timer_stop(scope->task->host, &block->deadline);
  luge__list_remove(&block->link);
  luge__scope_close(scope);
  if (scope->task->scope == scope) {
    scope->task->scope = scope->parent;
  }
}

static void hand_over_children(struct luge_scope *scope) {
  luge__scope_cancel_children(scope, "its block was abandoned");
  while (!luge__list_empty(&scope->children)) {
    struct luge_task *child =
        luge__container(scope->children.next, struct luge_task, sibling);
    luge__list_remove(&child->sibling);
    child->root.parent = scope->parent;
    child->root.flags &= ~(unsigned)LUGE_SCOPE_SERVANT;
    luge__list_append(&scope->parent->children, &child->sibling);
  }
}

static void abandon(struct luge_block *block) {
  luge__blocks_abandon(&block->scope);
  hand_over_children(&block->scope);
  luge__block_close(block);
}

void luge__blocks_abandon(struct luge_scope *scope) {
  while (!luge__list_empty(&scope->blocks)) {
    abandon(luge__container(scope->blocks.next, struct luge_block, link));
  }
}

static int on_abandoned(lua_State *L) {
  struct luge_block *block = lua_touserdata(L, 1);
  if (!(block->scope.flags & LUGE_SCOPE_CLOSED)) {
    abandon(block);
  }
  return 0;
}

/* Places the block in the innermost that is open. */
static void nest(lua_State *L, struct luge_block *block,
                 struct luge_scope *parent) {
  bool outermost = parent == &parent->task->root;
  const struct luge_block *outer = outermost ? NULL : luge__block_of(parent);
  block->shielded = (block->scope.flags & LUGE_SCOPE_SHIELD) != 0 ||
                    (outer != NULL && outer->shielded);
  block->depth = outer != NULL ? outer->depth + 1 : 1;
  int limit = LUGE_MAX_BLOCKS + (block->shielded ? LUGE_RESERVED_BLOCKS : 0);
  if (block->depth > limit) {
    luge__push_error(L, "limit",
                     "more than %d blocks such as timeout inside each other: "
                     "a recursion without an end?",
                     limit);
    luge__set_limit(L, "blocks", limit);
    lua_error(L);
  }
}

struct luge_block *luge__block_open(lua_State *L, unsigned flags,
                                    luge_scope_left left) {
  struct luge_task *task = luge__host(L)->current;
  luaL_checkstack(L, 8, NULL);
  struct luge_block *block = lua_newuserdatauv(L, sizeof *block, 0);
  memset(block, 0, sizeof *block);
  luge__scope_init(&block->scope, task->scope, task, flags);
  block->scope.left = left;
  nest(L, block, task->scope);
  luge__list_append(&task->scope->blocks, &block->link);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
  lua_setmetatable(L, -2);
  lua_insert(L, 1);
  lua_toclose(L, 1);
  task->scope = &block->scope;
  lua_pushcfunction(L, luge__scope_handler);
  lua_insert(L, 2);
  return block;
}

int luge__block_call(lua_State *L, struct luge_block *block) {
  return luge__scope_call(L, &block->scope, 3);
}

int luge__block_return(lua_State *L, int first, bool failed) {
  return failed ? lua_error(L) : lua_gettop(L) - first + 1;
}

bool luge__block_cancelled_itself(lua_State *L, const struct luge_scope *scope,
                                  int index) {
  return (scope->flags & LUGE_SCOPE_ORIGIN) &&
         !(scope->parent->flags & LUGE_SCOPE_CANCELLED) &&
         luge__is_error(L, index, "cancelled");
}

/* timeout(seconds, fn, ...) */

static int timeout_left(lua_State *L, struct luge_scope *scope, int first,
                        bool failed) {
  double seconds = luge__block_of(scope)->seconds;
  bool expired = failed && luge__block_cancelled_itself(L, scope, first);
  luge__block_close(luge__block_of(scope));
  if (!expired) {
    return luge__block_return(L, first, failed);
  }
  luge__push_error(L, "timeout", "timed out after %f seconds", seconds);
  lua_pushnumber(L, seconds);
  lua_setfield(L, -2, "seconds");
  return lua_error(L);
}

static void on_deadline(struct luge_timer *timer) {
  struct luge_block *block =
      luge__container(timer, struct luge_block, deadline);
  luge__scope_cancel(NULL, &block->scope, "deadline");
}

int luge__timeout(lua_State *L) {
  struct luge_host *host = luge__host(L);
  double seconds = luge__check_seconds(L, 1);
  luge__check_callable(L, 2);
  if (!luge__timer_reserve(host)) {
    return luge__raise_memory(L);
  }
  luge__enter(L);
  lua_remove(L, 1);
  struct luge_block *block = luge__block_open(L, 0, timeout_left);
  block->seconds = seconds;
  if (seconds > 0) {
    luge__timer_start(host, &block->deadline, luge__after(host, seconds),
                      on_deadline);
  } else { /* it is over: even a wait that would end at once raises */
    on_deadline(&block->deadline);
  }
  return luge__block_call(L, block);
}

/* shield(fn, ...) */

static int shield_left(lua_State *L, struct luge_scope *scope, int first,
                       bool failed) {
  luge__block_close(luge__block_of(scope));
  return luge__block_return(L, first, failed);
}

/* A cancelled task may still enter: what must not be cut short often begins in
 * a handler. */
int luge__shield(lua_State *L) {
  luge__check_callable(L, 1);
  luge__check_can_wait(L);
  struct luge_block *block =
      luge__block_open(L, LUGE_SCOPE_SHIELD, shield_left);
  return luge__block_call(L, block);
}

void luge__block_init(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, on_abandoned);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, on_abandoned);
  lua_setfield(L, -2, "__gc");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
}
