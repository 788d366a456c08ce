/* The scheduler: the queue of ready tasks, the one function that resumes
 * them, and the turns that alternate with the loop. */
#ifndef LUGE_CORE_SCHED_H
#define LUGE_CORE_SCHED_H

#include <lua.h>
#include <stdbool.h>

struct luge_host;
struct luge_task;

/* Puts the task at the end of the queue of those that are ready. */
void luge__ready(struct luge_task *task);

/* Runs what is ready, pass after pass, for a millisecond at most. */
void luge__passes(struct luge_host *host);

/* Turns the loop, which may wait for events if `wait` says so and no task is
 * ready, and fires the timers. False: no task is ready and nothing that the
 * host knows of will ever wake one. */
bool luge__poll(struct luge_host *host, bool wait);

/* Counts what may wake a task beside timers: operations, listeners. */
void luge__ref(struct luge_host *host);
void luge__unref(struct luge_host *host);

/* The same for what only listens: it keeps the program alive, but a virtual
 * clock does not wait for it. */
void luge__ref_listener(struct luge_host *host);
void luge__unref_listener(struct luge_host *host);

#endif
