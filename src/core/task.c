/* Tasks: how they are spawned, and what they are asked; see task.h. Their end
 * is in task_end.c. */
#include "task.h"

#include <lauxlib.h>

#include "error.h"
#include "host.h"
#include "newborn.h"
#include "sched.h"
#include "stack.h"

const struct luge_class luge__task_class = {"a Task"};

static const char names_key = 0; /* registry: Task -> name, weak */

void luge__task_push(lua_State *L, struct luge_task *task) {
  luaL_checkstack(L, 2, NULL);
  if (task->bed != 0) {
    luge__newborn_push(L, task);
  } else if (!luge__thread_push_first(L, task->thread.co)) {
    luge__raise_memory(L);
  }
}

static struct luge_task *next_started(lua_State *L,
                                      struct luge_task_walk *walk) {
  struct luge_host *host = luge__host(L);
  while (walk->slot < host->pool.slots) {
    lua_rawgeti(host->store, LUGE_THREADS, ++walk->slot);
    lua_State *co = lua_tothread(host->store, -1);
    lua_pop(host->store, 1);
    lua_Debug ar;
    if (co != NULL && lua_getstack(co, 0, &ar) &&
        luge__thread_push_first(L, co)) {
      return lua_touserdata(L, -1);
    }
  }
  return NULL;
}

/* Newborns are all ready. */
static struct luge_task *next_newborn(lua_State *L,
                                      struct luge_task_walk *walk) {
  do {
    walk->newborn = walk->newborn != NULL ? walk->newborn->ready
                                          : luge__host(L)->ready_first;
  } while (walk->newborn != NULL && walk->newborn->bed == 0);
  if (walk->newborn != NULL) {
    luge__newborn_push(L, walk->newborn);
  }
  return walk->newborn;
}

struct luge_task *luge__task_next(lua_State *L, struct luge_task_walk *walk) {
  struct luge_task *task = next_started(L, walk);
  return task != NULL ? task : next_newborn(L, walk);
}

const char *luge__task_status(const struct luge_task *task) {
  static const char *const ended[] = {
      [LUGE_CELL_RESOLVED] = "done",
      [LUGE_CELL_REJECTED] = "failed",
      [LUGE_CELL_CANCELLED] = "cancelled",
  };
  if (task->cell.state != LUGE_CELL_PENDING) {
    return ended[task->cell.state];
  }
  if (task->host->current == task) {
    return "running";
  }
  return task->queued ? "ready" : "waiting";
}

/* The function at the bottom of every task's thread: its arguments are the
 * Task, the function to run, and that one's arguments. A task that was
 * cancelled before its first run never runs. */
static int body(lua_State *L) {
  struct luge_task *task = luge__host(L)->current;
  lua_pushcfunction(L, luge__scope_handler);
  lua_insert(L, 2);
  if (task->root.flags & LUGE_SCOPE_CANCELLED) {
    lua_settop(L, 2);
    luge__scope_push_cancelled(L, &task->root);
    return luge__task_left(L, &task->root, 3, true);
  }
  return luge__scope_call(L, &task->root, 3);
}

/* Where the task was spawned: the function that did is kept as the user value
 * until the outcome takes its place. */
static void note_site(lua_State *L, struct luge_task *task, int index,
                      int level) {
  lua_Debug ar;
  const struct luge_task *current = task->host->current;
  if (level == 0 && current != NULL) {
    task->line = current->line;
    luge__task_push(L, task->host->current);
    lua_getiuservalue(L, -1, 1);
    lua_setiuservalue(L, index, 1);
    lua_pop(L, 1);
  } else if (lua_getstack(L, level, &ar) && lua_getinfo(L, "lf", &ar)) {
    task->line = ar.currentline;
    lua_setiuservalue(L, index, 1);
  }
}

static bool inherits_context(const struct luge_task *task) {
  const struct luge_task *parent = task->host->current;
  return parent != NULL && parent->has_context;
}

static void inherit_context(lua_State *L, struct luge_task *task) {
  if (inherits_context(task)) {
    lua_State *store = task->host->store;
    lua_rawgeti(store, LUGE_CONTEXTS, task->host->current->thread.slot);
    lua_xmove(store, L, 1);
    luge__task_set_context(L, task);
  }
}

bool luge__task_exits(const struct luge_task *task) {
  while (task != NULL && !task->exiting) {
    task = task->root.parent->task;
  }
  return task != NULL;
}

static struct luge_task *create(lua_State *L, struct luge_scope *owner,
                                int level) {
  struct luge_host *host = luge__host(L);
  struct luge_task *task =
      luge__class_new(L, &luge__task_class, sizeof *task, 1);
  task->host = host;
  note_site(L, task, lua_gettop(L), level);
  luge__cell_init(&task->cell);
  luge__scope_init(&task->root, owner, task, 0);
  task->root.left = luge__task_left;
  task->scope = &task->root;
  luge__list_init(&task->sibling);
  return task;
}

/* The last step: from here on the host knows the task. */
static void publish(struct luge_task *task) {
  struct luge_host *host = task->host;
  task->id = ++host->task_ids;
  luge__list_append(&task->root.parent->children, &task->sibling);
  host->live++;
  luge__ready(task);
}

struct luge_task *luge__spawn(lua_State *L, struct luge_scope *owner,
                              int nargs) {
  return luge__spawn_at(L, owner, nargs, 1);
}

struct luge_task *luge__spawn_at(lua_State *L, struct luge_scope *owner,
                                 int nargs, int level) {
  if (owner->flags & LUGE_SCOPE_CLOSED) {
    luge__raise(L, "invalid", "cannot spawn in a scope that has ended");
  }
  luaL_checkstack(L, 12, NULL);
  struct luge_task *task = create(L, owner, level);
  task->thread = luge__newborn_place(L, nargs, inherits_context(task), body);
  inherit_context(L, task);
  luge__newborn_lay(L, task, nargs);
  publish(task);
  return task;
}

int luge__script_level(lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "S", &ar);
    if (!luge__stack_is_own(&ar) && ar.what[0] != 'C') {
      return level;
    }
  }
  return 0;
}

void luge__task_serve(struct luge_task *task) {
  task->root.flags |= LUGE_SCOPE_SERVANT;
  luge__list_remove(&task->sibling);
  luge__list_append(task->root.parent->children.next, &task->sibling);
}

void luge__task_set_context(lua_State *L, struct luge_task *task) {
  if (lua_isnil(L, -1)) { /* keeps the slot: emptying it needs no memory */
    lua_pop(L, 1);
    lua_pushboolean(L, 0);
  }
  if (task->bed != 0) {
    luge__newborn_part(L, task);
  }
  luge__slot_set(L, LUGE_CONTEXTS, task->thread.slot);
  task->has_context = true;
}

void luge__task_set_name(lua_State *L, int index, const char *name) {
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
  lua_pushvalue(L, index);
  lua_pushstring(L, name);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

const char *luge__task_name(lua_State *L, int index) {
  const struct luge_task *task = lua_touserdata(L, index);
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) != LUA_TSTRING) {
    lua_pop(L, 1);
    lua_pushfstring(L, "task %d", (int)task->id);
  }
  lua_remove(L, -2);
  return lua_tostring(L, -1);
}

void luge__task_init(lua_State *L) {
  luge__weak_table(L, "k");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
}
