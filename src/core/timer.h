/* Timers: one heap a host, over one libuv timer, on a clock that can be
 * replaced (tests put a virtual one in). A luge_timer is embedded in whatever
 * waits; the heap holds pointers to it, and allocates only to grow.
 * Loop thread only. */
#ifndef LUGE_CORE_TIMER_H
#define LUGE_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct luge_host;
struct luge_timer;

typedef void (*luge_timer_fn)(struct luge_timer *timer);

struct luge_timer {
  uint64_t at;        /* when it fires, on the host's clock, in nanoseconds */
  luge_timer_fn fire; /* called once, outside of Lua, with the timer stopped */
  uint32_t slot : 31; /* its place in the heap, from 1; 0: not started */
  uint32_t is_bound : 1;
  uint32_t serial; /* orders timers that fire at the same moment */
};

/* Both functions count nanoseconds. A real clock is waited for; a virtual one
 * jumps: `advance` is called instead of waiting, when nothing else is due. */
struct luge_clock {
  uint64_t (*now)(void *data);
  void (*advance)(void *data, uint64_t to); /* NULL: a real clock */
  void *data;
};

struct luge_timers {
  struct luge_timer **heap; /* heap[0] is unused */
  uint32_t count, capacity;
  uint32_t bounds; /* started by luge__timer_start_bound */
  uint32_t serial;
  struct luge_clock clock;
  uv_timer_t wakeup;
  uint64_t armed_for;
};

/* Nanoseconds on the host's clock. */
uint64_t luge__now(struct luge_host *host);

/* `seconds` from now on the host's clock; far away at most. */
uint64_t luge__after(struct luge_host *host, double seconds);

/* Makes room for one more timer, so that the next start cannot fail.
 * False: out of memory. */
bool luge__timer_reserve(struct luge_host *host);

/* Starts a stopped timer, after luge__timer_reserve. */
void luge__timer_start(struct luge_host *host, struct luge_timer *timer,
                       uint64_t at, luge_timer_fn fire);

/* The same for a timer that bounds an operation. The operation is what keeps
 * the host waiting (luge__ref); the timer does not, so it may stay started
 * while the operation rests: to let it fire is cheaper than to move it each
 * time. */
void luge__timer_start_bound(struct luge_host *host, struct luge_timer *timer,
                             uint64_t at, luge_timer_fn fire);

/* Stops it; a stopped one stays stopped. */
void luge__timer_stop(struct luge_host *host, struct luge_timer *timer);

static inline bool luge__timer_started(const struct luge_timer *timer) {
  return timer->slot != 0;
}

/* Whether a timer is waited for. */
static inline bool luge__timers_wait(const struct luge_timers *timers) {
  return timers->count > timers->bounds;
}

/* Fires what is due. */
void luge__timers_fire(struct luge_host *host);

/* Sets libuv's timer to the earliest one, before the loop blocks. */
void luge__timers_arm(struct luge_host *host);

/* Puts another clock in; NULL: the real one. What each timer has left stays
 * the same. */
void luge__clock_set(struct luge_host *host, const struct luge_clock *clock);

void luge__timers_init(struct luge_host *host);
void luge__timers_free(struct luge_host *host);

#endif
