/* Groups; see group.h. One userdata holds an entry for each task, each a
 * listener of the task's cell; those that have ended are a list in the order
 * of their ending. The user value is the list of tasks, which keeps the cells
 * alive for as long as the entries may be linked to them. */
#include "group.h"

#include <lauxlib.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"

struct group;

struct entry {
  struct luge_listener listener;
  struct group *group;
  struct luge_task *task;
  struct entry *next; /* of those that have ended */
};

/* When the task that waits goes on. */
enum until { ONE_ENDED, ONE_FAILED, ALL_ENDED };

struct group {
  struct luge_list waiters;
  struct entry *first, *last; /* ended, and not yet told */
  struct entry *failed;       /* the first that did */
  enum until until;
  lua_Integer left; /* not yet told */
  lua_Integer live;
  lua_Integer count;
  struct entry entries[];
};

static const struct luge_class group_class = {"a group"};

static struct group *check(lua_State *L) {
  return luge__class_check(L, 1, &group_class);
}

static void ended(struct entry *entry) {
  struct group *group = entry->group;
  entry->next = NULL;
  if (group->first == NULL) {
    group->first = entry;
  } else {
    group->last->next = entry;
  }
  group->last = entry;
  group->live--;
  if (group->failed == NULL && entry->task->cell.state != LUGE_CELL_RESOLVED) {
    group->failed = entry;
  }
}

static bool is_complete(const struct group *group) {
  return group->until == ONE_ENDED || group->live == 0 ||
         (group->until == ONE_FAILED && group->failed != NULL);
}

static void on_ended(struct luge_listener *listener) {
  struct entry *entry = luge__container(listener, struct entry, listener);
  ended(entry);
  if (is_complete(entry->group)) {
    luge__waiters_wake_one(&entry->group->waiters);
  }
}

/* Takes the next that has ended: its index and Task. */
static int take(lua_State *L, struct group *group) {
  struct entry *entry = group->first;
  group->first = entry->next;
  group->left--;
  lua_Integer index = (lua_Integer)(entry - group->entries) + 1;
  lua_pushinteger(L, index);
  lua_getiuservalue(L, 1, 1);
  lua_rawgeti(L, -1, index);
  lua_remove(L, -2);
  if (group->left == 0) {
    luge__waiters_wake_all(&group->waiters);
  }
  return 2;
}

static int next(lua_State *L, struct luge_task *task, struct group *group);

/* Another task may have been told meanwhile of the one that ended. */
static int on_woken(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return next(L, task, lua_touserdata(L, 1));
}

static int next(lua_State *L, struct luge_task *task, struct group *group) {
  static const struct luge_wait_kind kind = {.name = "one of several tasks",
                                             .cancel = luge__waiters_leave,
                                             .finish = on_woken};
  if (group->left == 0) {
    return 0;
  }
  if (group->first != NULL) {
    return take(L, group);
  }
  group->until = ONE_ENDED;
  return luge__waiters_join(L, task, &group->waiters, &kind);
}

/* group:next() -> index, task; nothing when all have been told. */
static int group_next(lua_State *L) {
  struct group *group = check(L);
  lua_settop(L, 1);
  return next(L, luge__enter(L), group);
}

static int push_failed(lua_State *L, const struct group *group) {
  if (group->until == ALL_ENDED || group->failed == NULL) {
    return 0;
  }
  lua_getiuservalue(L, 1, 1);
  lua_rawgeti(L, -1, (lua_Integer)(group->failed - group->entries) + 1);
  return 1;
}

static int on_complete(lua_State *L, struct luge_task *task, int base) {
  (void)task;
  (void)base;
  return push_failed(L, lua_touserdata(L, 1));
}

/* group:wait(all?) -> Task: waits until all have ended, or, unless `all`, one
 * has failed: that one, or nothing. */
static int group_wait(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "several tasks",
                                             .cancel = luge__waiters_leave,
                                             .finish = on_complete};
  struct group *group = check(L);
  bool all = lua_toboolean(L, 2);
  lua_settop(L, 1);
  struct luge_task *task = luge__enter(L);
  group->until = all ? ALL_ENDED : ONE_FAILED;
  if (is_complete(group)) {
    return push_failed(L, group);
  }
  return luge__waiters_join(L, task, &group->waiters, &kind);
}

/* Replaces the Task on top of the stack, which has ended, by its first result
 * or its error, which counts as awaited. */
static void push_outcome(lua_State *L, struct luge_cell *cell) {
  int index = lua_gettop(L);
  int count = 1;
  if (cell->state != LUGE_CELL_RESOLVED) {
    luge__cell_push_error(L, index);
  } else if (cell->count == 0) {
    lua_pushnil(L);
  } else {
    luaL_checkstack(L, cell->count + 1, NULL);
    count = luge__cell_push_values(L, index, cell);
  }
  lua_pushvalue(L, -count);
  lua_replace(L, index);
  lua_settop(L, index);
}

/* group:results() -> the outcomes of tasks that have all ended, in the order
 * of the list, and their number in `n`. */
