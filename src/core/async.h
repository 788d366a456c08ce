/* Asynchronous C functions that are not luge's own: luge_wait and what
 * completes it. Modules of luge use it too, where the memory that a wait
 * needs outlives the task: see luge.h for the meaning. */
#ifndef LUGE_CORE_ASYNC_H
#define LUGE_CORE_ASYNC_H

#include <luge.h>

#include "list.h"

/* The two steps of closing. First no task waits any more, whatever completes
 * later. Then, when nothing can complete any more, the waits that are left are
 * freed. */
void luge__waits_orphan(struct luge_host *host);
void luge__waits_free(struct luge_host *host);

/* Whether the calling thread is the host's. */
int luge__on_thread(const struct luge_host *host);

#endif
