/* The heap of timers; see timer.h. A binary heap ordered by (at, serial). */
#include "timer.h"

#include "host.h"

static bool before(const struct luge_timer *a, const struct luge_timer *b) {
  return a->at != b->at ? a->at < b->at : (int32_t)(a->serial - b->serial) < 0;
}

static void place(struct luge_timers *timers, uint32_t slot,
                  struct luge_timer *timer) {
  timers->heap[slot] = timer;
  timer->slot = slot;
}

static void sift_up(struct luge_timers *timers, struct luge_timer *timer,
                    uint32_t slot) {
  while (slot > 1 && before(timer, timers->heap[slot / 2])) {
    place(timers, slot, timers->heap[slot / 2]);
    slot /= 2;
  }
  place(timers, slot, timer);
}

static void sift_down(struct luge_timers *timers, struct luge_timer *timer,
                      uint32_t slot) {
  for (;;) {
    uint32_t child = slot * 2;
    if (child > timers->count) {
      break;
    }
    if (child < timers->count &&
        before(timers->heap[child + 1], timers->heap[child])) {
      child++;
    }
    if (!before(timers->heap[child], timer)) {
      break;
    }
    place(timers, slot, timers->heap[child]);
    slot = child;
  }
  place(timers, slot, timer);
}

static uint64_t real_now(void *data) {
  (void)data;
  return uv_hrtime();
}

static const struct luge_clock real_clock = {.now = real_now};

uint64_t luge__now(struct luge_host *host) {
  return host->timers.clock.now(host->timers.clock.data);
}

uint64_t luge__after(struct luge_host *host, double seconds) {
  const double far = 1e9; /* seconds; some thirty years */
  double ns = (seconds < far ? seconds : far) * 1e9;
  return luge__now(host) + (ns > 0 ? (uint64_t)(ns + 0.5) : 0);
}

bool luge__timer_reserve(struct luge_host *host) {
  struct luge_timers *timers = &host->timers;
  if (timers->count + 1 < timers->capacity) {
    return true;
  }
  uint32_t capacity = timers->capacity == 0 ? 16 : timers->capacity * 2;
  void *heap =
      luge__realloc(host, timers->heap, timers->capacity * sizeof *timers->heap,
                    capacity * sizeof *timers->heap);
  if (heap == NULL) {
    return false;
  }
  timers->heap = heap;
  timers->capacity = capacity;
  return true;
}

void luge__timer_start(struct luge_host *host, struct luge_timer *timer,
                       uint64_t at, luge_timer_fn fire) {
  struct luge_timers *timers = &host->timers;
  timer->at = at;
  timer->fire = fire;
  timer->serial = timers->serial++;
  timer->is_bound = 0;
  sift_up(timers, timer, ++timers->count);
}

void luge__timer_start_bound(struct luge_host *host, struct luge_timer *timer,
                             uint64_t at, luge_timer_fn fire) {
  luge__timer_start(host, timer, at, fire);
  timer->is_bound = 1;
  host->timers.bounds++;
}

void luge__timer_stop(struct luge_host *host, struct luge_timer *timer) {
  struct luge_timers *timers = &host->timers;
  uint32_t slot = timer->slot;
  if (slot == 0) {
    return;
  }
  timer->slot = 0;
  timers->bounds -= timer->is_bound;
  struct luge_timer *last = timers->heap[timers->count--];
  if (last == timer) {
    return;
  }
  if (slot > 1 && before(last, timers->heap[slot / 2])) {
    sift_up(timers, last, slot);
  } else {
    sift_down(timers, last, slot);
  }
}

void luge__timers_fire(struct luge_host *host) {
  struct luge_timers *timers = &host->timers;
  if (timers->count == 0) {
    return;
  }
  uint64_t now = luge__now(host);
  while (timers->count > 0 && timers->heap[1]->at <= now) {
    struct luge_timer *timer = timers->heap[1];
    luge__timer_stop(host, timer);
    timer->fire(timer);
  }
}

/* Fires nothing itself, but ends the loop's turn: after each turn the due
 * timers are fired. */
static void on_wakeup(uv_timer_t *wakeup) {
  struct luge_timers *timers =
      luge__container(wakeup, struct luge_timers, wakeup);
  timers->armed_for = 0;
  luge__driver_kick(luge__container(timers, struct luge_host, timers));
}

void luge__timers_arm(struct luge_host *host) {
  struct luge_timers *timers = &host->timers;
  bool waits = luge__timers_wait(timers) || host->refs > 0;
  uint64_t at = timers->count > 0 && waits && timers->clock.advance == NULL
                    ? timers->heap[1]->at
                    : 0;
  if (at == timers->armed_for) {
    return;
  }
  timers->armed_for = at;
  if (at == 0) {
    uv_timer_stop(&timers->wakeup);
    return;
  }
  uint64_t now = luge__now(host);
  uv_update_time(host->loop);
  uv_timer_start(&timers->wakeup, on_wakeup,
                 at > now ? (at - now + 999999) / 1000000 : 0, 0);
}

/* All move by the same distance, so the heap stays in order. */
void luge__clock_set(struct luge_host *host, const struct luge_clock *clock) {
  struct luge_timers *timers = &host->timers;
  uint64_t then = luge__now(host);
  timers->clock = clock != NULL ? *clock : real_clock;
  uint64_t now = luge__now(host);
  for (uint32_t slot = 1; slot <= timers->count; slot++) {
    timers->heap[slot]->at += now - then;
  }
}

void luge__timers_init(struct luge_host *host) {
  host->timers.clock = real_clock;
  uv_timer_init(host->loop, &host->timers.wakeup);
}

void luge__timers_free(struct luge_host *host) {
  struct luge_timers *timers = &host->timers;
  luge__realloc(host, timers->heap, timers->capacity * sizeof *timers->heap, 0);
  timers->heap = NULL;
  timers->count = timers->capacity = 0;
}
