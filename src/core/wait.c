/* The protocol of waiting; see wait.h. */
#include "wait.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "name.h"
#include "sched.h"
#include "task.h"

/* Lua's functions that call back and still let a wait through. */
static bool lets_through(const char *name) {
  static const char *const names[] = {"pcall", "xpcall", "dofile", NULL};
  for (int i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], name) == 0) {
      return true;
    }
  }
  return false;
}

/* The function on top of the stack has a name. `error` calls nothing, except
 * that it runs the message handler. */
static const char *caller_in_words(lua_State *L) {
  const char *name = lua_tostring(L, -1);
  return strcmp(name, "error") == 0
             ? "an xpcall handler"
             : lua_pushfstring(L, "a function that %s calls", name);
}

/* Whether the coroutine that runs only runs its handlers, to be closed. */
static bool is_closing(lua_State *L) {
  const struct luge_resumption *inside = luge__host(L)->inside;
  const struct luge_resumption *outer = inside->outer;
  return inside->closings > (outer != NULL ? outer->closings : 0);
}

/* The nearest frame that Lua cannot suspend, in words. */
static const char *cause(lua_State *L) {
  lua_Debug ar;
  luaL_checkstack(L, 12, NULL);
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "nSf", &ar);
    if (strcmp(ar.namewhat, "hook") == 0) {
      return "a debug hook";
    }
    if (strcmp(ar.namewhat, "metamethod") == 0 &&
        (strcmp(ar.name, "__gc") == 0 || strcmp(ar.name, "close") == 0)) {
      return ar.name[0] == '_' ? "a __gc handler"
                               : "a __close handler that Lua itself runs";
    }
    if (ar.what[0] != 'C') {
      lua_pop(L, 1);
    } else if (strcmp(ar.namewhat, "for iterator") == 0) {
      return "a function that an iterator in C calls, such as that of ipairs";
    } else if (luge__name_function(L) && !lets_through(lua_tostring(L, -1))) {
      return caller_in_words(L);
    }
  }
  return is_closing(L)
             ? "a __close handler of a coroutine that coroutine.close or an "
               "error ends"
             : "a place where Lua cannot suspend, such as an xpcall handler";
}

void luge__check_can_wait(lua_State *L) {
  struct luge_host *host = luge__host(L);
  if (host->current == NULL) {
    luge__raise(L, "invalid", "cannot wait outside of a task");
  }
  if (host->inside->co != L) {
    luge__raise(L, "invalid",
                "cannot wait inside a coroutine that a C library resumed");
  }
  if (!lua_isyieldable(L)) {
    luge__raise(L, "invalid", "cannot wait inside %s", cause(L));
  }
  if (!host->inside->can_wait) {
    luge__raise(L, "invalid",
                "cannot wait inside a coroutine that was resumed where Lua "
                "cannot suspend");
  }
}

bool luge__can_wait(lua_State *L) {
  const struct luge_host *host = luge__host(L);
  return host->current != NULL && host->inside->co == L &&
         host->inside->can_wait && lua_isyieldable(L);
}

static int raise_cancelled(lua_State *L, struct luge_task *task) {
  luge__scope_count_refusal(task);
  luge__scope_push_cancelled(L, task->scope);
  return lua_error(L);
}

static int resumed(lua_State *L, int status, lua_KContext context) {
  (void)status;
  struct luge_task *task = luge__host(L)->current;
  if (task->cancelling) {
    task->cancelling = false;
    return raise_cancelled(L, task);
  }
  if (task->raising) {
    task->raising = false;
    return lua_error(L);
  }
  int base = (int)context;
  return task->wait.kind->finish != NULL
             ? task->wait.kind->finish(L, task, base)
             : lua_gettop(L) - base;
}

static int yield_to_scheduler(lua_State *L, struct luge_task *task) {
  struct luge_host *host = task->host;
#ifdef LUGE_GCSTRESS
  lua_gc(L, LUA_GCCOLLECT);
#endif
  host->suspending = true;
  return lua_yieldk(L, 0, lua_gettop(L), resumed);
}

static const struct luge_wait_kind cancelled_kind = {.name =
                                                         "its tasks to end"};

struct luge_task *luge__enter(lua_State *L) {
  struct luge_host *host = luge__host(L);
  struct luge_task *task = host->current;
  if (!luge__can_wait(L)) {
    luge__check_can_wait(L); /* raises, also where the task is NULL */
  }
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
  if (task->scope->flags & LUGE_SCOPE_CANCELLED) {
    if (!luge__scope_holds(task)) {
      raise_cancelled(L, task);
    }
    task->wait.kind = &cancelled_kind;
    task->waiting = LUGE_WAIT_HELD;
    task->cancelling = true;
    yield_to_scheduler(L, task);
  }
  return task;
}

