/* Driving a host from another loop: stepping one that has its own, and living
 * on one that is borrowed; the part of luge.h for it.
 *
 * On a borrowed loop a prepare handle runs what is ready before each poll. An
 * idle handle keeps the poll from waiting while something is ready, also on a
 * loop of the host's own, which luge__poll turns. */
#include "drive.h"

#include "failure.h"
#include "host.h"
#include "sched.h"

static void on_idle(uv_idle_t *idle) {
  (void)idle;
}

static void keep_turning(struct luge_host *host) {
  if (host->ready_first != NULL) {
    uv_idle_start(&host->driver.idle, on_idle);
  } else {
    uv_idle_stop(&host->driver.idle);
  }
}

/* Whether every task waits, and for nothing that the host knows of. */
static bool is_stuck(const struct luge_host *host) {
  return host->live > 0 && host->ready_first == NULL && host->refs == 0 &&
         !luge__timers_wait(&host->timers);
}

static void tell_deadlock(struct luge_host *host) {
  bool stuck = is_stuck(host);
  if (stuck && !host->deadlock_told && host->options.on_deadlock != NULL) {
    host->calling++;
    host->options.on_deadlock(host, host->options.user);
    host->calling--;
  }
  host->deadlock_told = stuck;
}

/* What a turn begins with. */
static void run_ready(struct luge_host *host) {
  if (host->ready_first != NULL) {
    host->deadlock_told = false;
    luge__passes(host);
  }
}

/* What a turn ends with: nothing is left to do but to wait. */
static void before_waiting(struct luge_host *host) {
  if (host->ready_first == NULL) {
    luge__failures_collect(host);
    luge__flush_ready(host);
    tell_deadlock(host);
  }
}

static void on_prepare(uv_prepare_t *prepare) {
  struct luge_host *host =
      luge__container(prepare, struct luge_host, driver.prepare);
  if (host->driving || host->current != NULL || host->calling > 0) {
    return;
  }
  luge__timers_fire(host);
  run_ready(host);
  before_waiting(host);
  luge__timers_arm(host);
  keep_turning(host);
}

void luge__driver_start(struct luge_host *host) {
  struct luge_driver *driver = &host->driver;
  uv_idle_init(host->loop, &driver->idle);
  if (!host->owns_loop) {
    uv_prepare_init(host->loop, &driver->prepare);
    uv_prepare_start(&driver->prepare, on_prepare);
    uv_unref((uv_handle_t *)&driver->prepare);
  }
}

void luge__driver_kick(struct luge_host *host) {
  if (host->driver.polling || (!host->owns_loop && !host->driving)) {
    uv_idle_start(&host->driver.idle, on_idle);
  }
}

int luge_fd(const luge_host *host) {
  return luge__usable(host) ? uv_backend_fd(host->loop) : -1;
}

/* Whether the system is told only at the next turn of what has just begun to be
 * watched. Newer libuv say 0 then by themselves (libuv#3466). */
static bool owes_a_turn(const uv_loop_t *loop) {
#if UV_VERSION_HEX < 0x012c00
  return loop->watcher_queue[0] != (const void *)&loop->watcher_queue;
#else
  (void)loop;
  return false;
#endif
}

/* Not left to libuv alone: its answer counts from the loop's last turn, and is
 * 0 for a loop that has nothing to do. */
int luge_timeout_ms(luge_host *host) {
  if (!luge__usable(host) || host->ready_first != NULL) {
    return 0;
  }
  uv_update_time(host->loop);
  luge__timers_arm(host);
  if (!uv_loop_alive(host->loop)) {
    return -1;
  }
  return owes_a_turn(host->loop) ? 0 : uv_backend_timeout(host->loop);
}

/* Calls what other threads have posted even if nothing else is waited for:
 * libuv would not look then. */
int luge_step(luge_host *host) {
  if (!luge__may_turn(host)) {
    return -LUGE_INVALID;
  }
  host->driving = true;
  luge__ref(host);
  run_ready(host);
  luge__poll(host, false);
  run_ready(host);
  luge__unref(host);
  before_waiting(host);
  luge__timers_arm(host);
  host->driving = false;
  return host->live > 0;
}
