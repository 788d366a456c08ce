/* The library `coroutine`; see coroutine.h. A wait suspends every coroutine
 * between the one that waits and its task: each resume in between sees that
 * its coroutine suspended for a wait (host->suspending), suspends in its turn,
 * and resumes its coroutine when the task goes on. What a coroutine itself
 * yields still goes to its resumer. */
#include "coroutine.h"

#include <lauxlib.h>
#include <lualib.h>

#include "error.h"
#include "host.h"
#include "interrupt.h"
#include "task.h"
#include "trace.h"

static const char parked_key = 0; /* registry: coroutine -> its open block */

static lua_State *check_thread(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  if (co == NULL) {
    luge__arg_error(L, 1, "a coroutine");
  }
  return co;
}

static void refuse_task(lua_State *L, lua_State *co, const char *what) {
  if (luge__thread_is(co, LUGE_THREAD_TASK)) {
    luge__raise(L, "invalid", "%s: the coroutine belongs to a task", what);
  }
}

/* Scopes: a coroutine that yields inside a block leaves the block, and is in
 * it again when it is resumed. */

static void park_scope(lua_State *L, lua_State *co, struct luge_task *task,
                       struct luge_scope *outside) {
  struct luge_host *host = task->host;
  luaL_checkstack(L, 3, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &parked_key);
  lua_pushthread(co);
  lua_xmove(co, L, 1);
  lua_pushlightuserdata(L, task->scope);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  task->scope = outside;
  host->parked_scopes = true;
}

/* The block that the coroutine is in, or NULL. */
static struct luge_scope *unpark_scope(lua_State *L, lua_State *co) {
  luaL_checkstack(L, 4, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &parked_key);
  lua_pushthread(co);
  lua_xmove(co, L, 1);
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  struct luge_scope *scope = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (scope != NULL) {
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  } else {
    lua_pop(L, 2);
  }
  return scope;
}

static void enter_scope(lua_State *L, lua_State *co) {
  struct luge_task *task = luge__host(L)->current;
  struct luge_scope *scope = unpark_scope(L, co);
  if (scope == NULL || (scope->flags & LUGE_SCOPE_CLOSED)) {
    return;
  }
  if (scope->task != task) {
    luge__raise(L, "invalid",
                "the coroutine is suspended inside a timeout, scope or shield "
                "of another task");
  }
  task->scope = scope;
}

/* Resuming. */

enum { ENDED = -1, WAITS = -2 };

/* Runs `co` with the `nargs` values on top of its stack; `scope` is the one
 * that the task is in outside of it. The number of values
 * that it yielded or returned, which are on top of its stack; ENDED by an
 * error, which is; or WAITS. */
static int run(lua_State *L, lua_State *co, int nargs,
               struct luge_scope *scope) {
  struct luge_host *host = luge__host(L);
  struct luge_task *task = host->current;
  struct luge_resumption *outer = host->inside;
  struct luge_resumption here = {.outer = outer,
                                 .co = co,
                                 .can_wait = outer != NULL && outer->can_wait &&
                                             outer->co == L &&
                                             lua_isyieldable(L)};
  int results;
  host->inside = &here;
  host->running = co;
  if (host->watching && task != NULL) {
    luge__watch(host, co);
  }
  int status = lua_resume(co, L, nargs, &results);
  host->inside = outer;
  host->running = outer != NULL ? L : NULL;
  if (status == LUA_YIELD && host->suspending) {
    return WAITS;
  }
  if (task != NULL && task->scope != scope && status == LUA_YIELD) {
    park_scope(L, co, task, scope);
  }
  return status == LUA_OK || status == LUA_YIELD ? results : ENDED;
}

/* Ends a coroutine: its pending handlers run, and cannot wait. If the status is
 * an error, that is on its stack, and must not stay: `status_of` would take it
 * for a function to begin with. */
static int close_thread(lua_State *L, lua_State *co) {
  struct luge_host *host = luge__host(L);
  struct luge_resumption *outer = host->inside;
  struct luge_resumption here = {.outer = outer, .co = co, .can_wait = false};
  lua_State *running = host->running;
  host->inside = &here;
  host->running = co;
  int status = lua_resetthread(co);
  host->inside = outer;
  host->running = running;
  return status;
}

