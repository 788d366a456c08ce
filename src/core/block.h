/* Blocks: scopes that a function runs in, inside a task: those of `timeout` and
 * `shield`, which are here, and of `scope`; see scope_object.h. Loop thread
 * only. */
#ifndef LUGE_CORE_BLOCK_H
#define LUGE_CORE_BLOCK_H

#include "scope.h"
#include "timer.h"

/* How many may be open inside each other. Lua has a limit of its own, 200, for
 * functions that have not waited; without one for those that have, a recursion
 * that never ends would take a minute to unwind, since Lua looks at the whole
 * stack for each block that an error leaves. Shields have some in reserve, so
 * that handlers which need them can run at the limit. */
enum { LUGE_MAX_BLOCKS = 2000, LUGE_RESERVED_BLOCKS = 100 };

struct luge_block {
  struct luge_scope scope;
  struct luge_list link; /* in the parent's blocks */
  struct luge_timer deadline;
  double seconds; /* of the deadline, as it was given */
  int depth;      /* how many of its task are open up to this one */
  bool shielded;  /* it, or one around it, is a shield */
};

static inline struct luge_block *luge__block_of(struct luge_scope *scope) {
  return luge__container(scope, struct luge_block, scope);
}

/* Opens a block in the current task, which may wait. The stack holds only the
 * function and its arguments, which move up by two. luge__block_call is to
 * follow. May raise (memory, or a `limit`: too many are open). */
struct luge_block *luge__block_open(lua_State *L, unsigned flags,
                                    luge_scope_left left);

/* Calls the function, which is at index 3 by now. Returns as a C function does.
 */
int luge__block_call(lua_State *L, struct luge_block *block);

/* To be called by the block's luge_scope_left. */
void luge__block_close(struct luge_block *block);

/* Returns the results from `first` on, or raises the error there. */
int luge__block_return(lua_State *L, int first, bool failed);

/* Whether the error at `index` is this scope's own cancellation, and not one
 * from outside that passes through it. */
bool luge__block_cancelled_itself(lua_State *L, const struct luge_scope *scope,
                                  int index);

/* Closes the blocks that are still open in a scope that is being left: those
 * of suspended coroutines, which may never be resumed. Their children are
 * cancelled, and become the scope's. */
void luge__blocks_abandon(struct luge_scope *scope);

/* timeout(seconds, fn, ...) and shield(fn, ...) as Lua functions; see
 * lua/luge/init.lua. */
int luge__timeout(lua_State *L);
int luge__shield(lua_State *L);

void luge__block_init(lua_State *L);

#endif
