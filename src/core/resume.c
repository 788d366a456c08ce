/* Resuming coroutines; see resume.h. A wait suspends every coroutine between
 * the one that waits and its task: each resume in between sees that its
 * coroutine suspended for a wait (host->suspending), suspends in its turn, and
 * resumes its coroutine when the task goes on. What a coroutine itself yields
 * still goes to its resumer. */
#include "resume.h"

#include <lauxlib.h>

#include "error.h"
#include "host.h"
#include "interrupt.h"
#include "task.h"
#include "trace.h"

static const char parked_key = 0; /* registry: coroutine -> its open block */

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

/* Lua counts its C calls from 0 again in a coroutine that it closes: a chain of
 * coroutines that close each other could overflow the C stack. */
enum { MAX_CLOSINGS = 40 };

enum { ENDED = -1, WAITS = -2 };

static int closings_around(const struct luge_host *host) {
  return host->inside != NULL ? host->inside->closings : 0;
}

bool luge__resume_is_deep(lua_State *L) {
  return closings_around(luge__host(L)) >= MAX_CLOSINGS;
}

/* Runs `co` with the `nargs` values on top of its stack; `scope` is the one
 * that the task is in outside of it. Returns the number of values that it
 * yielded or returned, which are on top of its stack; ENDED, with an error
 * there; or WAITS. */
static int run(lua_State *L, lua_State *co, int nargs,
               struct luge_scope *scope) {
  struct luge_host *host = luge__host(L);
  struct luge_task *task = host->current;
  struct luge_resumption *outer = host->inside;
  struct luge_resumption here = {.outer = outer,
                                 .co = co,
                                 .can_wait = outer != NULL && outer->can_wait &&
                                             outer->co == L &&
                                             lua_isyieldable(L),
                                 .closings = closings_around(host)};
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

int luge__resume_close(lua_State *L, lua_State *co) {
  struct luge_host *host = luge__host(L);
  struct luge_resumption *outer = host->inside;
  struct luge_resumption here = {.outer = outer,
                                 .co = co,
                                 .can_wait = false,
                                 .closings = closings_around(host) + 1};
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
  if (luge__resume_is_deep(L)) {
    return "C stack overflow";
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
      luge__resume_close(L, co);
      lua_settop(co, 0);
    }
    if (luge__error_passes(L)) {
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

int luge__resume(lua_State *L, lua_State *co) {
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
  if (luge__resume_close(L, co) != LUA_OK && !luge__is_error(L, -1, NULL)) {
    lua_pop(L, 1);
    lua_xmove(co, L, 1);
  }
  lua_settop(co, 0);
  if (lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_pushvalue(L, -2);
    lua_concat(L, 2);
    luge__trace_move(L, -2, -1);
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

int luge__resume_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  const char *reason = not_resumable(L, co);
  if (reason != NULL) {
    return luaL_error(L, "%s", reason);
  }
  return begin(L, co, lua_gettop(L), &wrap);
}

void luge__resume_open(lua_State *L) {
  luge__weak_table(L, "k");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &parked_key);
}
