/* The block `scope(fn)` and its object; see scope_object.h. */
#include "scope_object.h"

#include <lauxlib.h>
#include <string.h>

#include "args.h"
#include "block.h"
#include "error.h"
#include "host.h"
#include "task.h"
#include "trace.h"

/* The object's user values: the list of errors, and the trace of the first. */
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

/* Takes a value out of a table, and so allocates nothing. */
void luge__scope_object_close(struct luge_scope *scope) {
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

void luge__scope_keep_error(lua_State *L, struct luge_scope *scope) {
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

/* Whether the scope has failed. Then the error to be raised is at `first`: the
 * first that it has kept takes the place of one that came later, and of a
 * cancellation, be it the scope's own, which the error has caused, or one from
 * outside; or the error would be lost. Only `deadlock` is not kept before. */
static bool choose_error(lua_State *L, struct luge_scope *scope, int first) {
  bool own = luge__block_cancelled_itself(L, scope, first);
  bool cancelled = (scope->flags & LUGE_SCOPE_CANCELLED) &&
                   luge__is_error(L, first, "cancelled");
  push_object(L, scope);
  lua_getiuservalue(L, -1, ERRORS);
  bool has_error = lua_rawgeti(L, -1, 1) != LUA_TNIL;
  if (has_error && !lua_rawequal(L, -1, first)) {
    lua_replace(L, first);
    lua_getiuservalue(L, -2, TRACE);
    luge__trace_set(L, first);
  }
  lua_settop(L, first);
  if (!has_error && !cancelled) {
    luge__scope_keep_error(L, scope);
  }
  return !own || has_error;
}

static int scope_left(lua_State *L, struct luge_scope *scope, int first,
                      bool failed) {
  bool raises = failed && choose_error(L, scope, first);
  luge__block_close(luge__block_of(scope));
  if (failed && !raises) {
    return 0;
  }
  return luge__block_return(L, first, raises);
}

int luge__scope(lua_State *L) {
  luge__check_callable(L, 1);
  lua_settop(L, 1);
  luge__enter(L);
  struct luge_block *block =
      luge__block_open(L, LUGE_SCOPE_FAIL_FAST, scope_left);
  struct object *object = lua_newuserdatauv(L, sizeof *object, TRACE);
  object->block = block;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &object_key);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lua_setiuservalue(L, -2, ERRORS);
  lua_pushvalue(L, -1);
  set_object(L, &block->scope);
  return luge__block_call(L, block);
}

/* `method`: which one is called on it. */
static struct object *check_object(lua_State *L, const char *method) {
  struct object *object = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &object_key);
  if (object == NULL || !lua_getmetatable(L, 1) || !lua_rawequal(L, -1, -2)) {
    luge__raise_dotted(L, luge__describe_argument(L, 1), "scope", method);
  }
  lua_pop(L, 2);
  return object;
}

static int object_spawn(lua_State *L) {
  struct object *object = check_object(L, "spawn");
  luge__check_callable(L, 2);
  if (object->block == NULL) {
    luge__raise(L, "invalid", "cannot spawn in a scope that has ended");
  }
  luge__spawn_at(L, &object->block->scope, lua_gettop(L) - 2,
                 luge__script_level(L));
  return 1;
}

static int object_cancel(lua_State *L) {
  struct object *object = check_object(L, "cancel");
  lua_settop(L, 2);
  if (object->block != NULL) {
    luge__scope_cancel(L, &object->block->scope, NULL);
  }
  return 0;
}

static int object_index(lua_State *L) {
  check_object(L, "__index");
  const char *key = lua_tostring(L, 2);
  if (key != NULL && strcmp(key, "errors") == 0) {
    lua_getiuservalue(L, 1, ERRORS);
    return 1;
  }
  lua_settop(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

void luge__scope_object_init(lua_State *L) {
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
