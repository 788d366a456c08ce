/* Groups: what waits for whichever of several tasks ends next; `gather`,
 * `race` and `as_completed` are made of it. */
#ifndef LUGE_MOD_GROUP_H
#define LUGE_MOD_GROUP_H

#include <lua.h>

int luge__group_create(lua_State *L);
void luge__group_init(lua_State *L);

#endif
