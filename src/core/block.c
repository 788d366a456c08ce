/* Blocks: see block.h. The block is a userdata in the C frame of the function
 * that opens it, to be closed there: also when a coroutine that is suspended
 * inside the block is closed or collected, where no continuation runs. Then
 * its children are cancelled and handed to the scope outside. */
#include "block.h"

#include <lauxlib.h>
#include <string.h>

#include "args.h"
#include "error.h"
#include "host.h"
#include "task.h"
#include "trace.h"

static const char metatable_key = 0;

static struct luge_block *block_of(struct luge_scope *scope) {
  return luge__container(scope, struct luge_block, scope);
}

static void close_object(struct luge_scope *scope);

static void close_block(struct luge_block *block) {
  struct luge_scope *scope = &block->scope;
  if (scope->flags & LUGE_SCOPE_FAIL_FAST) {
    close_object(scope);
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
  close_block(block);
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

/* Opens a block in the current task, which may wait, for the function and its
 * arguments that are all that is on the stack; they move up by two. Follow it
 * by `call`. May raise (memory). */
static struct luge_block *open_block(lua_State *L, unsigned flags,
                                     luge_scope_left left) {
  struct luge_task *task = luge__host(L)->current;
  luaL_checkstack(L, 8, NULL);
  struct luge_block *block = lua_newuserdatauv(L, sizeof *block, 0);
  memset(block, 0, sizeof *block);
  luge__scope_init(&block->scope, task->scope, task, flags);
  block->scope.left = left;
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

static int call(lua_State *L, struct luge_block *block) {
  return luge__scope_call(L, &block->scope, 3);
}

static int outcome(lua_State *L, int first, bool failed) {
  return failed ? lua_error(L) : lua_gettop(L) - first + 1;
}

/* Whether the error at `index` is this scope's own cancellation, and not one
 * from outside that happens to pass. */
static bool is_own_cancellation(lua_State *L, const struct luge_scope *scope,
                                int index) {
  return (scope->flags & LUGE_SCOPE_ORIGIN) &&
         !(scope->parent->flags & LUGE_SCOPE_CANCELLED) &&
         luge__is_error(L, index, "cancelled");
}

/* timeout(seconds, fn, ...) */

static int timeout_left(lua_State *L, struct luge_scope *scope, int first,
                        bool failed) {
  double seconds = block_of(scope)->seconds;
  bool expired = failed && is_own_cancellation(L, scope, first);
  close_block(block_of(scope));
  if (!expired) {
    return outcome(L, first, failed);
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
    return luaL_error(L, "not enough memory");
  }
  luge__enter(L);
  lua_remove(L, 1);
  struct luge_block *block = open_block(L, 0, timeout_left);
  block->seconds = seconds;
  if (seconds > 0) {
    luge__timer_start(host, &block->deadline, luge__after(host, seconds),
                      on_deadline);
  } else { /* it has come: not even a wait that is over at once is made */
    on_deadline(&block->deadline);
  }
  return call(L, block);
}

/* shield(fn, ...) */

static int shield_left(lua_State *L, struct luge_scope *scope, int first,
                       bool failed) {
  close_block(block_of(scope));
  return outcome(L, first, failed);
}

/* A task that was cancelled may still enter: what must not be cut short often
 * begins in a handler. */
int luge__shield(lua_State *L) {
  luge__check_callable(L, 1);
  luge__check_can_wait(L);
  struct luge_block *block = open_block(L, LUGE_SCOPE_SHIELD, shield_left);
  return call(L, block);
}

/* scope(fn): the function is passed an object. Its user values are the list of
 * errors, and the trace of the first of them. */
enum { ERRORS = 1, TRACE };

struct object {
  struct luge_block *block; /* NULL: the scope has ended */
};

static const char object_key = 0;  /* its metatable */
static const char objects_key = 0; /* registry: scope -> object, while open */

static void push_object(lua_State *L, struct luge_scope *scope) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &objects_key);
  lua_rawgetp(L, -1, scope);
  lua_remove(L, -2);
}

static void set_object(lua_State *L, struct luge_scope *scope) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &objects_key);
  lua_insert(L, -2);
  lua_rawsetp(L, -2, scope);
  lua_pop(L, 1);
}

