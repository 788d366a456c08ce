/* The library `coroutine`; see coroutine.h. What resumes is in resume.c. */
#include "coroutine.h"

#include <lauxlib.h>
#include <lualib.h>

#include "error.h"
#include "host.h"
#include "resume.h"
#include "task.h"

static lua_State *check_thread(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  if (co == NULL) {
    luge__arg_error(L, 1, "a coroutine");
  }
  return co;
}

static void refuse_task(lua_State *L, lua_State *co, const char *what) {
  if (luge__thread_is(co, LUGE_THREAD_TASK)) {
    luge__raise(L, "invalid", "%s: the coroutine belongs to a task", what);
  }
}

static int co_resume(lua_State *L) {
  lua_State *co = check_thread(L);
  refuse_task(L, co, "coroutine.resume");
  return luge__resume(L, co);
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, luge__resume_wrapped, 1);
  return 1;
}

static int co_yield (lua_State *L) {
  if (luge__thread_is(L, LUGE_THREAD_TASK)) {
    luge__raise(L, "invalid",
                "attempt to yield from outside a coroutine: a task waits "
                "with luge.sleep, luge.await and the like");
  }
  return lua_yield(L, lua_gettop(L));
}

static const char *status_of(lua_State *L, lua_State *co) {
  if (L == co) {
    return "running";
  }
  if (luge__thread_is(co, LUGE_THREAD_WAITING)) {
    return "normal";
  }
  lua_Debug ar;
  switch (lua_status(co)) {
  case LUA_YIELD:
    return luge__thread_is(co, LUGE_THREAD_TASK) ? "normal" : "suspended";
  case LUA_OK:
    if (lua_getstack(co, 0, &ar)) {
      return "normal";
    }
    return lua_gettop(co) == 0 ? "dead" : "suspended";
  default:
    return "dead";
  }
}

static int co_status(lua_State *L) {
  lua_pushstring(L, status_of(L, check_thread(L)));
  return 1;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : check_thread(L);
  lua_pushboolean(L, !luge__thread_is(co, LUGE_THREAD_TASK) &&
                         lua_isyieldable(co));
  return 1;
}

/* For a script, its task is the main coroutine, which cannot yield. */
static int co_running(lua_State *L) {
  bool is_main = lua_pushthread(L) || luge__thread_is(L, LUGE_THREAD_TASK);
  luge__thread_mark(L, LUGE_THREAD_LENT, true);
  lua_pushboolean(L, is_main);
  return 2;
}

static int co_close(lua_State *L) {
  lua_State *co = check_thread(L);
  refuse_task(L, co, "coroutine.close");
  const char *status = status_of(L, co);
  if (status[0] != 's' && status[0] != 'd') {
    return luaL_error(L, "cannot close a %s coroutine", status);
  }
  if (luge__resume_is_deep(L)) {
    return luaL_error(L, "C stack overflow");
  }
  if (luge__resume_close(L, co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

/* debug.sethook([thread,] ...): a task's hook is the host's. */
static int sethook(lua_State *L) {
  lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  refuse_task(L, co, "debug.sethook");
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

void luge__coroutine_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"create", co_create},
                                       {"resume", co_resume},
                                       {"wrap", co_wrap},
                                       {"yield", co_yield },
                                       {"status", co_status},
                                       {"isyieldable", co_isyieldable},
                                       {"running", co_running},
                                       {"close", co_close},
                                       {NULL, NULL}};
  lua_getglobal(L, LUA_COLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  lua_getglobal(L, LUA_DBLIBNAME);
  lua_getfield(L, -1, "sethook");
  lua_pushcclosure(L, sethook, 1);
  lua_setfield(L, -2, "sethook");
  lua_pop(L, 1);
  luge__resume_open(L);
}
