/* The traces of the errors last seen; see trace.h. An error is recognised by
 * being the same value in the same task: a string that is raised again later,
 * elsewhere, starts anew. As a few are kept, errors that other tasks, or
 * `<close>` handlers of the same one, raise and catch meanwhile displace none
 * that is on its way. */
#include "trace.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "host.h"
#include "stack.h"
#include "task.h"

/* Registry keys of the errors, which are held weakly, and of their texts: lists
 * that run parallel to host->trace.kept. */
static const char errors_key = 0;
static const char texts_key = 0;

static uint32_t current_id(const struct luge_host *host) {
  return host->current != NULL ? host->current->id : 0;
}

/* Pushes what stands for the error at `index` in the list. */
static void push_error_key(lua_State *L, int index) {
  if (lua_isnil(L, index)) {
    lua_pushlightuserdata(L, (void *)&errors_key);
  } else {
    lua_pushvalue(L, index);
  }
}

/* The place of the error at `index`, or -1. */
static int find(lua_State *L, int index) {
  const struct luge_traces *trace = &luge__host(L)->trace;
  uint32_t id = current_id(luge__host(L));
  int top = lua_gettop(L), found = -1;
  luaL_checkstack(L, 4, NULL);
  push_error_key(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &errors_key);
  for (int i = 0; i < LUGE_TRACES && found < 0; i++) {
    if (trace->kept[i].task == id) {
      lua_rawgeti(L, top + 2, i + 1);
      found = lua_rawequal(L, -1, top + 1) ? i : -1;
      lua_pop(L, 1);
    }
  }
  lua_settop(L, top);
  return found;
}

/* A place for the error at `index`: that of the oldest. */
static int take_place(lua_State *L, int index) {
  struct luge_traces *trace = &luge__host(L)->trace;
  int place = trace->next;
  push_error_key(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &errors_key);
  lua_insert(L, -2);
  lua_rawseti(L, -2, place + 1);
  lua_pop(L, 1);
  trace->kept[place].task = current_id(luge__host(L));
  trace->next = (place + 1) % LUGE_TRACES;
  return place;
}

/* The text on top of the stack, which is popped, becomes that of the error at
 * `index`; `noted` is the coroutine whose stack was added last. */
static void keep(lua_State *L, int index, lua_State *noted) {
  luaL_checkstack(L, 6, NULL);
  index = lua_absindex(L, index);
  int place = find(L, index);
  if (place < 0) {
    place = take_place(L, index);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &texts_key);
  lua_insert(L, -2);
  lua_rawseti(L, -2, place + 1);
  lua_pop(L, 1);
  luge__host(L)->trace.kept[place].noted = noted;
}

static lua_State *noted(lua_State *L, int index) {
  int place = find(L, index);
  return place >= 0 ? luge__host(L)->trace.kept[place].noted : NULL;
}

void luge__trace_push(lua_State *L, int index) {
  int place = find(L, index);
  luaL_checkstack(L, 2, NULL);
  if (place < 0) {
    lua_pushnil(L);
  } else {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &texts_key);
    lua_rawgeti(L, -1, place + 1);
    lua_remove(L, -2);
  }
}

void luge__trace_set(lua_State *L, int index) {
  keep(L, index, NULL);
}

void luge__trace_move(lua_State *L, int from, int to) {
  to = lua_absindex(L, to);
  lua_State *last = noted(L, from);
  luge__trace_push(L, from);
  keep(L, to, last);
}

void luge__trace_note(lua_State *L, lua_State *L1, int level) {
  luaL_checkstack(L, 8, NULL);
  int error = lua_gettop(L);
  luge__trace_push(L, error);
  bool known = !lua_isnil(L, -1);
  lua_State *last = noted(L, error);
  if (known && last == L1) {
    lua_pop(L, 1);
    return;
  }
  if (known) {
    lua_pushstring(L, last != NULL ? "\n[resumed by]\n" : "\n[awaited by]\n");
  }
  luge__stack_push(L, L1, level);
  if (known && strchr(lua_tostring(L, -1), '\n') == NULL) { /* no frames */
    lua_pop(L, 2);
    keep(L, error, L1);
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
  keep(L, error, L1);
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
  keep(L, error, noted(L, error));
}

void luge__trace_init(lua_State *L) {
  luge__weak_table(L, "v");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &errors_key);
  lua_createtable(L, LUGE_TRACES, 0); /* keep() must not fail half-way */
  lua_rawsetp(L, LUA_REGISTRYINDEX, &texts_key);
}