/* The scope is left, or abandoned: scripts may still have the object. Takes a
 * value out, and so allocates nothing. */
static void close_object(struct luge_scope *scope) {
  lua_State *L = scope->task->host->store;
  push_object(L, scope);
  struct object *object = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (object != NULL) {
    object->block = NULL;
    lua_pushnil(L);
    set_object(L, scope);
  }
}

void luge__block_keep_error(lua_State *L, struct luge_scope *scope) {
  luaL_checkstack(L, 6, NULL);
  int error = lua_gettop(L);
  push_object(L, scope);
  lua_getiuservalue(L, error + 1, ERRORS);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  lua_pushvalue(L, error);
  lua_rawseti(L, -2, count + 1);
  if (count == 0) {
    luge__trace_push(L, error);
    lua_setiuservalue(L, error + 1, TRACE);
  }
  lua_settop(L, error);
}

/* The error of a task takes the place of a cancellation, its own that this has
 * caused, or one from outside: or it would be lost. True: the scope has failed.
 */
static bool first_error(lua_State *L, struct luge_scope *scope, int first) {
  bool own = is_own_cancellation(L, scope, first);
  bool cancelled = (scope->flags & LUGE_SCOPE_CANCELLED) &&
                   luge__is_error(L, first, "cancelled");
  if (!cancelled) {
    lua_settop(L, first);
    luge__block_keep_error(L, scope);
  }
  push_object(L, scope);
  lua_getiuservalue(L, -1, ERRORS);
  bool has_error = lua_rawgeti(L, -1, 1) != LUA_TNIL;
  if (cancelled && has_error) {
    lua_replace(L, first);
    lua_getiuservalue(L, -2, TRACE);
    luge__trace_set(L, first);
  }
  lua_settop(L, first);
  return !own || has_error;
}

static int scope_left(lua_State *L, struct luge_scope *scope, int first,
                      bool failed) {
  bool raises = failed && first_error(L, scope, first);
  close_block(block_of(scope));
  if (failed && !raises) {
    return 0;
  }
  return outcome(L, first, raises);
}

int luge__scope(lua_State *L) {
  luge__check_callable(L, 1);
  lua_settop(L, 1);
  luge__enter(L);
  struct luge_block *block = open_block(L, LUGE_SCOPE_FAIL_FAST, scope_left);
  struct object *object = lua_newuserdatauv(L, sizeof *object, TRACE);
  object->block = block;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &object_key);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_setiuservalue(L, -2, ERRORS);
  lua_pushvalue(L, -1);
  set_object(L, &block->scope);
  return call(L, block);
}

static struct object *check_object(lua_State *L) {
  struct object *object = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &object_key);
  if (object == NULL || !lua_getmetatable(L, 1) || !lua_rawequal(L, -1, -2)) {
    luge__arg_error(L, 1, "a scope");
  }
  lua_pop(L, 2);
  return object;
}

static int object_spawn(lua_State *L) {
  struct object *object = check_object(L);
  luge__check_callable(L, 2);
  if (object->block == NULL) {
    luge__raise(L, "invalid", "cannot spawn in a scope that has ended");
  }
  luge__spawn_at(L, &object->block->scope, lua_gettop(L) - 2,
                 luge__script_level(L));
  return 1;
}

static int object_cancel(lua_State *L) {
  struct object *object = check_object(L);
  lua_settop(L, 2);
  if (object->block != NULL) {
    luge__scope_cancel(L, &object->block->scope, NULL);
  }
  return 0;
}

static int object_index(lua_State *L) {
  check_object(L);
  const char *key = lua_tostring(L, 2);
  if (key != NULL && strcmp(key, "errors") == 0) {
    lua_getiuservalue(L, 1, ERRORS);
    return 1;
  }
  lua_settop(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

static void init_object(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"spawn", object_spawn}, {"cancel", object_cancel}, {NULL, NULL}};
  lua_createtable(L, 0, 2);
  lua_pushliteral(L, "Scope");
  lua_setfield(L, -2, "__name");
  luaL_newlib(L, methods);
  lua_pushcclosure(L, object_index, 1);
  lua_setfield(L, -2, "__index");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &object_key);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &objects_key);
}

void luge__block_init(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, on_abandoned);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, on_abandoned);
  lua_setfield(L, -2, "__gc");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
  init_object(L);
}