/* An error has ended `co`: moves it to L, with the stack noted. */
static void take_error(lua_State *L, lua_State *co) {
  lua_xmove(co, L, 1);
  if (!luge__is_error(L, -1, "cancelled")) {
    luge__trace_note(L, co, 0);
  }
}

static bool was_cancelled(lua_State *L) {
  struct luge_task *task = luge__host(L)->current;
  return task != NULL && (task->scope->flags & LUGE_SCOPE_CANCELLED) &&
         luge__is_error(L, -1, "cancelled");
}

/* What differs between `resume` and `wrap`: what comes after a run, and where
 * the C function goes on after a wait. */
struct resumer {
  int (*after)(lua_State *L, lua_State *co, int results);
  lua_KFunction resumed;
};

/* Goes on with a coroutine: `nargs` values on top of L's stack are for it. The
 * scope outside stays on the stack while a wait passes through. */
static int go_on(lua_State *L, lua_State *co, int nargs,
                 struct luge_scope *scope, const struct resumer *resumer) {
  if (!lua_checkstack(co, nargs + LUA_MINSTACK)) {
    return luaL_error(L, "too many arguments to resume");
  }
  lua_xmove(L, co, nargs);
  int results = run(L, co, nargs, scope);
  if (results == WAITS) {
    luge__thread_mark(co, LUGE_THREAD_WAITING, true);
    lua_pushlightuserdata(L, scope);
    return lua_yieldk(L, 0, lua_gettop(L), resumer->resumed);
  }
  return resumer->after(L, co, results);
}

static int begin(lua_State *L, lua_State *co, int nargs,
                 const struct resumer *resumer) {
  struct luge_host *host = luge__host(L);
  struct luge_scope *scope =
      host->current != NULL ? host->current->scope : NULL;
  if (host->parked_scopes && scope != NULL) {
    enter_scope(L, co);
  }
  return go_on(L, co, nargs, scope, resumer);
}

/* The wait is over: what the task was given lies above `base`. */
static int waited(lua_State *L, lua_State *co, int base,
                  const struct resumer *resumer) {
  struct luge_scope *scope = lua_touserdata(L, base);
  lua_remove(L, base); /* what a wait has pushed must not pile up */
  luge__thread_mark(co, LUGE_THREAD_WAITING, false);
  return go_on(L, co, lua_gettop(L) - base + 1, scope, resumer);
}

static int take_results(lua_State *L, lua_State *co, int results) {
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    return luaL_error(L, "too many results to resume");
  }
  lua_xmove(co, L, results);
  return results;
}

/* Why a coroutine cannot be resumed, or NULL. */
static const char *not_resumable(lua_State *L, lua_State *co) {
  if (L == co || luge__thread_is(co, LUGE_THREAD_WAITING)) {
    return "cannot resume non-suspended coroutine";
  }
  if (lua_status(co) == LUA_YIELD) {
    return NULL;
  }
  lua_Debug ar;
  if (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar)) {
    return "cannot resume non-suspended coroutine";
  }
  return lua_status(co) != LUA_OK || lua_gettop(co) == 0
             ? "cannot resume dead coroutine"
             : NULL;
}

