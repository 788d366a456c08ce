/* luge.native.task: tasks, futures and blocks as Lua functions. The public
 * names and their documentation are in lua/luge/init.lua. */
#include <lauxlib.h>
#include <time.h>

#include "../core/args.h"
#include "../core/block.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/sched.h"
#include "../core/scope_object.h"
#include "../core/stack.h"
#include "../core/task.h"
#include "../core/trace.h"
#include "future.h"
#include "group.h"
#include "modules.h"

static struct luge_task *check_current(lua_State *L) {
  struct luge_task *task = luge__host(L)->current;
  if (task == NULL) {
    luge__raise(L, "invalid", "there is no task here");
  }
  return task;
}

static int lib_spawn(lua_State *L) {
  luge__check_callable(L, 1);
  luge__spawn(L, check_current(L)->scope, lua_gettop(L) - 1);
  return 1;
}

/* spawn_at(level, fn, ...): spawn, for luge's own Lua functions: tracebacks
 * name the function at `level` of the stack, which script_level() gives. */
static int lib_spawn_at(lua_State *L) {
  lua_Integer level = luge__check_integer(L, 1, 0, "a level, from 0");
  luge__check_callable(L, 2);
  luge__spawn_at(L, check_current(L)->scope, lua_gettop(L) - 2, (int)level);
  return 1;
}

static int lib_script_level(lua_State *L) {
  lua_pushinteger(L, luge__script_level(L));
  return 1;
}

static int lib_detach(lua_State *L) {
  luge__check_callable(L, 1);
  luge__spawn(L, &luge__host(L)->top, lua_gettop(L) - 1);
  return 1;
}

static int call_async(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  luge__spawn(L, check_current(L)->scope, lua_gettop(L) - 1);
  return 1;
}

static int lib_async(lua_State *L) {
  luge__check_callable(L, 1);
  lua_settop(L, 1);
  lua_pushcclosure(L, call_async, 1);
  return 1;
}

static int await_task(lua_State *L, struct luge_task *task) {
  if (task == luge__host(L)->current) {
    return luge__raise(L, "invalid", "a task cannot await itself");
  }
  return luge__cell_await(L, &task->cell, true);
}

static int finish_await(lua_State *L, int status, lua_KContext base) {
  (void)status;
  return lua_gettop(L) - (int)base;
}

static int lib_await(lua_State *L) {
  lua_settop(L, 1);
  struct luge_task *task = luge__class_test(L, 1, &luge__task_class);
  if (task != NULL) {
    return await_task(L, task);
  }
  struct luge_future *future = luge__future_test(L, 1);
  if (future != NULL) {
    return luge__cell_await(L, &future->cell, false);
  }
  if (luaL_getmetafield(L, 1, "__await") == LUA_TNIL) {
    return luge__arg_error(L, 1,
                           lua_isnil(L, 1)
                               ? "a Task, a Future, or a value with __await; "
                                 "a call that waits has waited already"
                               : "a Task, a Future, or a value with __await");
  }
  lua_pushvalue(L, 1);
  lua_callk(L, 1, LUA_MULTRET, 1, finish_await);
  return finish_await(L, LUA_OK, 1);
}

/* sleep(seconds) */

static void on_slept(struct luge_timer *timer) {
  luge__wake(luge__container(timer, struct luge_task, wait.timer));
}

static bool stop_sleep(struct luge_task *task) {
  luge__timer_stop(task->host, &task->wait.timer);
  return true;
}

static bool stop_yield(struct luge_task *task) {
  (void)task;
  return true;
}

static int lib_sleep(lua_State *L) {
  static const struct luge_wait_kind sleeping = {.name = "sleep",
                                                 .cancel = stop_sleep};
  static const struct luge_wait_kind yielding = {.name = "its turn",
                                                 .cancel = stop_yield};
  double seconds = luge__check_seconds(L, 1);
  struct luge_task *task = luge__enter(L);
  struct luge_host *host = task->host;
  if (seconds == 0) {
    luge__wake(task);
    return luge__suspend(L, task, &yielding);
  }
  if (!luge__timer_reserve(host)) {
    return luge__raise_memory(L);
  }
  task->wait.timer.slot = 0;
  luge__timer_start(host, &task->wait.timer, luge__after(host, seconds),
                    on_slept);
  return luge__suspend(L, task, &sleeping);
}

