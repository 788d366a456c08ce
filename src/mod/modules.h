/* The C modules of luge. Each is one file and one opener, and is seen from
 * Lua as `require "luge.native.NAME"`. What its functions do to the world
 * outside is told in operations.c. */
#ifndef LUGE_MOD_MODULES_H
#define LUGE_MOD_MODULES_H

#include <lauxlib.h>

int luge__open_condition(lua_State *L);
int luge__open_environment(lua_State *L);
int luge__open_fs(lua_State *L);
int luge__open_gate(lua_State *L);
int luge__open_http_client(lua_State *L);
int luge__open_http_server(lua_State *L);
int luge__open_json(lua_State *L);
int luge__open_clock(lua_State *L);
int luge__open_log(lua_State *L);
int luge__open_permission(lua_State *L);
int luge__open_net(lua_State *L);
int luge__open_process(lua_State *L);
int luge__open_queue(lua_State *L);
int luge__open_signal(lua_State *L);
int luge__open_stream(lua_State *L);
int luge__open_stdio(lua_State *L);
int luge__open_store(lua_State *L);
int luge__open_sync(lua_State *L);
int luge__open_task(lua_State *L);
int luge__open_terminal(lua_State *L);
int luge__open_testchild(lua_State *L);
int luge__open_testrun(lua_State *L);
int luge__open_worker(lua_State *L);

/* { "luge.native.NAME", luge__open_NAME }, ended by NULL. */
extern const luaL_Reg luge__modules[];

#endif
