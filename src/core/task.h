/* Tasks: a userdata that scripts see, a thread that runs, and a cell for the
 * outcome. While it lives the host holds its thread, at whose bottom the Task
 * is the argument of the function there; once ended it is ordinary garbage.
 * Loop thread only. */
#ifndef LUGE_CORE_TASK_H
#define LUGE_CORE_TASK_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "cell.h"
#include "class.h"
#include "scope.h"
#include "thread.h"
#include "wait.h"

struct luge_task {
  struct luge_host *host;
  struct luge_cell cell;
  struct luge_scope root;    /* owns what the task spawns; parent: its owner */
  struct luge_scope *scope;  /* the innermost, at most the root */
  struct luge_list sibling;  /* in its owner's children */
  struct luge_task *ready;   /* the next in the queue of ready tasks */
  struct luge_thread thread; /* co is NULL once ended; see newborn.h */
  struct luge_wait wait;
  int line;      /* where it was spawned; the function: its user value */
  int arguments; /* on its thread's stack, for the next resumption */
  int bed;       /* where a newborn lies on that stack; 0: it has run */
  uint32_t id;
  uint8_t waiting; /* enum luge_wait_state */
  bool queued;
  bool started_by_host; /* see start.c */
  bool interrupted : 1; /* no protected call keeps its errors */
  bool graced : 1;      /* an interruption waits for its handlers */
  bool exiting : 1;     /* it, or one that it owns, called os.exit */
  bool cancelling;      /* the wait ends by raising `cancelled` */
  bool raising;         /* the wait ends by raising the value handed over */
  bool unawaited;       /* its error fails its owner */
  bool has_context;     /* in LUGE_CONTEXTS */
};

/* Spawns the function below `nargs` arguments on top of L's stack, which are
 * popped, as a child of `owner`; pushes the Task. `fn` may wait. Raises
 * (memory, a closed scope) before anything has changed. */
struct luge_task *luge__spawn(lua_State *L, struct luge_scope *owner,
                              int nargs);

/* The same on behalf of the function at `level` of the stack, which tracebacks
 * name; 1 is the caller of the C function that runs, 0 whoever spawned the
 * current task. */
struct luge_task *luge__spawn_at(lua_State *L, struct luge_scope *owner,
                                 int nargs, int level);

/* The level of the nearest function on the stack that is a script's and not
 * luge's own; 0 if there is none. */
int luge__script_level(lua_State *L);

/* Makes a task that was just spawned a servant: its owner does not wait for
 * it, but cancels it once all that it owns besides has ended. */
void luge__task_serve(struct luge_task *task);

/* Pushes the Task of a live task on any stack of its host. */
void luge__task_push(lua_State *L, struct luge_task *task);

/* A walk over the live tasks; begins with all zero. */
struct luge_task_walk {
  uint32_t slot;             /* of the last that has run */
  struct luge_task *newborn; /* the last that has not */
};

/* Pushes the next Task and returns it; at the end NULL, and nothing. */
struct luge_task *luge__task_next(lua_State *L, struct luge_task_walk *walk);

/* A task's root scope is left, as luge__scope_call says: what its function left
 * behind becomes its outcome. */
int luge__task_left(lua_State *L, struct luge_scope *root, int first,
                    bool failed);

/* The scheduler has run it until it ended: `status` is lua_resume's. */
void luge__task_ended(struct luge_task *task, int status);

/* It is about to run for the first time. False: there was no memory for its
 * thread, and it has failed. */
bool luge__task_begin(struct luge_task *task);

/* Whether the task, or one above it, is `exiting`. */
bool luge__task_exits(const struct luge_task *task);

/* What task:status() says. */
const char *luge__task_status(const struct luge_task *task);

/* The table on top of L's stack, which is popped, becomes the task's context,
 * which the tasks that it spawns inherit; nil: none. */
void luge__task_set_context(lua_State *L, struct luge_task *task);

/* The class of Tasks, to be given its methods before a task is spawned. */
extern const struct luge_class luge__task_class;

/* The name that a script gave the Task at `index`, or else "task 12". */
void luge__task_set_name(lua_State *L, int index, const char *name);
const char *luge__task_name(lua_State *L, int index);

void luge__task_init(lua_State *L);

#endif
