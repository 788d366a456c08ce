/* Cradles; see newborn.h. */
#include "newborn.h"

#include "error.h"
#include "host.h"
#include "task.h"

enum {
  BODY = 1,          /* on the stack of every cradle */
  FEW_ARGUMENTS = 4, /* with more, a task lies alone */
  BELOW = 2,         /* below the arguments: the Task, the function */
  /* Values in a cradle; above them is room to copy a newborn. */
  CRADLE = LUGE_THREAD_ROOM - FEW_ARGUMENTS - BELOW - 1
};

static struct luge_thread place_alone(lua_State *L, int nargs) {
  struct luge_thread thread = luge__thread_take(L);
  if (nargs > FEW_ARGUMENTS &&
      !lua_checkstack(thread.co, nargs + LUA_MINSTACK)) {
    luge__thread_give(luge__host(L), thread);
    luge__raise(L, "limit", "too many arguments for a task: %d", nargs);
  }
  return thread;
}

struct luge_thread luge__newborn_place(lua_State *L, int nargs, bool alone,
                                       lua_CFunction body) {
  struct luge_thread *cradle = &luge__host(L)->cradle;
  if (alone || nargs > FEW_ARGUMENTS) {
    struct luge_thread thread = place_alone(L, nargs);
    lua_pushcfunction(thread.co, body);
    return thread;
  }
  if (cradle->co == NULL || lua_gettop(cradle->co) + BELOW + nargs > CRADLE) {
    *cradle = luge__cradle_take(L);
    lua_pushcfunction(cradle->co, body);
  }
  return *cradle;
}

void luge__newborn_lay(lua_State *L, struct luge_task *task, int nargs) {
  lua_State *co = task->thread.co;
  task->bed = lua_gettop(co) + 1;
  task->arguments = BELOW + nargs;
  lua_pushvalue(L, -1);
  lua_xmove(L, co, 1);
  lua_insert(L, -nargs - BELOW);
  lua_xmove(L, co, nargs + 1);
}

void luge__newborn_push(lua_State *L, const struct luge_task *task) {
  lua_pushvalue(task->thread.co, task->bed);
  lua_xmove(task->thread.co, L, 1);
}

static int top_of(const struct luge_task *task) {
  return task->bed + task->arguments - 1;
}

/* What stays in the cradle is forgotten with it. */
static void move(struct luge_task *task, struct luge_thread to) {
  lua_State *cradle = task->thread.co;
  int top = top_of(task);
  lua_pushvalue(cradle, BODY);
  for (int i = task->bed; i <= top; i++) {
    lua_pushvalue(cradle, i);
  }
  lua_xmove(cradle, to.co, 1 + task->arguments);
  task->thread = to;
  task->bed = BODY + 1;
}

/* Nobody is left in it. */
static void empty(struct luge_host *host, struct luge_thread cradle) {
  if (cradle.co == host->cradle.co) {
    lua_settop(cradle.co, BODY);
  } else {
    luge__cradle_give(host, cradle);
  }
}

void luge__newborn_part(lua_State *L, struct luge_task *task) {
  struct luge_host *host = luge__host(L);
  if (task->thread.co == host->cradle.co) {
    struct luge_thread own = luge__thread_take(L), cradle = task->thread;
    int below = task->bed - 1;
    move(task, own);
    lua_settop(cradle.co, below);
  }
}

bool luge__newborn_start(struct luge_task *task) {
  struct luge_host *host = task->host;
  struct luge_thread own, cradle = task->thread;
  bool last = top_of(task) == lua_gettop(cradle.co);
  if (last && task->bed == BODY + 1 && cradle.co != host->cradle.co) {
    return true; /* it has been alone */
  }
  if (!luge__thread_try_take(host, &own)) {
    return false;
  }
  move(task, own);
  if (last) {
    empty(host, cradle);
  }
  return true;
}
