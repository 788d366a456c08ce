/* The trace of the error last seen; see trace.h. An error is recognised by
 * being the same value in the same task: a string that is raised again later,
 * elsewhere, starts anew. */
#include "trace.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "stack.h"
#include "task.h"

/* Registry keys of the error and its text. */
static const char error_key = 0;
static const char text_key = 0;

static uint32_t current_id(const struct luge_host *host) {
  return host->current != NULL ? host->current->id : 0;
}

/* Whether the error at `index` is the one last seen. */
static bool is_known(lua_State *L, int index) {
  const struct luge_host *host = luge__host(L);
  if (host->trace.task != current_id(host)) {
    return false;
  }
  index = lua_absindex(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key);
  bool known = lua_rawequal(L, -1, index) && !lua_isnil(L, -1);
  lua_pop(L, 1);
  return known;
}

void luge__trace_push(lua_State *L, int index) {
  if (is_known(L, index)) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &text_key);
  } else {
    lua_pushnil(L);
  }
}

void luge__trace_push_last(lua_State *L) {
  const struct luge_host *host = luge__host(L);
  if (host->trace.task == current_id(host)) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &text_key);
    lua_pushlightuserdata(L, host->trace.noted);
  } else {
    lua_settop(L, lua_gettop(L) + 3);
  }
}

void luge__trace_put_back(lua_State *L) {
  lua_State *noted = lua_touserdata(L, -1);
  lua_pop(L, 1);
  luge__trace_set(L, -2);
  luge__host(L)->trace.noted = noted;
  lua_pop(L, 1);
}

void luge__trace_set(lua_State *L, int index) {
  struct luge_host *host = luge__host(L);
  host->trace.task = current_id(host);
  host->trace.noted = NULL;
  lua_pushvalue(L, index);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &text_key);
}

void luge__trace_amend(lua_State *L, int index) {
  struct luge_host *host = luge__host(L);
  lua_State *noted = host->trace.noted;
  luge__trace_set(L, index);
  host->trace.noted = noted;
}

void luge__trace_note(lua_State *L, lua_State *L1, int level) {
  struct luge_host *host = luge__host(L);
  luaL_checkstack(L, 8, NULL);
  int error = lua_gettop(L);
  luge__trace_push(L, error);
  bool known = !lua_isnil(L, -1);
  if (known && host->trace.noted == L1) {
    lua_pop(L, 1);
    return;
  }
  if (known) {
    lua_pushstring(L, host->trace.noted != NULL ? "\n[resumed by]\n"
                                                : "\n[awaited by]\n");
  }
  luge__stack_push(L, L1, level);
  if (known && strchr(lua_tostring(L, -1), '\n') == NULL) { /* no frames */
    lua_pop(L, 3);
    host->trace.noted = L1;
    return;
  }
  lua_concat(L, lua_gettop(L) - error - (known ? 0 : 1));
  if (!known) {
    lua_remove(L, -2);
  }
  if (luge__is_error(L, error, NULL)) {
    lua_pushvalue(L, -1);
    lua_setfield(L, error, "traceback");
  }
  luge__trace_set(L, error);
  host->trace.noted = L1;
}

void luge__trace_spawned(lua_State *L, struct luge_task *task, int index) {
  lua_Debug ar;
  int error = lua_gettop(L);
  luge__trace_push(L, error);
  if (lua_getiuservalue(L, index, 1) != LUA_TFUNCTION) {
    lua_pop(L, 2);
    return;
  }
  lua_getinfo(L, ">S", &ar);
  if (luge__stack_is_own(&ar)) {
    lua_pop(L, 1);
    return;
  }
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
  lua_pushfstring(L, "\n\t[%s, spawned at %s:%d]", luge__task_name(L, index),
                  ar.short_src, task->line);
  lua_remove(L, -2);
  lua_concat(L, 2);
  if (luge__is_error(L, error, NULL)) {
    lua_pushvalue(L, -1);
    lua_setfield(L, error, "traceback");
  }
  luge__trace_amend(L, error);
}
