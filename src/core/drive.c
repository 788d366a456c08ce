/* Driving a host from another loop: stepping one that has its own, and living
 * on one that is borrowed; the part of luge.h for it.
 *
 * On a borrowed loop a prepare handle runs what is ready before each poll, and
 * an idle handle keeps the poll from waiting while something is; so it does on
 * a loop of the host's own, where luge__poll has the turn. */
#include "drive.h"

#include "async.h"
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

static void on_prepare(uv_prepare_t *prepare) {
  struct luge_host *host =
      luge__container(prepare, struct luge_host, driver.prepare);
  if (host->driving || host->current != NULL) {
    return;
  }
  luge__timers_fire(host);
  luge__passes(host);
  luge__timers_arm(host);
  keep_turning(host);
  if (host->ready_first == NULL) {
    luge__flush(host);
  }
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
  return host != NULL ? uv_backend_fd(host->loop) : -1;
}

int luge_timeout_ms(luge_host *host) {
  if (host == NULL || host->ready_first != NULL) {
    return 0;
  }
  luge__timers_arm(host);
  return uv_backend_timeout(host->loop);
}

int luge_step(luge_host *host) {
  if (host == NULL || host->current != NULL || host->driving ||
      !luge__on_thread(host)) {
    return -LUGE_INVALID;
  }
  host->driving = true;
  luge__passes(host);
  luge__poll(host, false);
  luge__passes(host);
  luge__timers_arm(host);
  luge__flush(host);
  host->driving = false;
  return host->live > 0;
}
