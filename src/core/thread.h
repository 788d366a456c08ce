/* Coroutines as luge sees them: the flags that each carries in the extra
 * space of its lua_State, and the pool of threads that tasks run on. */
#ifndef LUGE_CORE_THREAD_H
#define LUGE_CORE_THREAD_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct luge_host;

/* In the low bits of the extra space, whose rest is the host. */
enum {
  LUGE_THREAD_TASK = 1,   /* a task's own: not to be resumed by scripts */
  LUGE_THREAD_LENT = 2,   /* a script has seen it: not to be used again */
  LUGE_THREAD_WAITING = 4 /* a wait passes through it to the scheduler */
};

static inline uintptr_t *luge__thread_word(lua_State *L) {
  return (uintptr_t *)lua_getextraspace(L);
}

static inline struct luge_host *luge__host(lua_State *L) {
  return (struct luge_host *)(*luge__thread_word(L) & ~(uintptr_t)7);
}

static inline bool luge__thread_is(lua_State *L, unsigned flag) {
  return (*luge__thread_word(L) & flag) != 0;
}

static inline void luge__thread_mark(lua_State *L, unsigned flag, bool on) {
  if (on) {
    *luge__thread_word(L) |= flag;
  } else {
    *luge__thread_word(L) &= ~(uintptr_t)flag;
  }
}

/* The values that a new thread has room for, once one was pushed: Lua gives it
 * a stack of 40. */
enum { LUGE_THREAD_ROOM = 37 };

/* Threads that wait to be used, by their slots in the host's tables. */
struct luge_thread {
  lua_State *co;
  uint32_t slot;
};

struct luge_pool {
  struct luge_thread *ring;
  uint32_t first, count, capacity;
  uint32_t slots;     /* used so far */
  uint32_t free_slot; /* the first without a thread; 0: none */
};

/* Fills a slot of one of the host's tables with the value on top of L's stack,
 * which is popped. */
void luge__slot_set(lua_State *L, int table, uint32_t slot);

/* Pushes the first argument of the function at the bottom of a thread, which
 * may be running, suspended, or not yet started. False: it is empty. */
bool luge__thread_push_first(lua_State *L, lua_State *co);

/* An empty thread for a task. May raise (memory); owns nothing then. */
struct luge_thread luge__thread_take(lua_State *L);

/* The same, outside of Lua. False: out of memory, and the error is on top of
 * the main state's stack. */
bool luge__thread_try_take(struct luge_host *host, struct luge_thread *thread);

/* Takes it back: to be used again if nobody has seen it. Never raises. */
void luge__thread_give(struct luge_host *host, struct luge_thread thread);

/* The same for a cradle (see newborn.h), from the other end of the pool, so
 * that consecutive tasks still get threads that are next to each other in
 * memory. */
struct luge_thread luge__cradle_take(lua_State *L);
void luge__cradle_give(struct luge_host *host, struct luge_thread cradle);

void luge__pool_free(struct luge_host *host);

/* A link in the chain of coroutines that run inside each other: what is on
 * top is running. Lives on the C stack of whoever resumes. */
struct luge_resumption {
  struct luge_resumption *outer;
  lua_State *co;
  bool can_wait; /* a wait may pass through all that is outside */
  int closings;  /* how many coroutines are being closed, around and here */
};

#endif
