/* The C modules of luge. Each is one file and one opener, and is seen from
 * Lua as `require "luge.native.NAME"`. What its functions do to the world
 * outside is told in operations.c. */
#ifndef LUGE_MOD_MODULES_H
#define LUGE_MOD_MODULES_H

#include <lauxlib.h>

int luge__open_clock(lua_State *L);
int luge__open_condition(lua_State *L);
int luge__open_environment(lua_State *L);
int luge__open_fs(lua_State *L);
int luge__open_gate(lua_State *L);
int luge__open_http_client(lua_State *L);
int luge__open_http_server(lua_State *L);
int luge__open_json(lua_State *L);
int luge__open_log(lua_State *L);
int luge__open_net(lua_State *L);
int luge__open_permission(lua_State *L);
int luge__open_process(lua_State *L);
int luge__open_queue(lua_State *L);
int luge__open_signal(lua_State *L);
int luge__open_stdio(lua_State *L);
int luge__open_store(lua_State *L);
int luge__open_stream(lua_State *L);
int luge__open_sync(lua_State *L);
int luge__open_task(lua_State *L);
int luge__open_terminal(lua_State *L);
int luge__open_testchild(lua_State *L);
int luge__open_testrun(lua_State *L);
int luge__open_worker(lua_State *L);

/* Makes them known to `require`. Each is sealed, if need be, when it is loaded:
 * what has no entry in operations.c then refuses to work. */
void luge__modules_preload(lua_State *L);

/* Loads one, as `require` does. */
void luge__modules_open(lua_State *L, const char *name);

/* The host has got its permissions: makes Lua's own libraries ask them, and, if
 * scripts are confined, seals the modules that are loaded. */
void luge__modules_restrict(lua_State *L);

#endif
