/* Groups; see group.h. One userdata holds an entry for each task, each a
 * listener of the task's cell; those that have ended are a list in the order
 * of their ending. The user value is the list of tasks, which keeps the cells
 * alive for as long as the entries may be linked to them. */
#include "group.h"

#include <lauxlib.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/task.h"
#include "../core/wait.h"

struct group;

struct entry {
  struct luge_listener listener;
  struct group *group;
  struct entry *next; /* of those that have ended */
};

struct group {
  struct luge_list waiters;
  struct entry *first, *last; /* ended, and not yet told */
  lua_Integer left;           /* not yet told */
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
}

static void on_ended(struct luge_listener *listener) {
  struct entry *entry = luge__container(listener, struct entry, listener);
  ended(entry);
  luge__waiters_wake_one(&entry->group->waiters);
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
  return 2;
}

static int on_woken(lua_State *L, struct luge_task *task, int base) {
  (void)task;
  (void)base;
  struct group *group = lua_touserdata(L, 1);
  return group->first != NULL ? take(L, group) : 0;
}

/* group:next() -> index, task; nothing when all have been told. */
static int group_next(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "one of several tasks",
                                             .cancel = luge__waiters_leave,
                                             .finish = on_woken};
  struct group *group = check(L);
  struct luge_task *task = luge__enter(L);
  if (group->left == 0) {
    return 0;
  }
  if (group->first != NULL) {
    return take(L, group);
  }
  return luge__waiters_join(L, task, &group->waiters, &kind);
}

static void watch(struct group *group, struct entry *entry,
                   struct luge_cell *cell) {
  entry->group = group;
  luge__list_init(&entry->listener.link);
  if (cell->state != LUGE_CELL_PENDING) {
    ended(entry);
    return;
  }
  entry->listener.notify = on_ended;
  luge__list_append(&cell->listeners, &entry->listener.link);
}

/* group(tasks), a list of Tasks, which must not change afterwards. */
int luge__group_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = luaL_len(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    luge__class_check(L, -1, &luge__task_class);
    lua_pop(L, 1);
  }
  size_t size =
      sizeof(struct group) + (size_t)count * sizeof(struct entry);
  struct group *group = luge__class_new(L, &group_class, size, 1);
  luge__list_init(&group->waiters);
  group->count = group->left = count;
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    struct luge_task *task = lua_touserdata(L, -1);
    watch(group, &group->entries[i - 1], &task->cell);
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
  static const luaL_Reg methods[] = {{"next", group_next}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", group_gc}, {NULL, NULL}};
  luge__class_init(L, &group_class, methods, metamethods);
}
