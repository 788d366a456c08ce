/* Stores as luge.native.store has them: the userdata, and the calls that its
 * methods make. */
#ifndef LUGE_STORE_STORE_H
#define LUGE_STORE_STORE_H

#include <lauxlib.h>

#include "call.h"
#include "worker.h"

/* Where in the arguments of a method its strings are; 0: there is none. */
struct luge_store_strings {
  int key, end, value, expected;
};

/* The open store at index 1. Raises `closed`. */
struct luge_store *luge__store_check(lua_State *L);

/* Pushes the box of a new call with copies of the strings. The arguments
 * behind `value` and `expected` say whether they are JSON. */
struct luge_store_call *luge__store_call(lua_State *L, struct luge_store *store,
                                         const struct luge_job_kind *kind,
                                         const struct luge_store_strings *args);

/* Waits for a call; returns what its `done` does. */
int luge__store_run(lua_State *L, struct luge_store_call *call);

/* Raises `store`, unless the call went well. */
void luge__store_raise(lua_State *L, const struct luge_store_call *call,
                       const char *verb);

/* The `free` of calls. */
void luge__store_free(struct luge_job *job);

/* The functions on open stores, ended by a NULL name. */
extern const luaL_Reg luge__store_functions[];

#endif
