/* Futures; see future.h. */
#include "future.h"

#include <lauxlib.h>

#include "../core/class.h"
#include "../core/error.h"

static const struct luge_class future_class = {"a Future"};

struct luge_future *luge__future_test(lua_State *L, int index) {
  return luge__class_test(L, index, &future_class);
}

static struct luge_future *check(lua_State *L) {
  return luge__class_check(L, 1, &future_class);
}

static struct luge_future *check_pending(lua_State *L) {
  struct luge_future *future = check(L);
  if (future->cell.state != LUGE_CELL_PENDING) {
    luge__raise(L, "invalid", "the future is settled already");
  }
  return future;
}

static int future_resolve(lua_State *L) {
  struct luge_future *future = check_pending(L);
  luge__cell_resolve(L, 1, &future->cell, lua_gettop(L) - 1);
  return 0;
}

static int future_reject(lua_State *L) {
  struct luge_future *future = check_pending(L);
  lua_settop(L, 2);
  luge__cell_reject(L, 1, &future->cell, NULL);
  return 0;
}

static int future_await(lua_State *L) {
  lua_settop(L, 1);
  return luge__cell_await(L, &check(L)->cell, false);
}

static int future_done(lua_State *L) {
  lua_pushboolean(L, check(L)->cell.state != LUGE_CELL_PENDING);
  return 1;
}

int luge__future_create(lua_State *L) {
  struct luge_future *future =
      luge__class_new(L, &future_class, sizeof *future, 1);
  luge__cell_init(&future->cell);
  return 1;
}

void luge__future_init(lua_State *L) {
  static const luaL_Reg methods[] = {{"resolve", future_resolve},
                                     {"reject", future_reject},
                                     {"await", future_await},
                                     {"done", future_done},
                                     {NULL, NULL}};
  luge__class_init(L, &future_class, methods, NULL);
}