static int group_results(lua_State *L) {
  struct group *group = check(L);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_createtable(L, (int)group->count, 1);
  for (lua_Integer i = 1; i <= group->count; i++) {
    lua_rawgeti(L, 2, i);
    push_outcome(L, &group->entries[i - 1].task->cell);
    lua_rawseti(L, 3, i);
  }
  lua_pushinteger(L, group->count);
  lua_setfield(L, 3, "n");
  return 1;
}

/* group:cancel(reason) -> whether there are tasks that have not yet ended. */
static int group_cancel(lua_State *L) {
  struct group *group = check(L);
  lua_settop(L, 2);
  for (lua_Integer i = 0; i < group->count && group->live > 0; i++) {
    lua_pushvalue(L, 2);
    luge__scope_cancel(L, &group->entries[i].task->root, NULL);
  }
  lua_pushboolean(L, group->live > 0);
  return 1;
}

/* group:forget(): drops the errors of all, also of those that have still to
 * end, except of those that `next` has returned: these are for the caller to
 * await.
 */
static int group_forget(lua_State *L) {
  struct group *group = check(L);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  for (lua_Integer i = 0; i < group->count && group->live > 0; i++) {
    if (group->entries[i].task->cell.state == LUGE_CELL_PENDING) {
      luge__cell_drop_error(&group->entries[i].task->cell);
    }
  }
  for (struct entry *entry = group->first; entry != NULL; entry = entry->next) {
    if (entry->task->cell.state == LUGE_CELL_REJECTED) {
      lua_rawgeti(L, 2, (lua_Integer)(entry - group->entries) + 1);
      luge__cell_forget_error(L, 3);
      lua_settop(L, 2);
    }
  }
  return 0;
}

static void watch(struct group *group, struct entry *entry,
                  struct luge_task *task) {
  struct luge_cell *cell = &task->cell;
  entry->group = group;
  entry->task = task;
  luge__list_init(&entry->listener.link);
  if (cell->state != LUGE_CELL_PENDING) {
    ended(entry);
    return;
  }
  luge__cell_listen(cell, &entry->listener, on_ended);
}

/* Raises unless the value on top of the stack, item `i` of the list that `name`
 * was called with, is a Task other than the current one or can be called. */
static void check_member(lua_State *L, const char *name, lua_Integer i) {
  const struct luge_task *task = luge__class_test(L, -1, &luge__task_class);
  if (task != NULL) {
    if (task == luge__host(L)->current) {
      luge__raise(L, "invalid",
                  "bad list for '%s': item %d is the task that would wait",
                  name, (int)i);
    }
  } else if (!lua_isfunction(L, -1)) {
    if (luaL_getmetafield(L, -1, "__call") == LUA_TNIL) {
      luge__raise(L, "invalid",
                  "bad list for '%s': item %d is a %s, takes a task or a "
                  "function",
                  name, (int)i, luge__type_name(L, -1));
    }
    lua_pop(L, 1);
  }
}

/* Pushes a list of the Tasks in the list at index 1; its functions are spawned,
 * once all of it is known to be good. */
static lua_Integer push_tasks(lua_State *L, const char *name) {
  lua_Integer count = luaL_len(L, 1);
  lua_createtable(L, (int)count, 0);
  int tasks = lua_gettop(L);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, 1, i);
    check_member(L, name, i);
    lua_rawseti(L, tasks, i);
  }
  struct luge_scope *scope = luge__host(L)->current->scope;
  int level = luge__script_level(L);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, tasks, i);
    if (luge__class_test(L, -1, &luge__task_class) != NULL) {
      lua_pop(L, 1);
    } else {
      luge__spawn_at(L, scope, 0, level);
      lua_rawseti(L, tasks, i);
    }
  }
  return count;
}

/* group(list, name): for a list of Tasks and functions, which are spawned;
 * `name` is the function that messages speak of. */
int luge__group_create(lua_State *L) {
  const char *name = luaL_optstring(L, 2, "group");
  if (!lua_istable(L, 1)) {
    return luge__raise(L, "invalid",
                       "bad argument #1 to '%s': got %s, takes a list of "
                       "tasks and functions",
                       name, luaL_typename(L, 1));
  }
  luge__check_can_wait(L);
  lua_settop(L, 2);
  lua_Integer count = push_tasks(L, name);
  size_t size = sizeof(struct group) + (size_t)count * sizeof(struct entry);
  struct group *group = luge__class_new(L, &group_class, size, 1);
  luge__list_init(&group->waiters);
  group->count = group->left = group->live = count;
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, -2, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 3, i);
    watch(group, &group->entries[i - 1], lua_touserdata(L, -1));
    lua_pop(L, 1);
  }
  return 1;
}

static int group_gc(lua_State *L) {
  struct group *group = lua_touserdata(L, 1);
  for (lua_Integer i = 0; i < group->count; i++) {
    luge__list_remove(&group->entries[i].listener.link);
  }
  group->count = 0;
  return 0;
}

void luge__group_init(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"next", group_next},       {"wait", group_wait},
      {"results", group_results}, {"cancel", group_cancel},
      {"forget", group_forget},   {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", group_gc}, {NULL, NULL}};
  luge__class_init(L, &group_class, methods, metamethods);
}
