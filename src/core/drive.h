/* Driving a host from a loop that is not its own; see drive.c. */
#ifndef LUGE_CORE_DRIVE_H
#define LUGE_CORE_DRIVE_H

#include <stdbool.h>
#include <uv.h>

struct luge_host;

struct luge_driver {
  uv_prepare_t prepare; /* only on a borrowed loop */
  uv_idle_t idle;
  bool polling; /* luge__poll is in uv_run */
};

/* On a borrowed loop: lets the host run whenever the loop turns. */
void luge__driver_start(struct luge_host *host);

/* A task became ready, or a timer is due, while the loop turns: keeps the loop
 * from waiting. (libuv may call timers before it polls in the same turn.) */
void luge__driver_kick(struct luge_host *host);

#endif
