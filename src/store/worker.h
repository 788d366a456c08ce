/* The thread of a store, and the queue that leads to it. Each open store has
 * one: SQLite blocks, on the disk and on other processes, and libuv's pool is
 * for everybody. The thread reads what is to be read first, then puts all that
 * is to be written into one transaction, with one synchronization of the disk.
 * A file that another process holds is tried again until a write's time is up;
 * reads go on meanwhile. */
#ifndef LUGE_STORE_WORKER_H
#define LUGE_STORE_WORKER_H

#include <uv.h>

#include "../core/list.h"
#include "call.h"

struct luge_store_queue {
  struct luge_store_call *first, *last;
};

static inline void luge__queue_append(struct luge_store_queue *queue,
                                      struct luge_store_call *call) {
  call->next = NULL;
  if (queue->last != NULL) {
    queue->last->next = call;
  } else {
    queue->first = call;
  }
  queue->last = call;
}

/* The first one, or NULL. */
static inline struct luge_store_call *
luge__queue_take(struct luge_store_queue *queue) {
  struct luge_store_call *call = queue->first;
  if (call != NULL) {
    queue->first = call->next;
    queue->last = queue->first != NULL ? queue->last : NULL;
  }
  return call;
}

struct luge_store {
  struct luge_host *host;
  uv_thread_t thread;
  uv_async_t async; /* the thread has ended a call, or itself */
  uv_mutex_t mutex;
  uv_cond_t work;
  struct luge_list closers; /* tasks that wait for the thread's end */
  unsigned holds;           /* the userdata, and the handle */
  uint64_t patience;        /* nanoseconds that a locked file is waited for */
  int64_t max_value;
  bool closing; /* nothing more is taken */
  bool closed;  /* the thread has ended */

  /* Of both threads, under the mutex: */
  struct luge_store_queue inbox, outbox;
  sqlite3 *running; /* what sqlite3_interrupt may be called for */
  bool stop;        /* end, when all is done */
  bool hurry;       /* end at once: nobody waits */
  bool ended;

  /* The thread's own: */
  struct luge_database database;
  struct luge_store_queue reads, writes;
  unsigned attempts;  /* in a row that met a locked file */
  double swept_at;    /* Unix time */
  int poison;         /* a code that every call ends with, or 0 */
  char poisoned[256]; /* and its message */
  const char *path;   /* behind this struct; NULL: in memory */
  size_t size;        /* of this struct with the path */
  int64_t max_bytes;
  bool no_follow;
};

/* A store with a thread, not open yet; `holds` is 1, the caller's. NULL: out
 * of memory, or of threads: *error is a negative errno. */
struct luge_store *luge__store_new(struct luge_host *host, const char *path,
                                   size_t path_length, int *error);

/* Hands a call to the thread; it comes back by luge__job_ended. */
void luge__store_start(struct luge_job *job);

/* No more calls; the thread ends when all is done, or at once. */
void luge__store_stop(struct luge_store *store, bool hurry);

/* Gives up a hold. */
void luge__store_release(struct luge_store *store);

/* The thread's function. */
void luge__store_thread(void *argument);

/* The work of the first call of each store. */
void luge__store_open(struct luge_job *job);

#endif
