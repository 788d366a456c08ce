/* luge.native.gate: lets one task at a time into a stream, in the order in
 * which they ask; see lua/luge/internal/stream.lua. A lock would do, but each
 * item passes here: so `enter` finds its gate without a check, and leaving is
 * the gate's own `__close`. */
#include <lauxlib.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "modules.h"

struct gate {
  struct luge_list waiters;
  uint32_t holder; /* the id of the task that is inside; 0: nobody */
};

static const struct luge_class gate_class = {"a gate"};

static int enter(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "its turn to read a stream", .cancel = luge__waiters_leave};
  struct gate *gate = lua_touserdata(L, lua_upvalueindex(1));
  struct luge_task *task = luge__enter(L);
  if (gate->holder == 0) {
    gate->holder = task->id;
    return 0;
  }
  if (gate->holder == task->id) {
    return luge__raise(L, "invalid",
                       "a function that works for a stream reads that stream");
  }
  return luge__waiters_join(L, task, &gate->waiters, &kind);
}

/* Hands the turn to the first task that waits, so that no other can take it. */
static int leave(lua_State *L) {
  struct gate *gate = lua_touserdata(L, 1);
  const struct luge_task *next = luge__waiters_first(&gate->waiters);
  gate->holder = next != NULL ? next->id : 0;
  luge__waiters_wake_one(&gate->waiters);
  return 0;
}

/* gate() -> gate, enter: call enter(), then `local _ <close> = gate`. */
static int lib_gate(lua_State *L) {
  struct gate *gate = luge__class_new(L, &gate_class, sizeof *gate, 0);
  luge__list_init(&gate->waiters);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, enter, 1);
  return 2;
}

int luge__open_gate(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__close", leave}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"gate", lib_gate}, {NULL, NULL}};
  luge__class_init(L, &gate_class, none, metamethods);
  luaL_newlib(L, functions);
  return 1;
}