static int after_resume(lua_State *L, lua_State *co, int results) {
  if (results == ENDED) {
    take_error(L, co);
    if (was_cancelled(L)) {
      close_thread(L, co);
      lua_settop(co, 0);
    }
    if (luge__is_interrupted(L)) {
      return lua_error(L);
    }
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushboolean(L, 1);
  return take_results(L, co, results) + 1;
}

static int resume_resumed(lua_State *L, int status, lua_KContext base);
static const struct resumer resume = {after_resume, resume_resumed};

static int resume_resumed(lua_State *L, int status, lua_KContext base) {
  (void)status;
  return waited(L, lua_tothread(L, 1), (int)base, &resume);
}

static int co_resume(lua_State *L) {
  lua_State *co = check_thread(L);
  refuse_task(L, co, "coroutine.resume");
  const char *reason = not_resumable(L, co);
  if (reason != NULL) {
    lua_pushboolean(L, 0);
    lua_pushstring(L, reason);
    return 2;
  }
  return begin(L, co, lua_gettop(L) - 1, &resume);
}

/* A string gets the position of the call, as in Lua's own. */
static int after_wrap(lua_State *L, lua_State *co, int results) {
  if (results != ENDED) {
    return take_results(L, co, results);
  }
  take_error(L, co);
  if (close_thread(L, co) != LUA_OK && !luge__is_error(L, -1, NULL)) {
    lua_pop(L, 1);
    lua_xmove(co, L, 1);
  }
  lua_settop(co, 0);
  if (lua_type(L, -1) == LUA_TSTRING) {
    luge__trace_push(L, -1);
    luaL_where(L, 1);
    lua_pushvalue(L, -3);
    lua_concat(L, 2);
    lua_insert(L, -2);
    luge__trace_amend(L, -2);
  }
  return lua_error(L);
}

static int wrap_resumed(lua_State *L, int status, lua_KContext base);
static const struct resumer wrap = {after_wrap, wrap_resumed};

static int wrap_resumed(lua_State *L, int status, lua_KContext base) {
  (void)status;
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return waited(L, co, (int)base, &wrap);
}

static int call_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  const char *reason = not_resumable(L, co);
  if (reason != NULL) {
    return luaL_error(L, "%s", reason);
  }
  return begin(L, co, lua_gettop(L), &wrap);
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

static int co_yield (lua_State *L) {
  if (luge__thread_is(L, LUGE_THREAD_TASK)) {
    luge__raise(L, "invalid",
                "attempt to yield from outside a coroutine: a task waits "
                "with luge.sleep, luge.await and the like");
  }
  return lua_yield(L, lua_gettop(L));
}

static const char *status_of(lua_State *L, lua_State *co) {
  if (L == co) {
    return "running";
  }
  if (luge__thread_is(co, LUGE_THREAD_WAITING)) {
    return "normal";
  }
  lua_Debug ar;
  switch (lua_status(co)) {
  case LUA_YIELD:
    return luge__thread_is(co, LUGE_THREAD_TASK) ? "normal" : "suspended";
  case LUA_OK:
    if (lua_getstack(co, 0, &ar)) {
      return "normal";
    }
    return lua_gettop(co) == 0 ? "dead" : "suspended";
  default:
    return "dead";
  }
}

static int co_status(lua_State *L) {
  lua_pushstring(L, status_of(L, check_thread(L)));
  return 1;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : check_thread(L);
  lua_pushboolean(L, !luge__thread_is(co, LUGE_THREAD_TASK) &&
                         lua_isyieldable(co));
  return 1;
}

/* For a script, its task is the main coroutine, which cannot yield. */
static int co_running(lua_State *L) {
  bool is_main = lua_pushthread(L) || luge__thread_is(L, LUGE_THREAD_TASK);
  luge__thread_mark(L, LUGE_THREAD_LENT, true);
  lua_pushboolean(L, is_main);
  return 2;
}

static int co_close(lua_State *L) {
  lua_State *co = check_thread(L);
  refuse_task(L, co, "coroutine.close");
  const char *status = status_of(L, co);
  if (status[0] != 's' && status[0] != 'd') {
    return luaL_error(L, "cannot close a %s coroutine", status);
  }
  if (close_thread(L, co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

/* debug.sethook([thread,] ...): a task's hook is the host's. */
static int sethook(lua_State *L) {
  lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  refuse_task(L, co, "debug.sethook");
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

void luge__coroutine_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"create", co_create},
                                       {"resume", co_resume},
                                       {"wrap", co_wrap},
                                       {"yield", co_yield },
                                       {"status", co_status},
                                       {"isyieldable", co_isyieldable},
                                       {"running", co_running},
                                       {"close", co_close},
                                       {NULL, NULL}};
  lua_getglobal(L, LUA_COLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  lua_getglobal(L, LUA_DBLIBNAME);
  lua_getfield(L, -1, "sethook");
  lua_pushcclosure(L, sethook, 1);
  lua_setfield(L, -2, "sethook");
  lua_pop(L, 1);
  luge__weak_table(L, "k");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &parked_key);
}
