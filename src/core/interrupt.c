/* Interrupting and watching what runs; see interrupt.h.
 *
 * An interruption is a request (host->interrupted) that the hook of the
 * running coroutine takes up: it cancels the task and raises. From then on
 * protected calls of the task pass errors on, and the hook comes again every
 * GRACE instructions: the time that its handlers have, each. */
#include "interrupt.h"

#include <lauxlib.h>

#include "error.h"
#include "host.h"
#include "stack.h"
#include "task.h"

enum {
  GRACE = 1000000, /* instructions: some ten milliseconds */
  WATCH = 10000    /* between two looks, when something is watched */
};

static void on_hook(lua_State *L, lua_Debug *ar);

static void arm(lua_State *co, int count) {
  lua_sethook(co, on_hook, LUA_MASKCOUNT, count);
}

static int raise_interrupted(lua_State *L, struct luge_task *task) {
  task->interrupted = true;
  arm(L, GRACE);
  luge__scope_cancel(NULL, &task->root, "interrupted");
  luge__push_error(L, "cancelled", "interrupted");
  lua_pushliteral(L, "interrupted");
  lua_setfield(L, -2, "reason");
  luaL_traceback(L, L, NULL, 0);
  lua_setfield(L, -2, "traceback");
  return lua_error(L);
}

/* A task has held the loop for longer than it should: told once a turn. */
static void report_slow(lua_State *L, struct luge_host *host) {
  uint64_t elapsed = uv_hrtime() - host->resumed_at;
  double seconds = (double)elapsed / 1e9;
  if (host->slow_reported || seconds < host->options.slow) {
    return;
  }
  host->slow_reported = true;
  luaL_checkstack(L, 8, NULL);
  int top = lua_gettop(L);
  luge__task_push(L, host->current);
  const char *name = luge__task_name(L, -1);
  lua_pushfstring(L, "%s has held the loop for %f seconds\n", name, seconds);
  luge__stack_push(L, L, 0);
  lua_concat(L, 2);
  luge__log(host, LUGE_LOG_WARN, lua_tostring(L, -1));
  lua_settop(L, top);
}

/* Whether the interruption came too late: the task had just begun to wait, and
 * was cancelled there. Its handlers have their time before it is taken up. */
static bool grants_grace(const struct luge_task *task) {
  return (task->root.flags & LUGE_SCOPE_CANCELLED) != 0 && !task->interrupted &&
         !task->graced;
}

static void take_up(lua_State *L, struct luge_task *task) {
  if (grants_grace(task)) {
    task->graced = true;
    arm(L, GRACE);
  } else {
    raise_interrupted(L, task);
  }
}

static void on_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  struct luge_host *host = luge__host(L);
  struct luge_task *task = host->current;
  if (task == NULL) {
    return;
  }
  bool requested = atomic_exchange(&host->interrupted, false);
  if (requested || task->interrupted || task->graced) {
    take_up(L, task);
    return;
  }
  if (host->options.slow > 0) {
    report_slow(L, host);
  } else if (!host->options.interruptible) {
    lua_sethook(L, NULL, 0, 0);
  }
}

void luge__watch(struct luge_host *host, lua_State *co) {
  if (host->inside->outer == NULL) {
    host->resumed_at = uv_hrtime();
    host->slow_reported = false;
  }
  if (atomic_load(&host->interrupted)) {
    arm(co, 1);
  } else if (host->current != NULL &&
             (host->current->interrupted || host->current->graced)) {
    arm(co, GRACE);
  } else if (host->options.slow > 0 || host->options.interruptible) {
    arm(co, WATCH);
  }
}

void luge__watch_init(struct luge_host *host) {
  host->thread = uv_thread_self();
  host->watching = host->options.slow > 0 || host->options.interruptible;
}

/* lua_sethook may be called from a signal handler, says Lua's own source; it
 * only stores words. */
void luge__interrupt_next(struct luge_host *host) {
  lua_State *co = host->running;
  host->watching = true;
  atomic_store(&host->interrupted, true);
  if (co != NULL) {
    arm(co, 1);
  }
}

int luge_interrupt(luge_host *host) {
  if (host == NULL || atomic_load(&host->closed)) {
    return LUGE_INVALID;
  }
  uv_thread_t self = uv_thread_self();
  if (!uv_thread_equal(&self, &host->thread)) {
    if (!host->options.interruptible) {
      return LUGE_INVALID;
    }
    atomic_store(&host->interrupted, true);
    return LUGE_OK;
  }
  if (host->running != NULL) {
    luge__interrupt_next(host);
  }
  return LUGE_OK;
}

/* Protected calls. */

bool luge__error_passes(lua_State *L) {
  const struct luge_task *task = luge__host(L)->current;
  if (task == NULL) {
    return false;
  }
  return task->interrupted ||
         ((luge__task_exits(task) || luge__scope_is_deaf(task)) &&
          luge__is_error(L, -1, "cancelled"));
}

static int called(lua_State *L, int status, lua_KContext below) {
  if (status == LUA_OK || status == LUA_YIELD) {
    return lua_gettop(L) - (int)below;
  }
  if (luge__error_passes(L)) {
    return lua_error(L);
  }
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int protected_call(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, called);
  return called(L, status, 0);
}

/* The handler of an interruption would run where no hook can stop it. */
static int handle(lua_State *L) {
  if (luge__error_passes(L)) {
    return 1;
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/* xpcall(f, handler, ...): the handler at 1, true at 2, f from 3 on. */
static int handled_call(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, handle, 1);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 3);
  lua_remove(L, 2);
  lua_remove(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 1, 1, called);
  return called(L, status, 1);
}

void luge__protect_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"pcall", protected_call}, {"xpcall", handled_call}, {NULL, NULL}};
  lua_pushglobaltable(L);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
