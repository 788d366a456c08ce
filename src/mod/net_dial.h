/* Connecting; see net_dial.c. */
#ifndef LUGE_MOD_NET_DIAL_H
#define LUGE_MOD_NET_DIAL_H

#include <lua.h>

/* dial(targets, nodelay, keepalive seconds or 0) -> a connection; waits */
int luge__net_dial(lua_State *L);

/* dial_path(path) -> a connection; does not wait */
int luge__net_dial_path(lua_State *L);

struct luge_net;

/* The host closes: nothing is tried any more. */
void luge__dials_stop(struct luge_net *net);

#endif
