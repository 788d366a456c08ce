/* luge.native.sync: semaphores, locks and events. First come, first served: a
 * permit that is released goes to the first that waits, not to whoever asks
 * next. */
#include <lauxlib.h>

#include "../core/args.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "modules.h"

/* Semaphores and locks. */

struct semaphore {
  struct luge_list waiters;
  lua_Integer permits; /* free */
  lua_Integer size;
  bool is_lock;
  uint32_t holder; /* of a lock: the task's id; 0: free */
};

static const struct luge_class semaphore_class = {"a semaphore"};
static const struct luge_class hold_class = {"a hold"};

static struct semaphore *check_semaphore(lua_State *L) {
  return luge__class_check(L, 1, &semaphore_class);
}

static void note_holder(struct semaphore *semaphore,
                        const struct luge_task *task) {
  if (semaphore->is_lock) {
    semaphore->holder = task->id;
  }
}

static bool take(struct semaphore *semaphore, const struct luge_task *task) {
  if (semaphore->permits == 0) {
    return false;
  }
  semaphore->permits--;
  note_holder(semaphore, task);
  return true;
}

/* Gives a permit to the first that waits, or keeps it. */
static void give(struct semaphore *semaphore) {
  struct luge_task *first = luge__waiters_first(&semaphore->waiters);
  semaphore->holder = 0;
  if (first == NULL) {
    semaphore->permits++;
  } else {
    note_holder(semaphore, first);
    luge__waiters_wake_one(&semaphore->waiters);
  }
}

static int acquire(lua_State *L, struct semaphore *semaphore,
                   const struct luge_wait_kind *kind) {
  struct luge_task *task = luge__enter(L);
  if (take(semaphore, task)) {
    return kind->finish(L, task, 0);
  }
  if (semaphore->is_lock && semaphore->holder == task->id) {
    return luge__raise(L, "invalid", "the task holds the lock already");
  }
  return luge__waiters_join(L, task, &semaphore->waiters, kind);
}

static int acquired(lua_State *L, struct luge_task *task, int base) {
  (void)L;
  (void)task;
  (void)base;
  return 0;
}

static int semaphore_acquire(lua_State *L) {
  static const struct luge_wait_kind semaphore_kind = {
      .name = "a semaphore", .cancel = luge__waiters_leave, .finish = acquired};
  static const struct luge_wait_kind lock_kind = {
      .name = "a lock", .cancel = luge__waiters_leave, .finish = acquired};
  struct semaphore *semaphore = check_semaphore(L);
  return acquire(L, semaphore,
                 semaphore->is_lock ? &lock_kind : &semaphore_kind);
}

static int semaphore_try_acquire(lua_State *L) {
  struct semaphore *semaphore = check_semaphore(L);
  struct luge_task *task = luge__host(L)->current;
  if (task == NULL) {
    return luge__raise(L, "invalid", "there is no task here");
  }
  lua_pushboolean(L, take(semaphore, task));
  return 1;
}

/* `holder` is the task that gives a lock back, or whose hold does. */
static void check_held(lua_State *L, const struct semaphore *semaphore,
                       uint32_t holder) {
  if (semaphore->is_lock) {
    if (semaphore->holder == 0) {
      luge__raise(L, "invalid", "releasing a lock that is not held");
    } else if (semaphore->holder != holder) {
      luge__raise(L, "invalid", "releasing a lock that another task holds");
    }
  } else if (semaphore->permits >= semaphore->size) {
    luge__raise(L, "invalid", "releasing a semaphore that is not held");
  }
}

static int semaphore_release(lua_State *L) {
  struct semaphore *semaphore = check_semaphore(L);
  const struct luge_task *task = luge__host(L)->current;
  check_held(L, semaphore, task != NULL ? task->id : 0);
  give(semaphore);
  return 0;
}

/* What `hold` returns, and has made before it has a permit to lose: releases
 * once, when it is closed, by whatever task. */
struct hold {
  bool open;
  uint32_t holder; /* the id of the task that acquired */
};