int luge__suspend(lua_State *L, struct luge_task *task,
                  const struct luge_wait_kind *kind) {
  task->wait.kind = kind;
  if (task->waiting == LUGE_WAIT_NONE) {
    task->waiting = LUGE_WAIT_PENDING;
    if (task->scope->flags & LUGE_SCOPE_CANCELLED) {
      luge__wait_cancel(task);
    }
  }
  return yield_to_scheduler(L, task);
}

static void complete(struct luge_task *task) {
  task->waiting = LUGE_WAIT_WOKEN;
  luge__ready(task);
}

void luge__wait_release(struct luge_task *task) {
  if (task->waiting == LUGE_WAIT_HELD && !luge__scope_holds(task)) {
    complete(task);
  } else if (task->waiting == LUGE_WAIT_PENDING && luge__joins(task) &&
             luge__list_empty(
                 &((struct luge_scope *)task->wait.data)->children)) {
    complete(task);
  }
}

static void hold(struct luge_task *task) {
  task->waiting = LUGE_WAIT_HELD;
  luge__wait_release(task);
}

void luge__wake(struct luge_task *task) {
  if (task->waiting == LUGE_WAIT_WITHDRAWING) {
    hold(task);
  } else {
    complete(task);
  }
}

bool luge__wake_room(struct luge_task *task, int n) {
  return lua_checkstack(task->thread.co, n + LUA_MINSTACK);
}

void luge__wake_with(struct luge_task *task, lua_State *from, int n) {
  if (task->waiting == LUGE_WAIT_WITHDRAWING) {
    lua_pop(from, n);
    hold(task);
    return;
  }
  lua_xmove(from, task->thread.co, n);
  task->arguments = n;
  complete(task);
}

/* Completes the wait by raising the value on top of `from`, which it pops. */
static void wake_error(struct luge_task *task, lua_State *from) {
  task->raising = task->waiting != LUGE_WAIT_WITHDRAWING;
  luge__wake_with(task, from, 1);
}

void luge__wait_cancel(struct luge_task *task) {
  if (task->waiting != LUGE_WAIT_PENDING || task->wait.kind->cancel == NULL) {
    return;
  }
  task->cancelling = true;
  task->waiting = LUGE_WAIT_WITHDRAWING;
  if (task->wait.kind->cancel(task)) {
    hold(task);
  }
}

bool luge__wait_raise(struct luge_task *task, lua_State *from) {
  if (task->waiting != LUGE_WAIT_PENDING || task->wait.kind->cancel == NULL ||
      !task->wait.kind->cancel(task)) {
    lua_pop(from, 1);
    return false;
  }
  wake_error(task, from);
  return true;
}

/* What a cancelled task waited for counts no more once others hold it. */
static const struct luge_wait_kind *kind_of(const struct luge_task *task) {
  switch (task->waiting) {
  case LUGE_WAIT_NONE:
  case LUGE_WAIT_WOKEN:
    return NULL;
  case LUGE_WAIT_HELD:
    return &cancelled_kind;
  default:
    return task->wait.kind;
  }
}

const char *luge__wait_describe(lua_State *L, const struct luge_task *task) {
  const struct luge_wait_kind *kind = kind_of(task);
  if (kind == NULL || kind->describe == NULL) {
    return lua_pushstring(L, kind != NULL ? kind->name : "");
  }
  luaL_checkstack(L, 8, NULL);
  int top = lua_gettop(L);
  kind->describe(L, task);
  lua_copy(L, -1, top + 1);
  lua_settop(L, top + 1);
  return lua_tostring(L, -1);
}

/* Lists of waiting tasks. */

static struct luge_task *waiter(struct luge_list *link) {
  return luge__container(link, struct luge_task, wait.link);
}

int luge__waiters_join(lua_State *L, struct luge_task *task,
                       struct luge_list *waiters,
                       const struct luge_wait_kind *kind) {
  luge__list_append(waiters, &task->wait.link);
  return luge__suspend(L, task, kind);
}

struct luge_task *luge__waiters_first(const struct luge_list *waiters) {
  return luge__list_empty(waiters) ? NULL : waiter(waiters->next);
}

bool luge__waiters_leave(struct luge_task *task) {
  luge__list_remove(&task->wait.link);
  return true;
}

bool luge__waiters_wake_one(struct luge_list *waiters) {
  struct luge_task *first = luge__waiters_first(waiters);
  if (first == NULL) {
    return false;
  }
  luge__list_remove(&first->wait.link);
  luge__wake(first);
  return true;
}

void luge__waiters_wake_all(struct luge_list *waiters) {
  while (luge__waiters_wake_one(waiters)) {
  }
}
