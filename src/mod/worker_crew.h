/* Crews: the workers of a pool, and the calls that wait for one, first come,
 * first served. A call is a job with the task that waits for it; once given to
 * a worker it lives until that has done it, also when the task is gone. On the
 * parent's loop thread only. */
#ifndef LUGE_MOD_WORKER_CREW_H
#define LUGE_MOD_WORKER_CREW_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "../core/host.h"
#include "../core/list.h"
#include "parcel.h"
#include "worker.h"

struct luge_call_box {
  struct luge_call *call; /* NULL: not Lua's any more */
};

struct luge_call {
  struct luge_list link; /* in the queue of the crew */
  struct luge_host *host;
  struct luge_task *task;     /* who waits, or NULL */
  struct luge_worker *worker; /* who works at it, or NULL */
  struct luge_call_box *box;  /* or NULL */
  struct luge_parcel in, out;
  enum luge_outcome outcome;
};

struct luge_crew {
  struct luge_host *host;
  struct luge_list link; /* in the list of all */
  struct luge_list idle, busy, leaving;
  struct luge_list queue; /* of calls */
  unsigned size;          /* workers at most */
  unsigned count;         /* idle and busy ones */
  unsigned holds;         /* threads, and Lua's box */
  int error;              /* why the last thread could not be started */
  size_t memory_limit, max_bytes;
  struct luge_parcel setup;
  bool closed;
};

/* A crew of nobody yet; `crews` is the list of the host's. NULL: no memory. */
struct luge_crew *luge__crew_new(struct luge_host *host,
                                 struct luge_list *crews, unsigned size);

/* Gives the call to a worker, or puts it into the queue. False: there is no
 * worker, and none can be started: see `error`. */
bool luge__crew_take(struct luge_crew *crew, struct luge_call *call);

/* Ends what is being done, and refuses the rest; the threads end by themselves.
 * May be called twice. */
void luge__crew_close(struct luge_crew *crew);

/* Lua has let go of it. */
void luge__crew_release(struct luge_crew *crew);

/* The host closes: ends and joins all threads of its crews. */
void luge__crews_stop(struct luge_list *crews);

/* The task is about to wait for the call, which has been taken. */
void luge__call_wait(struct luge_call *call, struct luge_task *task);

/* Nobody waits for the call any more. */
void luge__call_abandon(struct luge_call *call);

/* Frees a call that no worker has. */
void luge__call_free(struct luge_call *call);

#endif