static int lib_now(lua_State *L) {
  lua_pushnumber(L, (double)luge__now(luge__host(L)) / 1e9);
  return 1;
}

static int lib_time(lua_State *L) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  lua_pushnumber(L, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
  return 1;
}

static int lib_current(lua_State *L) {
  luge__task_push(L, check_current(L));
  return 1;
}

static int lib_current_or_nil(lua_State *L) {
  struct luge_task *task = luge__host(L)->current;
  if (task == NULL) {
    return 0;
  }
  luge__task_push(L, task);
  return 1;
}

/* A message handler, for luge's own Lua functions that catch an error and may
 * raise it again: keeps where it came from. */
static int lib_note_trace(lua_State *L) {
  if (!luge__is_error(L, 1, "cancelled")) {
    luge__trace_note(L, L, 1);
  }
  return 1;
}

/* trace_of(error): the text that was noted for it in this task, or nil. */
static int lib_trace_of(lua_State *L) {
  luaL_checkany(L, 1);
  luge__trace_push(L, 1);
  return 1;
}

static int lib_can_wait(lua_State *L) {
  lua_pushboolean(L, luge__can_wait(L));
  return 1;
}

/* type_name(value): what messages call its type; the classes of luge hide
 * their metatables from scripts. */
static int lib_type_name(lua_State *L) {
  luaL_checkany(L, 1);
  luge__type_name(L, 1);
  return 1;
}

static int lib_tasks(lua_State *L) {
  struct luge_task_walk walk = {0};
  lua_settop(L, 0);
  lua_newtable(L);
  for (lua_Integer i = 1; luge__task_next(L, &walk) != NULL; i++) {
    lua_rawseti(L, 1, i);
  }
  return 1;
}

/* The context of the current task: a table, or nothing. */
static int lib_context(lua_State *L) {
  struct luge_task *task = check_current(L);
  if (!task->has_context) {
    return 0;
  }
  lua_State *store = task->host->store;
  lua_rawgeti(store, LUGE_CONTEXTS, task->thread.slot);
  lua_xmove(store, L, 1);
  return lua_istable(L, -1);
}

static int lib_set_context(lua_State *L) {
  lua_settop(L, 1);
  luge__task_set_context(L, check_current(L));
  return 0;
}

/* Methods of a Task. */

static struct luge_task *check_task(lua_State *L) {
  return luge__class_check(L, 1, &luge__task_class);
}

static int task_await(lua_State *L) {
  lua_settop(L, 1);
  return await_task(L, check_task(L));
}

/* outcome(task): what `await` gives, of a task that has ended. It is no wait,
 * and so nothing is lost where the task that asks has been cancelled meanwhile.
 */
static int lib_outcome(lua_State *L) {
  lua_settop(L, 1);
  return luge__cell_outcome(L, &check_task(L)->cell);
}

static int task_cancel(lua_State *L) {
  struct luge_task *task = check_task(L);
  lua_settop(L, 2);
  luge__scope_cancel(L, &task->root, NULL);
  return 0;
}

static int task_done(lua_State *L) {
  struct luge_task *task = check_task(L);
  lua_pushboolean(L, task->cell.state != LUGE_CELL_PENDING);
  return 1;
}

static int task_status(lua_State *L) {
  lua_pushstring(L, luge__task_status(check_task(L)));
  return 1;
}

static int task_waiting_for(lua_State *L) {
  const char *what = luge__wait_describe(L, check_task(L));
  return what[0] != '\0';
}

