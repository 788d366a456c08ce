/* Newborns: tasks that were spawned and have not run yet. Until then they need
 * no thread of their own: a dozen share one, their cradle, on whose stack lie
 * the function at the bottom of every task's thread, and then, for each, the
 * Task, the function to run and its arguments. They start, and so leave the
 * cradle, in the order in which they were spawned. A million tasks that end
 * without waiting thus take turns on a few threads, which stay in the
 * processor's cache. Loop thread only. */
#ifndef LUGE_CORE_NEWBORN_H
#define LUGE_CORE_NEWBORN_H

#include <lua.h>
#include <stdbool.h>

#include "thread.h"

struct luge_host;
struct luge_task;

/* A place for a newborn with `nargs` arguments: in the cradle, or, if `alone`,
 * on a thread of its own, with `body` at the bottom. May raise (memory);
 * nothing has changed then. */
struct luge_thread luge__newborn_place(lua_State *L, int nargs, bool alone,
                                       lua_CFunction body);

/* Lays the newborn in task->thread, its place: on top of L's stack are the
 * function, its arguments, and the Task, which alone stays. Allocates nothing.
 */
void luge__newborn_lay(lua_State *L, struct luge_task *task, int nargs);

/* Pushes its Task. */
void luge__newborn_push(lua_State *L, const struct luge_task *task);

/* Gives the youngest newborn a thread of its own. May raise (memory). */
void luge__newborn_part(lua_State *L, struct luge_task *task);

/* The oldest newborn is about to run, and gets a thread of its own. False: out
 * of memory, and the error is on top of the main state's stack. The caller
 * clears `bed`. */
bool luge__newborn_start(struct luge_task *task);

#endif
