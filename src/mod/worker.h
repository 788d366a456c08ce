/* Workers: threads, each with a host of its own, that run one job after the
 * other for the host that started them, their parent. Nothing of Lua is shared:
 * a job, and what becomes of it, are parcels.
 *
 * The struct is malloc'ed. Fields are the parent's thread's, the worker's, or
 * either's under the mutex, as marked. The parent joins the thread and frees
 * the struct; a thread that does not end in time when the parent closes, deep
 * in some C function, is abandoned, and frees the struct itself. */
#ifndef LUGE_MOD_WORKER_H
#define LUGE_MOD_WORKER_H

#include <luge.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "../core/list.h"
#include "../core/post.h"
#include "parcel.h"

enum luge_outcome {
  LUGE_OUTCOME_RESULTS, /* the parcel has the results of the job */
  LUGE_OUTCOME_ERROR,   /* the parcel has the error, and its traceback */
  LUGE_OUTCOME_MEMORY,  /* there was no memory even to say so */
  LUGE_OUTCOME_FILES,   /* there were no descriptors for its host */
  LUGE_OUTCOME_THREAD,  /* no thread could be started for it */
  LUGE_OUTCOME_CLOSED   /* the pool was closed */
};

struct luge_worker {
  /* The parent's thread. */
  struct luge_list link; /* in a list of the crew */
  void *crew;
  struct luge_call *call; /* what it works at, or NULL */
  uv_thread_t thread;

  /* Set once, before the thread starts. */
  luge_options options;
  struct luge_parcel setup;                 /* see luge__worker_setup */
  size_t max_bytes;                         /* of what a job returns */
  const struct luge_permission *permission; /* the parent's, or NULL */
  bool uses_signal; /* is interrupted by one: see worker_signal.c */

  /* Either thread, under the mutex. */
  uv_mutex_t mutex;
  uv_cond_t changed;
  luge_host *parent; /* NULL: abandoned */
  luge_host *host;   /* NULL: not open */
  const struct luge_parcel *job;
  size_t unsent; /* bytes of messages that the parent has not taken */
  bool cancel, stop, ended;

  /* The worker's thread, and the parent's from `done` to the next job. */
  struct luge_parcel out;
  enum luge_outcome outcome;
  bool broken; /* takes no more jobs */
  struct luge_posted on_done, on_ended;

  /* The worker's thread. */
  uv_async_t wake;          /* on its loop; open as long as `host` is */
  atomic_bool interrupting; /* for its signal handler */
};

/* worker_control.c: for the parent's thread. */

/* Fills the parcel with what a worker takes over of the host: where modules
 * are found, those that it was given, what luge.env has loaded. */
void luge__worker_setup(lua_State *L, struct luge_parcel *setup);

/* Starts its thread. 0, or a negative errno. */
int luge__worker_start(struct luge_worker *worker);

/* Gives an idle worker a job, whose parcel must stay until on_done. */
void luge__worker_give(struct luge_worker *worker,
                       const struct luge_parcel *job);

/* Cancels its job: interrupts what runs. */
void luge__worker_cancel(struct luge_worker *worker);

/* Cancels its job, and lets the thread end. */
void luge__worker_stop(struct luge_worker *worker);

/* Frees one that has ended. */
void luge__worker_free(struct luge_worker *worker);

/* Waits until it has ended, or until `deadline` (of uv_hrtime): then it is
 * abandoned. Frees it, and says whether it has ended. */
bool luge__worker_join(struct luge_worker *worker, uint64_t deadline);

/* worker_thread.c: what the thread runs; `data` is the worker. */
void luge__worker_main(void *data);

/* worker_job.c: on the worker's thread. Takes the setup over; runs a job and
 * leaves what became of it in `out` and `outcome`; calls `attend` between the
 * turns of its loop. */
int luge__worker_configure(lua_State *L);
void luge__worker_perform(struct luge_worker *worker);
void luge__worker_attend(struct luge_worker *worker, luge_task *task);

/* worker_forward.c: what the worker's host prints and logs goes to the parent
 * by these callbacks. */
void luge__worker_forward(luge_options *options);

/* The worker's host may do what its parent may. False: no memory. */
bool luge__worker_inherit(struct luge_worker *worker, luge_host *host);

/* worker_signal.c: whether workers are interrupted by a signal to their thread,
 * rather than by a hook that slows them down; installs the handler. */
bool luge__worker_signal_use(const luge_options *options);
void luge__worker_signal_enter(struct luge_worker *worker);
void luge__worker_signal_leave(void);
void luge__worker_signal_send(struct luge_worker *worker);

#endif