static int task_name(lua_State *L) {
  check_task(L);
  if (!lua_isnoneornil(L, 2)) {
    if (lua_type(L, 2) != LUA_TSTRING) {
      return luge__arg_error(L, 2, "a string");
    }
    luge__task_set_name(L, 1, lua_tostring(L, 2));
  }
  luge__task_name(L, 1);
  return 1;
}

/* Where it is, if it lives; where it failed, if it did. */
static int task_traceback(lua_State *L) {
  struct luge_task *task = check_task(L);
  if (task->thread.co != NULL) {
    luge__stack_push(L, task->thread.co, 0);
    return 1;
  }
  return luge__cell_push_trace(L, 1, &task->cell);
}

static int task_tostring(lua_State *L) {
  struct luge_task *task = check_task(L);
  const char *name = luge__task_name(L, 1);
  lua_pushfstring(L, "Task: %s (%s)", name, luge__task_status(task));
  return 1;
}

/* Whoever forgets to await gets a Task where they expect what it returns. */
static int no_such_field(lua_State *L) {
  return luge__raise(L, "invalid",
                     "a Task has no '%s': luge.await(task) gives what its "
                     "function returns",
                     luaL_tolstring(L, 2, NULL));
}

static void init_methods(lua_State *L) {
  static const luaL_Reg methods[] = {{"await", task_await},
                                     {"cancel", task_cancel},
                                     {"done", task_done},
                                     {"status", task_status},
                                     {"waiting_for", task_waiting_for},
                                     {"name", task_name},
                                     {"traceback", task_traceback},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__tostring", task_tostring},
                                         {NULL, NULL}};
  luge__class_init(L, &luge__task_class, methods, metamethods);
  luge__class_missing(L, &luge__task_class, no_such_field);
}

static bool is_within(const struct luge_task *at,
                      const struct luge_task *task) {
  while (at != NULL && at != task) {
    at = at->root.parent != NULL ? at->root.parent->task : NULL;
  }
  return at != NULL;
}

/* within(task) -> whether the current task is that, or below it: then it would
 * wait in vain for its end */
static int lib_within(lua_State *L) {
  lua_pushboolean(L, is_within(luge__host(L)->current, check_task(L)));
  return 1;
}

/* close_children(task): cancels the tasks that a server's has spawned, also
 * those that only wait for what they spawned themselves, but for the one that
 * the current task is within. */
static int lib_close_children(lua_State *L) {
  struct luge_list *children = &check_task(L)->root.children, *at, *next;
  for (at = children->next; at != children; at = next) {
    next = at->next;
    struct luge_task *task = luge__container(at, struct luge_task, sibling);
    if (!is_within(luge__host(L)->current, task)) {
      luge__scope_cancel(L, &task->root, "the server closes");
    }
  }
  return 0;
}

int luge__open_task(lua_State *L) {
  static const luaL_Reg functions[] = {{"spawn", lib_spawn},
                                       {"spawn_at", lib_spawn_at},
                                       {"script_level", lib_script_level},
                                       {"detach", lib_detach},
                                       {"async", lib_async},
                                       {"await", lib_await},
                                       {"outcome", lib_outcome},
                                       {"sleep", lib_sleep},
                                       {"within", lib_within},
                                       {"close_children", lib_close_children},
                                       {"timeout", luge__timeout},
                                       {"shield", luge__shield},
                                       {"scope", luge__scope},
                                       {"current", lib_current},
                                       {"current_or_nil", lib_current_or_nil},
                                       {"trace_of", lib_trace_of},
                                       {"can_wait", lib_can_wait},
                                       {"note_trace", lib_note_trace},
                                       {"type_name", lib_type_name},
                                       {"tasks", lib_tasks},
                                       {"context", lib_context},
                                       {"set_context", lib_set_context},
                                       {"now", lib_now},
                                       {"time", lib_time},
                                       {"future", luge__future_create},
                                       {"group", luge__group_create},
                                       {NULL, NULL}};
  init_methods(L);
  luge__future_init(L);
  luge__group_init(L);
  luaL_newlib(L, functions);
  luge__error_register(L);
  return 1;
}
