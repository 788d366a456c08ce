/* Failures: errors that nobody has awaited yet. A failure is a small userdata
 * that only the Task or Future refers to: when it is collected first, nobody
 * can await the error any more, and the host reports it. Until then the owner
 * of the task has it in its list and fails with it when it ends. */
#ifndef LUGE_CORE_FAILURE_H
#define LUGE_CORE_FAILURE_H

#include <lua.h>
#include <stdbool.h>

#include "list.h"

struct luge_scope;
struct luge_host;

struct luge_failure {
  struct luge_list link; /* in the owner's failures */
  struct luge_host *host;
  bool handled;
};

/* Replaces the error on top of the stack by a failure that holds it and the
 * traceback last noted for it. */
struct luge_failure *luge__failure_new(lua_State *L);

/* The failure on top of the stack is going to be raised by its owner: it stays
 * until then, even if the Task is collected. */
void luge__failure_keep(lua_State *L);

/* Pushes the error of the failure at `index`. Somebody has it now: it will
 * not be reported. Its traceback is the last noted. */
void luge__failure_push(lua_State *L, int index);

/* Drops its error: it will not be reported. */
void luge__failure_drop(lua_State *L, int index);

/* Pushes its traceback, or nil. */
void luge__failure_push_trace(lua_State *L, int index);

/* The same, for one that is still in a list. */
void luge__failure_take(lua_State *L, struct luge_failure *failure);

/* Reports the failures of a list that nobody will await; or drops them. */
void luge__failures_report(lua_State *L, struct luge_list *failures);
void luge__failures_drop(lua_State *L, struct luge_list *failures);

/* Before the loop waits: if there are new failures, lets the collector find
 * out, once a second at most, which of them nobody can await any more. */
void luge__failures_collect(struct luge_host *host);

/* Tells the host of the error on top of the stack, which stays. */
void luge__report(lua_State *L, struct luge_host *host);

void luge__failure_init(lua_State *L);

#endif