static int held(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  lua_settop(L, 2);
  *(struct hold *)lua_touserdata(L, 2) = (struct hold){true, task->id};
  return 1;
}

static int semaphore_hold(lua_State *L) {
  static const struct luge_wait_kind semaphore_kind = {
      .name = "a semaphore", .cancel = luge__waiters_leave, .finish = held};
  static const struct luge_wait_kind lock_kind = {
      .name = "a lock", .cancel = luge__waiters_leave, .finish = held};
  struct semaphore *semaphore = check_semaphore(L);
  lua_settop(L, 1);
  luge__class_new(L, &hold_class, sizeof(struct hold), 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 2, 1);
  return acquire(L, semaphore,
                 semaphore->is_lock ? &lock_kind : &semaphore_kind);
}

static int hold_close(lua_State *L) {
  struct hold *hold = luge__class_check(L, 1, &hold_class);
  if (hold->open) {
    hold->open = false;
    lua_getiuservalue(L, 1, 1);
    struct semaphore *semaphore = lua_touserdata(L, -1);
    check_held(L, semaphore, hold->holder);
    give(semaphore);
  }
  return 0;
}

static int create(lua_State *L, lua_Integer size, bool is_lock) {
  struct semaphore *semaphore =
      luge__class_new(L, &semaphore_class, sizeof *semaphore, 0);
  luge__list_init(&semaphore->waiters);
  semaphore->permits = semaphore->size = size;
  semaphore->is_lock = is_lock;
  return 1;
}

static int lib_semaphore(lua_State *L) {
  return create(L, luge__check_integer(L, 1, 1, "a number of permits, from 1"),
                false);
}

static int lib_lock(lua_State *L) {
  return create(L, 1, true);
}

/* Events. */

struct event {
  struct luge_list waiters;
  bool set;
};

static const struct luge_class event_class = {"an event"};

static struct event *check_event(lua_State *L) {
  return luge__class_check(L, 1, &event_class);
}

static int event_set(lua_State *L) {
  struct event *event = check_event(L);
  event->set = true;
  luge__waiters_wake_all(&event->waiters);
  return 0;
}

static int event_clear(lua_State *L) {
  check_event(L)->set = false;
  return 0;
}

static int event_is_set(lua_State *L) {
  lua_pushboolean(L, check_event(L)->set);
  return 1;
}

static int event_wait(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "an event",
                                             .cancel = luge__waiters_leave};
  struct event *event = check_event(L);
  struct luge_task *task = luge__enter(L);
  if (event->set) {
    return 0;
  }
  return luge__waiters_join(L, task, &event->waiters, &kind);
}

static int lib_event(lua_State *L) {
  struct event *event = luge__class_new(L, &event_class, sizeof *event, 0);
  luge__list_init(&event->waiters);
  return 1;
}

static void init_classes(lua_State *L) {
  static const luaL_Reg semaphore_methods[] = {
      {"acquire", semaphore_acquire},
      {"try_acquire", semaphore_try_acquire},
      {"release", semaphore_release},
      {"hold", semaphore_hold},
      {NULL, NULL}};
  static const luaL_Reg hold_methods[] = {{"release", hold_close},
                                          {NULL, NULL}};
  static const luaL_Reg hold_metamethods[] = {{"__close", hold_close},
                                              {NULL, NULL}};
  static const luaL_Reg event_methods[] = {{"set", event_set},
                                           {"clear", event_clear},
                                           {"is_set", event_is_set},
                                           {"wait", event_wait},
                                           {NULL, NULL}};
  luge__class_init(L, &semaphore_class, semaphore_methods, NULL);
  luge__class_init(L, &hold_class, hold_methods, hold_metamethods);
  luge__class_init(L, &event_class, event_methods, NULL);
}

int luge__open_sync(lua_State *L) {
  static const luaL_Reg functions[] = {{"semaphore", lib_semaphore},
                                       {"lock", lib_lock},
                                       {"event", lib_event},
                                       {NULL, NULL}};
  init_classes(L);
  luaL_newlib(L, functions);
  return 1;
}
