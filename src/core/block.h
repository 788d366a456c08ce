/* Blocks: scopes that a function runs in, inside a task: `timeout`, `scope`,
 * `shield`. */
#ifndef LUGE_CORE_BLOCK_H
#define LUGE_CORE_BLOCK_H

#include "scope.h"
#include "timer.h"

struct luge_block {
  struct luge_scope scope;
  struct luge_list link; /* in the parent's blocks */
  struct luge_timer deadline;
  double seconds; /* of the deadline, as it was given */
};

/* Closes the blocks that are still open in a scope that is being left: those
 * inside coroutines that are suspended, and may never go on. Their children
 * are cancelled and become the scope's. */
void luge__blocks_abandon(struct luge_scope *scope);

/* A scope has failed with the error on top of the stack, or one of its tasks
 * has: kept in the `errors` of the scope's object. */
void luge__block_keep_error(lua_State *L, struct luge_scope *scope);

/* timeout(seconds, fn, ...), shield(fn, ...), scope(fn): blocks as Lua
 * functions; see lua/luge/init.lua. */
int luge__timeout(lua_State *L);
int luge__shield(lua_State *L);
int luge__scope(lua_State *L);

void luge__block_init(lua_State *L);

#endif
