/* Children as scripts have them: a userdata around the struct, which outlives
 * it for as long as libuv needs that. Loop thread only. */
#ifndef LUGE_MOD_PROCESS_METHODS_H
#define LUGE_MOD_PROCESS_METHODS_H

#include <lua.h>

#include "../core/cell.h"
#include "process_child.h"

struct luge_child_box {
  struct luge_child *child; /* NULL: closed, or not yet there */
  struct luge_listener owner_ended;
};

/* Pushes a box that is still empty. */
struct luge_child_box *luge__process_new(lua_State *L);

void luge__process_init(lua_State *L);

#endif
