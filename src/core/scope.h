/* Scopes: the tree that cancellation and ownership follow. Every task has a
 * root scope; a block such as `timeout` puts another one on top while its
 * function runs. A scope owns the tasks spawned in it, and is left only when
 * they have ended. Cancelling one reaches all scopes below it, the blocks and
 * the roots of the tasks it owns, except those behind a shield.
 * Loop thread only. */
#ifndef LUGE_CORE_SCOPE_H
#define LUGE_CORE_SCOPE_H

#include <lua.h>
#include <stdbool.h>

#include "list.h"

struct luge_task;
struct luge_scope;

/* See luge__scope_call. */
typedef int (*luge_scope_left)(lua_State *L, struct luge_scope *scope,
                               int first, bool failed);

enum {
  LUGE_SCOPE_SHIELD = 1 << 0,    /* cancellation from outside stops here */
  LUGE_SCOPE_FAIL_FAST = 1 << 1, /* the first failed child cancels the rest */
  LUGE_SCOPE_ORIGIN = 1 << 2,    /* was itself cancelled: has the reason */
  LUGE_SCOPE_CANCELLED = 1 << 3, /* it, or a scope above, was cancelled */
  LUGE_SCOPE_JOINING = 1 << 4,   /* its function has returned */
  LUGE_SCOPE_CLOSED = 1 << 5,    /* has been left */
  LUGE_SCOPE_SERVANT = 1 << 6    /* a task's root; see luge__task_serve */
};

struct luge_scope {
  struct luge_scope *parent;
  struct luge_task *task;     /* whose stack it is on; NULL: the host's */
  struct luge_list blocks;    /* luge_block.link: the blocks inside */
  struct luge_list children;  /* luge_task.sibling: what it owns */
  struct luge_list failures;  /* luge_failure.link: nobody awaited them */
  luge_scope_left left;       /* see luge__scope_call */
  struct luge_scope *reached; /* the next to be told of a cancellation */
  const char *reason;         /* of the origin; NULL: in the registry */
  unsigned flags : 8;
  unsigned refused : 24; /* waits of its task since it was cancelled */
  int first;             /* stack index of the first result or the error */
};

void luge__scope_init(struct luge_scope *scope, struct luge_scope *parent,
                      struct luge_task *task, unsigned flags);

/* Creates what the registry keeps for scopes; once per Lua state. */
void luge__scope_setup(lua_State *L);

/* Cancels the scope and all that is in it. `reason` is a static string; or
 * NULL: then the reason is the value on top of L's stack, which is popped (nil:
 * none). If it was cancelled before, the first reason stays. */
void luge__scope_cancel(lua_State *L, struct luge_scope *scope,
                        const char *reason);

/* Cancels the children, and the blocks inside, but not the scope itself. */
void luge__scope_cancel_children(struct luge_scope *scope, const char *reason);

/* Pushes the `cancelled` error that a wait in the scope raises. */
void luge__scope_push_cancelled(lua_State *L, struct luge_scope *scope);

/* A wait of the task is refused. Whether it is in a cancelled scope in which
 * that has happened so often that it must be looping around a protected call.
 */
void luge__scope_count_refusal(struct luge_task *task);
bool luge__scope_is_deaf(const struct luge_task *task);

/* Forgets the reason; the scope is gone for its parent. */
void luge__scope_close(struct luge_scope *scope);

/* The scope's function has returned: if only servants are left of its
 * children, they are cancelled. */
void luge__scope_dismiss(struct luge_scope *scope);

/* Whether children of the task's cancelled scopes still live. */
bool luge__scope_holds(const struct luge_task *task);

/* A child has ended and left the list. `failed`: nobody awaited its error. */
void luge__scope_child_ended(struct luge_scope *scope, bool failed);

/* Runs the function at index `first`, with the arguments above it, in the
 * scope, the innermost of the current task; luge__scope_handler is just below.
 * Then waits until the children have ended, and calls scope->left with what
 * came out, from `first` on: the results, or (failed) the error, which is
 * that of the first child that nobody awaited if the function itself returned.
 * Returns as a C function does. */
int luge__scope_call(lua_State *L, struct luge_scope *scope, int first);
int luge__scope_handler(lua_State *L);

/* Whether what the task waits for is the end of a scope's children. */
bool luge__joins(const struct luge_task *task);

#endif
