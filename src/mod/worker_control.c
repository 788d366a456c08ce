/* A worker as its parent handles it; see worker.h. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#include "../core/given.h"
#include "../core/host.h"
#include "environment.h"
#include "modules.h"
#include "worker.h"

static bool is_opener(lua_State *L, int index) {
  if (lua_tocfunction(L, index) == NULL) {
    return false;
  }
  bool has_upvalues = lua_getupvalue(L, index, 1) != NULL;
  if (has_upvalues) {
    lua_pop(L, 1);
  }
  return !has_upvalues;
}

/* Pushes the openers of C modules that the embedder has given the host. */
static void push_openers(lua_State *L) {
  lua_newtable(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING && is_opener(L, -1)) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -5);
    } else {
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

void luge__worker_setup(lua_State *L, struct luge_parcel *setup) {
  int top = lua_gettop(L);
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "path");
  lua_getfield(L, -2, "cpath");
  luge__environment_push(L);
  luge__given_sources(L);
  push_openers(L);
  lua_remove(L, top + 1);
  setup->takes_openers = true;
  setup->limit = (size_t)1 << 26;
  luge__parcel_pack(L, setup, top + 1, "setup");
  lua_settop(L, top);
}

int luge__worker_start(struct luge_worker *worker) {
  int status = uv_mutex_init(&worker->mutex);
  if (status != 0) {
    return status;
  }
  status = uv_cond_init(&worker->changed);
  if (status == 0) {
    status = uv_thread_create(&worker->thread, luge__worker_main, worker);
    if (status != 0) {
      uv_cond_destroy(&worker->changed);
    }
  }
  if (status != 0) {
    uv_mutex_destroy(&worker->mutex);
  }
  return status;
}

/* Under the mutex. */
static void wake(struct luge_worker *worker) {
  if (worker->host != NULL) {
    uv_async_send(&worker->wake);
  }
  uv_cond_broadcast(&worker->changed);
}

void luge__worker_give(struct luge_worker *worker,
                       const struct luge_parcel *job) {
  uv_mutex_lock(&worker->mutex);
  worker->job = job;
  wake(worker);
  uv_mutex_unlock(&worker->mutex);
}

/* Under the mutex. A worker that has just done its job is left alone. */
static void interrupt(struct luge_worker *worker) {
  if (worker->job == NULL) {
    return;
  }
  worker->cancel = true;
  if (worker->host == NULL) {
    return;
  }
  if (worker->uses_signal) {
    luge__worker_signal_send(worker);
  } else {
    atomic_store(&worker->host->interrupted, true);
  }
}

void luge__worker_cancel(struct luge_worker *worker) {
  uv_mutex_lock(&worker->mutex);
  interrupt(worker);
  wake(worker);
  uv_mutex_unlock(&worker->mutex);
}

void luge__worker_stop(struct luge_worker *worker) {
  uv_mutex_lock(&worker->mutex);
  worker->stop = true;
  interrupt(worker);
  wake(worker);
  uv_mutex_unlock(&worker->mutex);
}

void luge__worker_free(struct luge_worker *worker) {
  luge__parcel_free(&worker->setup);
  luge__parcel_free(&worker->out);
  uv_cond_destroy(&worker->changed);
  uv_mutex_destroy(&worker->mutex);
  free(worker);
}

/* A handler that goes on computing is interrupted again every now and then. */
bool luge__worker_join(struct luge_worker *worker, uint64_t deadline) {
  enum { AGAIN = 100000000 }; /* nanoseconds */
  uv_mutex_lock(&worker->mutex);
  while (!worker->ended && uv_hrtime() < deadline) {
    if (uv_cond_timedwait(&worker->changed, &worker->mutex, AGAIN) != 0 &&
        !worker->ended) {
      interrupt(worker);
      wake(worker);
    }
  }
  bool ended = worker->ended;
  if (!ended) {
    worker->parent = NULL;
  }
  uv_mutex_unlock(&worker->mutex);
  if (ended) {
    uv_thread_join(&worker->thread);
    luge__worker_free(worker);
  }
  return ended;
}
