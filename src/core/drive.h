/* Driving a host from a loop that is not its own; see drive.c. */
#ifndef LUGE_CORE_DRIVE_H
#define LUGE_CORE_DRIVE_H

#include <uv.h>

struct luge_host;

struct luge_driver {
  uv_prepare_t prepare;
  uv_idle_t idle;
};

/* On a borrowed loop: lets the host run whenever the loop turns. */
void luge__driver_start(struct luge_host *host);

/* A task became ready outside of a turn: the loop is not to wait. */
void luge__driver_kick(struct luge_host *host);

#endif
