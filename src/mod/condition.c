/* luge.native.condition: conditions and barriers, lists of tasks that wait,
 * first come, first served. No lock goes with a condition: tasks do not preempt
 * each other, so what was true when a task was notified still is when it runs,
 * unless another task ran in between. */
#include <lauxlib.h>

#include "../core/args.h"
#include "../core/class.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "modules.h"

/* Conditions. */

struct condition {
  struct luge_list waiters;
};

static const struct luge_class condition_class = {"a condition"};

static struct condition *check_condition(lua_State *L) {
  return luge__class_check(L, 1, &condition_class);
}

static int condition_wait(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "a condition",
                                             .cancel = luge__waiters_leave};
  struct condition *condition = check_condition(L);
  struct luge_task *task = luge__enter(L);
  return luge__waiters_join(L, task, &condition->waiters, &kind);
}

static int condition_notify(lua_State *L) {
  struct condition *condition = check_condition(L);
  lua_Integer n = 1;
  if (!lua_isnoneornil(L, 2)) {
    n = luge__check_integer(L, 2, 0, "a number of tasks, from 0");
  }
  while (n-- > 0 && luge__waiters_wake_one(&condition->waiters)) {
  }
  return 0;
}

static int condition_notify_all(lua_State *L) {
  luge__waiters_wake_all(&check_condition(L)->waiters);
  return 0;
}

static int lib_condition(lua_State *L) {
  struct condition *condition =
      luge__class_new(L, &condition_class, sizeof *condition, 0);
  luge__list_init(&condition->waiters);
  return 1;
}

/* Barriers. */

struct barrier {
  struct luge_list waiters;
  lua_Integer size;
  lua_Integer waiting;
};

static const struct luge_class barrier_class = {"a barrier"};

/* One that gives up does not count any more. */
static bool leave(struct luge_task *task) {
  ((struct barrier *)task->wait.data)->waiting--;
  return luge__waiters_leave(task);
}

static int barrier_wait(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "a barrier",
                                             .cancel = leave};
  struct barrier *barrier = luge__class_check(L, 1, &barrier_class);
  struct luge_task *task = luge__enter(L);
  if (barrier->waiting + 1 == barrier->size) {
    barrier->waiting = 0;
    luge__waiters_wake_all(&barrier->waiters);
    return 0;
  }
  barrier->waiting++;
  task->wait.data = barrier;
  return luge__waiters_join(L, task, &barrier->waiters, &kind);
}

static int lib_barrier(lua_State *L) {
  lua_Integer size = luge__check_integer(L, 1, 1, "a number of tasks, from 1");
  struct barrier *barrier =
      luge__class_new(L, &barrier_class, sizeof *barrier, 0);
  luge__list_init(&barrier->waiters);
  barrier->size = size;
  return 1;
}

int luge__open_condition(lua_State *L) {
  static const luaL_Reg condition_methods[] = {
      {"wait", condition_wait},
      {"notify", condition_notify},
      {"notify_all", condition_notify_all},
      {NULL, NULL}};
  static const luaL_Reg barrier_methods[] = {{"wait", barrier_wait},
                                             {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"condition", lib_condition}, {"barrier", lib_barrier}, {NULL, NULL}};
  luge__class_init(L, &condition_class, condition_methods, NULL);
  luge__class_init(L, &barrier_class, barrier_methods, NULL);
  luaL_newlib(L, functions);
  return 1;
}
