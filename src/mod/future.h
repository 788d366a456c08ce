/* Futures: a cell that a script settles by hand. */
#ifndef LUGE_MOD_FUTURE_H
#define LUGE_MOD_FUTURE_H

#include <lua.h>

#include "../core/cell.h"

struct luge_future {
  struct luge_cell cell;
};

/* The Future at `index`, or NULL. */
struct luge_future *luge__future_test(lua_State *L, int index);

int luge__future_create(lua_State *L);
void luge__future_init(lua_State *L);

#endif
