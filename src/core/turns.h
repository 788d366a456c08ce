/* Turns: tasks that use one thing one after the other, first come, first
 * served. A task whose turn it is may wait several times before it is done: it
 * stays the first until it leaves. Loop thread only. */
#ifndef LUGE_CORE_TURNS_H
#define LUGE_CORE_TURNS_H

#include <lua.h>
#include <stdbool.h>

#include "list.h"

struct luge_task;
struct luge_wait_kind;

struct luge_turns {
  struct luge_list waiters;
  bool woken; /* the first was woken and has not run yet */
};

void luge__turns_init(struct luge_turns *turns);

/* Whether somebody else is to come first. */
bool luge__turns_busy(const struct luge_turns *turns);

/* Suspends the task as the last in the line; or, when called by the `finish` of
 * a wait for its turn, as the first again. The kind's `cancel` must be
 * luge__turns_leave or call it; `data` goes into task->wait. */
int luge__turns_join(lua_State *L, struct luge_task *task,
                     struct luge_turns *turns,
                     const struct luge_wait_kind *kind, void *data);
int luge__turns_rejoin(lua_State *L, struct luge_task *task,
                       struct luge_turns *turns,
                       const struct luge_wait_kind *kind, void *data);

/* Raises if the task was cancelled after it had been woken. To be called before
 * the task does anything that ends in joining again. */
void luge__turns_check(lua_State *L, struct luge_task *task,
                       struct luge_turns *turns);

/* A `cancel`: the task leaves. */
bool luge__turns_leave(struct luge_task *task);

/* Wakes the first, if it waits: it has reason to look again. */
void luge__turns_wake(struct luge_turns *turns);

/* The woken task runs: to be called first in its `finish`. */
void luge__turns_resumed(struct luge_turns *turns);

#endif
