/* Failures: see failure.h. The user value is a record { error, trace, itself if
 * it is kept }. While nobody has awaited the error the registry maps the
 * failure's address to the record too: an owner has only the address. */
#include "failure.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "trace.h"

/* Nanoseconds between two collections for the sake of failures. */
enum { COLLECT_EVERY = 1000000000 };

static const char metatable_key = 0;
static const char records_key = 0;

static void forget(lua_State *L, struct luge_failure *failure) {
  failure->handled = true;
  failure->host->unclaimed--;
  luge__list_remove(&failure->link);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &records_key);
  lua_pushnil(L);
  lua_rawsetp(L, -2, failure);
  lua_pop(L, 1);
}

/* Replaces the record on top of the stack by its error. */
static void unpack(lua_State *L) {
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  luge__trace_set(L, -2);
  lua_remove(L, -2);
}

struct luge_failure *luge__failure_new(lua_State *L) {
  luaL_checkstack(L, 6, NULL);
  lua_createtable(L, 3, 0);
  luge__trace_push(L, -2);
  lua_rawseti(L, -2, 2);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 1);
  struct luge_failure *failure = lua_newuserdatauv(L, sizeof *failure, 1);
  *failure = (struct luge_failure){.host = luge__host(L)};
  luge__list_init(&failure->link);
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &records_key);
  lua_pushvalue(L, -3);
  lua_rawsetp(L, -2, failure);
  lua_pop(L, 1);
  lua_remove(L, -2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable_key);
  lua_setmetatable(L, -2);
  failure->host->unclaimed++;
  failure->host->collect_due = true;
  return failure;
}

void luge__failure_keep(lua_State *L) {
  lua_getiuservalue(L, -1, 1);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 3); /* the registry has the record until it is taken */
  lua_pop(L, 1);
}

void luge__failures_collect(struct luge_host *host) {
  uint64_t now = uv_hrtime();
  if (!host->collect_due || host->unclaimed == 0 ||
      now - host->collected_at < COLLECT_EVERY) {
    return;
  }
  host->collect_due = false;
  host->collected_at = now;
  lua_gc(host->L, LUA_GCCOLLECT);
}

void luge__failure_push(lua_State *L, int index) {
  struct luge_failure *failure = lua_touserdata(L, index);
  luaL_checkstack(L, 6, NULL);
  if (failure == NULL) { /* there was no memory to make one */
    lua_pushliteral(L, "not enough memory");
    return;
  }
  lua_getiuservalue(L, index, 1);
  if (!failure->handled) {
    forget(L, failure);
  }
  unpack(L);
}

void luge__failure_drop(lua_State *L, int index) {
  struct luge_failure *failure = lua_touserdata(L, index);
  luaL_checkstack(L, 6, NULL);
  if (failure != NULL && !failure->handled) {
    forget(L, failure);
  }
}

void luge__failure_push_trace(lua_State *L, int index) {
  if (lua_touserdata(L, index) == NULL) {
    lua_pushnil(L);
    return;
  }
  lua_getiuservalue(L, index, 1);
  lua_rawgeti(L, -1, 2);
  lua_remove(L, -2);
}

/* Pushes the record of a failure in a list, and counts it as handled. */
static void take_record(lua_State *L, struct luge_failure *failure) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &records_key);
  lua_rawgetp(L, -1, failure);
  lua_remove(L, -2);
  forget(L, failure);
}

void luge__failure_take(lua_State *L, struct luge_failure *failure) {
  luaL_checkstack(L, 6, NULL);
  take_record(L, failure);
  unpack(L);
}

/* Tells the host of the error at `index`; its trace is on top of the stack. */
static void report(lua_State *L, struct luge_host *host, int index) {
  const char *trace = lua_tostring(L, -1);
  if (trace != NULL && strchr(trace, '\n') == NULL) { /* no frames */
    trace = NULL;
  }
  luge__report_text(host, luge__error_text(L, index), trace);
  lua_pop(L, 1);
}

void luge__report(lua_State *L, struct luge_host *host) {
  luaL_checkstack(L, 6, NULL);
  luge__trace_push(L, -1);
  report(L, host, lua_gettop(L) - 1);
  lua_pop(L, 1);
}

/* Reports the record on top of the stack, which is popped. It is of another
 * task: the traces of the current one stay as they are. */
static void report_record(lua_State *L) {
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  report(L, luge__host(L), lua_gettop(L) - 1);
  lua_pop(L, 3);
}

void luge__failures_report(lua_State *L, struct luge_list *failures) {
  luaL_checkstack(L, 8, NULL);
  while (!luge__list_empty(failures)) {
    take_record(L, luge__container(failures->next, struct luge_failure, link));
    report_record(L);
  }
}

void luge__failures_drop(lua_State *L, struct luge_list *failures) {
  luaL_checkstack(L, 6, NULL);
  while (!luge__list_empty(failures)) {
    forget(L, luge__container(failures->next, struct luge_failure, link));
  }
}

/* The Task or Future is gone: nobody can await the error any more. */
static int on_collected(lua_State *L) {
  struct luge_failure *failure = lua_touserdata(L, 1);
  if (!failure->handled) {
    lua_getiuservalue(L, 1, 1);
    forget(L, failure);
    report_record(L);
  }
  return 0;
}

void luge__failure_init(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &records_key);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, on_collected);
  lua_setfield(L, -2, "__gc");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable_key);
}
