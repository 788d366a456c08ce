/* Waiting: how a task is suspended, woken and cancelled. The protocol of every
 * function that may wait:
 *
 *   1. Check the arguments; nothing is owned yet, so it may raise.
 *   2. task = luge__enter(L): the current task. Raises where Lua cannot
 *      suspend, and raises `cancelled` if the task has been.
 *   3. Start what is waited for, and note it in task->wait. If it fails,
 *      undo it and raise. If it has a result at once, return that.
 *   4. return luge__suspend(L, task, kind).
 *
 * Whoever completes the wait calls one of the luge__wake functions, exactly
 * once, on the loop thread, and never runs Lua itself: the scheduler resumes
 * the task in its turn. From the wake on the wait is over, and a cancellation
 * counts for the next one: so what was handed to the task is never lost. */
#ifndef LUGE_CORE_WAIT_H
#define LUGE_CORE_WAIT_H

#include <lua.h>
#include <stdbool.h>

#include "cell.h"
#include "list.h"
#include "timer.h"

struct luge_task;
struct luge_host;

struct luge_wait_kind {
  /* What the task waits for, as task:waiting_for() says it. */
  const char *name;
  /* Pushes what exactly that is, where the kind alone says too little. */
  void (*describe)(lua_State *L, const struct luge_task *task);
  /* Nobody waits any more. Takes the task out of what it waits in and says
   * true: no wake will come; or starts the cancelling and says false: the
   * wake will come promptly all the same, and its values are dropped. NULL:
   * the wait ends by itself, soon, and is not cancelled. */
  bool (*cancel)(struct luge_task *task);
  /* Runs in the task once woken: pushes the results and returns their number,
   * or raises, or suspends again. `base` is the height of the stack at the
   * suspension: what the wake handed over lies above. NULL: returns that. */
  int (*finish)(lua_State *L, struct luge_task *task, int base);
};

enum luge_wait_state {
  LUGE_WAIT_NONE,        /* runs, or is ready for another reason */
  LUGE_WAIT_PENDING,     /* suspended */
  LUGE_WAIT_WITHDRAWING, /* cancelled; its wake is still to come */
  LUGE_WAIT_HELD,        /* cancelled; children in cancelled scopes live */
  LUGE_WAIT_WOKEN        /* complete, or cancelled: ready to run */
};

struct luge_wait {
  const struct luge_wait_kind *kind;
  void *data; /* the kind's own */
  union {
    struct luge_list link;         /* in a list of waiters */
    struct luge_listener listener; /* of a cell */
    struct luge_timer timer;       /* a sleep */
  };
};

/* Step 2. Does not return if the task was cancelled. */
struct luge_task *luge__enter(lua_State *L);

/* Raises `invalid` if the running function cannot suspend, naming why. */
void luge__check_can_wait(lua_State *L);

/* Whether it can; the wait may still raise `cancelled`. */
bool luge__can_wait(lua_State *L);

/* Step 4. A task that has been cancelled since step 2, or since the wake that
 * it suspends again after, is taken out of the wait at once. */
int luge__suspend(lua_State *L, struct luge_task *task,
                  const struct luge_wait_kind *kind);

/* Completes the wait, without values. */
void luge__wake(struct luge_task *task);

/* Completes the wait with the `n` values on top of `from`, which it pops.
 * Call luge__wake_room before anything is committed. */
void luge__wake_with(struct luge_task *task, lua_State *from, int n);

/* Ends a wait from outside: takes the task out of it and raises the value on
 * top of `from`, which is popped. False: the wait cannot be ended so. */
bool luge__wait_raise(struct luge_task *task, lua_State *from);

/* Pushes what the task waits for, in words, and returns it; "" while it runs
 * or is ready. */
const char *luge__wait_describe(lua_State *L, const struct luge_task *task);

/* Room for `n` values to be handed to the task; false: out of memory. */
bool luge__wake_room(struct luge_task *task, int n);

/* The task's innermost scope was cancelled: ends the wait it is in, if any. */
void luge__wait_cancel(struct luge_task *task);

/* Children have ended: lets a task go on whose cancelled wait they held. */
void luge__wait_release(struct luge_task *task);

/* Lists of waiting tasks, first come, first served. */

/* Suspends the task as the last of `waiters`; its kind's cancel must be
 * luge__waiters_leave or call it. */
int luge__waiters_join(lua_State *L, struct luge_task *task,
                       struct luge_list *waiters,
                       const struct luge_wait_kind *kind);

/* The first of them, or NULL. */
struct luge_task *luge__waiters_first(const struct luge_list *waiters);

/* Leaves the list: a `cancel` for kinds that own nothing else. */
bool luge__waiters_leave(struct luge_task *task);

/* Wakes the first and says whether there was one. */
bool luge__waiters_wake_one(struct luge_list *waiters);
void luge__waiters_wake_all(struct luge_list *waiters);

#endif
