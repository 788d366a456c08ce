/* The heap of timers, on a clock of the test's own: they fire in the order of
 * their times, those of the same time in the order of their start, stopped ones
 * never; and a clock can be changed under them. */
#include "core/timer.h"

#include <luge.h>

#include "../support/check.h"
#include "core/host.h"

enum { COUNT = 2000, ROUNDS = 50 };

struct probe {
  struct luge_timer timer;
  unsigned order; /* of its start */
  bool fired, stopped;
};

static struct probe probes[COUNT];
static const struct probe *last;
static uint64_t now_ns;

static uint64_t read_clock(void *data) {
  (void)data;
  return now_ns;
}

static void advance(void *data, uint64_t to) {
  (void)data;
  now_ns = to;
}

static void on_fired(struct luge_timer *timer) {
  struct probe *probe = luge__container(timer, struct probe, timer);
  EXPECT(!probe->fired && !probe->stopped, "fires once, unless it is stopped");
  EXPECT(timer->at <= now_ns, "fires when it is due");
  EXPECT(!luge__timer_started(timer), "is stopped when it fires");
  EXPECT(last == NULL || last->timer.at < timer->at ||
             (last->timer.at == timer->at && last->order < probe->order),
         "fires in order");
  probe->fired = true;
  last = probe;
}

static uint32_t next_random(void) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32);
}

static void start_all(struct luge_host *host) {
  for (unsigned i = 0; i < COUNT; i++) {
    probes[i] = (struct probe){.order = i};
    EXPECT(luge__timer_reserve(host), "there is memory");
    luge__timer_start(host, &probes[i].timer, now_ns + next_random() % 500,
                      on_fired);
  }
}

static void stop_some(struct luge_host *host) {
  for (unsigned i = 0; i < COUNT / 3; i++) {
    struct probe *probe = &probes[next_random() % COUNT];
    if (!probe->fired) {
      luge__timer_stop(host, &probe->timer);
      luge__timer_stop(host, &probe->timer);
      probe->stopped = true;
    }
  }
}

static void play(struct luge_host *host) {
  last = NULL;
  start_all(host);
  stop_some(host);
  for (int step = 0; step < 10; step++) {
    now_ns += 30;
    luge__timers_fire(host);
    stop_some(host);
  }
  now_ns += 500;
  luge__timers_fire(host);
  EXPECT(host->timers.count == 0, "none is left");
  for (unsigned i = 0; i < COUNT; i++) {
    EXPECT(probes[i].fired != probes[i].stopped, "fires or is stopped");
  }
}

/* What is left of a timer's time stays the same, whatever the clock. */
static void change_clocks(struct luge_host *host,
                          const struct luge_clock *clock) {
  probes[0] = (struct probe){.order = 0};
  luge__timer_start(host, &probes[0].timer, luge__after(host, 3600), on_fired);
  luge__clock_set(host, NULL);
  uint64_t left = probes[0].timer.at - luge__now(host);
  EXPECT(left <= 3600000000000u && left > 3599000000000u, "an hour is left");
  luge__clock_set(host, clock);
  now_ns += 3599000000000u;
  luge__timers_fire(host);
  EXPECT(!probes[0].fired, "it is not due yet");
  now_ns += 1000000000u;
  last = NULL;
  luge__timers_fire(host);
  EXPECT(probes[0].fired, "it is due");
}

/* One that bounds an operation fires, and is not waited for. */
static void bound_an_operation(struct luge_host *host) {
  probes[0] = probes[1] = (struct probe){.order = 0};
  EXPECT(luge__timer_reserve(host), "there is memory");
  luge__timer_start_bound(host, &probes[0].timer, now_ns + 10, on_fired);
  EXPECT(!luge__timers_wait(&host->timers), "a bound is not waited for");
  EXPECT(luge__timer_reserve(host), "there is memory");
  luge__timer_start(host, &probes[1].timer, now_ns + 20, on_fired);
  EXPECT(luge__timers_wait(&host->timers), "a timer is waited for");
  now_ns += 10;
  last = NULL;
  luge__timers_fire(host);
  EXPECT(probes[0].fired && !probes[1].fired, "the bound is due");
  luge__timer_start_bound(host, &probes[0].timer, now_ns + 100, on_fired);
  luge__timer_stop(host, &probes[1].timer);
  EXPECT(!luge__timers_wait(&host->timers), "the bound alone is left");
  luge__timer_stop(host, &probes[0].timer);
  EXPECT(host->timers.count == 0 && host->timers.bounds == 0, "none is left");
}

int main(void) {
  luge_options options = {.size = sizeof options};
  luge_host *host = luge_open(&options);
  struct luge_clock clock = {.now = read_clock, .advance = advance};
  now_ns = 1;
  luge__clock_set(host, &clock);
  for (int round = 0; round < ROUNDS; round++) {
    play(host);
  }
  bound_an_operation(host);
  change_clocks(host, &clock);
  luge_close(host);
  return verdict();
}
