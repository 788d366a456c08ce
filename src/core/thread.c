/* The pool of threads; see thread.h. A thread keeps its slot in the host's
 * tables for as long as it is used, so that a task coming or going changes
 * no table's shape. */
#include "thread.h"

#include "error.h"
#include "host.h"

/* Idle threads that are kept: at a kilobyte each. */
enum { MAX_IDLE = 16384 };

void luge__slot_set(lua_State *L, int table, uint32_t slot) {
  lua_State *store = luge__host(L)->store;
  lua_pushvalue(store, table);
  lua_xmove(store, L, 1);
  lua_insert(L, -2);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
}

/* The place of an idle thread; they are in a ring, whose size is a power of
 * two. */
static struct luge_thread *idle(const struct luge_pool *pool, uint32_t place) {
  return &pool->ring[(pool->first + place) & (pool->capacity - 1)];
}

static bool reserve(struct luge_host *host) {
  struct luge_pool *pool = &host->pool;
  if (pool->count < pool->capacity) {
    return true;
  }
  uint32_t capacity = pool->capacity == 0 ? 16 : pool->capacity * 2;
  struct luge_thread *ring =
      luge__realloc(host, NULL, 0, capacity * sizeof *ring);
  if (ring == NULL) {
    return false;
  }
  for (uint32_t i = 0; i < pool->count; i++) {
    ring[i] = *idle(pool, i);
  }
  luge__realloc(host, pool->ring, pool->capacity * sizeof *ring, 0);
  pool->ring = ring;
  pool->first = 0;
  pool->capacity = capacity;
  return true;
}

static uint32_t free_slot(struct luge_host *host) {
  return host->pool.free_slot != 0 ? host->pool.free_slot
                                   : host->pool.slots + 1;
}

/* A slot that has lost its thread holds the number of the next such one. */
static uint32_t next_free(struct luge_host *host) {
  lua_rawgeti(host->store, LUGE_THREADS, host->pool.free_slot);
  uint32_t next = (uint32_t)lua_tointeger(host->store, -1);
  lua_pop(host->store, 1);
  return next;
}

static struct luge_thread create(lua_State *L) {
  struct luge_host *host = luge__host(L);
  uint32_t slot = free_slot(host);
  lua_State *co = lua_newthread(L);
  if (!lua_checkstack(co, LUGE_THREAD_ROOM)) {
    luge__raise_memory(L);
  }
  uint32_t next = host->pool.free_slot != 0 ? next_free(host) : 0;
  luge__slot_set(L, LUGE_THREADS, slot);
  host->pool.free_slot = next;
  if (slot > host->pool.slots) {
    host->pool.slots = slot;
  }
  luge__thread_mark(co, LUGE_THREAD_TASK, true);
  return (struct luge_thread){.co = co, .slot = slot};
}

/* The level of the outermost function on a thread, or -1. */
static int bottom(lua_State *co) {
  lua_Debug ar;
  int low = -1, high = 1;
  while (lua_getstack(co, high - 1, &ar)) {
    low = high - 1;
    high *= 2;
  }
  while (low + 1 < high - 1) {
    int middle = (low + high - 1) / 2;
    if (lua_getstack(co, middle, &ar)) {
      low = middle;
    } else {
      high = middle + 1;
    }
  }
  return low;
}

bool luge__thread_push_first(lua_State *L, lua_State *co) {
  int level = bottom(co);
  lua_Debug ar;
  if (!lua_checkstack(co, 1)) {
    return false;
  }
  if (level < 0) {
    if (lua_gettop(co) < 2) {
      return false;
    }
    lua_pushvalue(co, 2);
  } else if (!lua_getstack(co, level, &ar) || !lua_getlocal(co, &ar, 1)) {
    return false;
  }
  lua_xmove(co, L, 1);
  return true;
}

static struct luge_thread take_last(struct luge_pool *pool) {
  return *idle(pool, --pool->count);
}

struct luge_thread luge__thread_take(lua_State *L) {
  struct luge_pool *pool = &luge__host(L)->pool;
  return pool->count > 0 ? take_last(pool) : create(L);
}

struct luge_thread luge__cradle_take(lua_State *L) {
  struct luge_pool *pool = &luge__host(L)->pool;
  if (pool->count == 0) {
    return create(L);
  }
  pool->count--;
  return pool->ring[pool->first++ & (pool->capacity - 1)];
}

static int add_idle(lua_State *L) {
  struct luge_host *host = luge__host(L);
  luge__thread_give(host, create(L));
  return host->pool.count > 0 ? 0 : luge__raise_memory(L);
}

bool luge__thread_try_take(struct luge_host *host, struct luge_thread *thread) {
  if (host->pool.count == 0) {
    lua_pushcfunction(host->L, add_idle);
    if (lua_pcall(host->L, 0, 0, 0) != LUA_OK) {
      return false;
    }
  }
  *thread = take_last(&host->pool);
  return true;
}

static void discard(struct luge_host *host, struct luge_thread thread) {
  luge__thread_mark(thread.co, LUGE_THREAD_TASK, false);
  lua_pushinteger(host->store, host->pool.free_slot);
  lua_rawseti(host->store, LUGE_THREADS, thread.slot);
  host->pool.free_slot = thread.slot;
}

/* Whether the emptied thread may be used again; else it is gone. */
static bool empty(struct luge_host *host, struct luge_thread thread) {
  lua_settop(thread.co, 0);
  if (luge__thread_is(thread.co, LUGE_THREAD_LENT) ||
      host->pool.count >= MAX_IDLE || !reserve(host)) {
    discard(host, thread);
    return false;
  }
  return true;
}

void luge__thread_give(struct luge_host *host, struct luge_thread thread) {
  if (empty(host, thread)) {
    lua_sethook(thread.co, NULL, 0, 0);
    *idle(&host->pool, host->pool.count++) = thread;
  }
}

void luge__cradle_give(struct luge_host *host, struct luge_thread cradle) {
  if (empty(host, cradle)) {
    host->pool.first--;
    host->pool.count++;
    *idle(&host->pool, 0) = cradle;
  }
}

void luge__pool_free(struct luge_host *host) {
  struct luge_pool *pool = &host->pool;
  luge__realloc(host, pool->ring, pool->capacity * sizeof *pool->ring, 0);
  *pool = (struct luge_pool){0};
}
