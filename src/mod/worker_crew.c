/* Crews; see worker_crew.h. Threads are started when there is something to do,
 * and not before. */
#include "worker_crew.h"

#include <stdlib.h>
#include <string.h>

#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"

/* What threads have to end in when the host closes. */
enum { PATIENCE = 5 };

/* Calls. */

void luge__call_free(struct luge_call *call) {
  if (call->box != NULL) {
    call->box->call = NULL;
  }
  luge__list_remove(&call->link);
  luge__parcel_free(&call->in);
  luge__parcel_free(&call->out);
  luge__realloc(call->host, call, sizeof *call, 0);
}

void luge__call_wait(struct luge_call *call, struct luge_task *task) {
  call->task = task;
  luge__ref(call->host);
}

/* What its worker still does wakes no task. */
static void forget_waiter(struct luge_call *call) {
  if (call->box != NULL) {
    call->box->call = NULL;
    call->box = NULL;
  }
  if (call->task != NULL) {
    call->task = NULL;
    luge__unref(call->host);
  }
}

void luge__call_abandon(struct luge_call *call) {
  forget_waiter(call);
  if (call->worker != NULL) {
    luge__worker_cancel(call->worker);
  } else {
    luge__call_free(call);
  }
}

/* The call is over, and no worker has it any more. */
static void complete(struct luge_call *call, enum luge_outcome outcome) {
  call->outcome = outcome;
  call->worker = NULL;
  if (call->task == NULL) {
    luge__call_free(call);
  } else {
    luge__wake(call->task);
    call->task = NULL;
    luge__unref(call->host);
  }
}

static void fail_queue(struct luge_crew *crew, enum luge_outcome outcome) {
  while (!luge__list_empty(&crew->queue)) {
    struct luge_call *call =
        luge__container(crew->queue.next, struct luge_call, link);
    luge__list_remove(&call->link);
    complete(call, outcome);
  }
}

/* Crews. */

struct luge_crew *luge__crew_new(struct luge_host *host,
                                 struct luge_list *crews, unsigned size) {
  struct luge_crew *crew = luge__realloc(host, NULL, 0, sizeof *crew);
  if (crew != NULL) {
    memset(crew, 0, sizeof *crew);
    crew->host = host;
    crew->size = size;
    crew->holds = 1;
    luge__list_init(&crew->idle);
    luge__list_init(&crew->busy);
    luge__list_init(&crew->leaving);
    luge__list_init(&crew->queue);
    luge__list_append(crews, &crew->link);
  }
  return crew;
}

static void let_go(struct luge_crew *crew) {
  if (--crew->holds == 0) {
    luge__list_remove(&crew->link);
    luge__parcel_free(&crew->setup);
    luge__realloc(crew->host, crew, sizeof *crew, 0);
  }
}

static void move(struct luge_worker *worker, struct luge_list *list) {
  luge__list_remove(&worker->link);
  luge__list_append(list, &worker->link);
}

/* It takes no more jobs: another one may take its place. */
static void dismiss(struct luge_crew *crew, struct luge_worker *worker) {
  move(worker, &crew->leaving);
  crew->count--;
}

static void dispatch(struct luge_crew *crew);

/* What the worker was at has ended. */
static void finish(struct luge_worker *worker, enum luge_outcome outcome) {
  struct luge_call *call = worker->call;
  worker->call = NULL;
  call->out = worker->out;
  worker->out = (struct luge_parcel){.bytes = NULL};
  complete(call, outcome);
}

static void on_done(luge_host *host, void *data) {
  struct luge_worker *worker = data;
  struct luge_crew *crew = worker->crew;
  (void)host;
  finish(worker, worker->outcome);
  if (worker->broken || crew->closed) {
    dismiss(crew, worker);
  } else {
    move(worker, &crew->idle);
  }
  dispatch(crew);
}

static void on_ended(luge_host *host, void *data) {
  struct luge_worker *worker = data;
  struct luge_crew *crew = worker->crew;
  (void)host;
  if (worker->call != NULL) { /* it could not even begin */
    bool files = worker->outcome == LUGE_OUTCOME_FILES;
    finish(worker, files ? LUGE_OUTCOME_FILES : LUGE_OUTCOME_MEMORY);
    dismiss(crew, worker);
  }
  luge__list_remove(&worker->link);
  luge__worker_join(worker, UINT64_MAX);
  dispatch(crew);
  let_go(crew);
}

/* The memory is the thread's own: the embedder's allocator may know only one
 * thread. */
static void set_options(struct luge_worker *worker, struct luge_crew *crew) {
  const luge_options *parent = &crew->host->options;
  worker->uses_signal = luge__worker_signal_use(parent);
  worker->options = (luge_options){.size = sizeof(luge_options),
                                   .memory_limit = crew->memory_limit,
                                   .user = worker,
                                   .slow = parent->slow,
                                   .interruptible = !worker->uses_signal,
                                   .line_buffered = parent->line_buffered};
  luge__worker_forward(&worker->options);
}

static bool copy_setup(struct luge_worker *worker,
                       const struct luge_parcel *setup) {
  worker->setup = *setup;
  worker->setup.bytes = malloc(setup->length);
  if (worker->setup.bytes != NULL) {
    memcpy(worker->setup.bytes, setup->bytes, setup->length);
  }
  return worker->setup.bytes != NULL;
}

static void prepare(struct luge_worker *worker, struct luge_crew *crew) {
  worker->crew = crew;
  worker->parent = crew->host;
  worker->permission = crew->host->permission;
  worker->max_bytes = crew->max_bytes;
  worker->on_done = (struct luge_posted){.fn = on_done, .data = worker};
  worker->on_ended = (struct luge_posted){.fn = on_ended, .data = worker};
  set_options(worker, crew);
}

/* One more worker, idle; or NULL, and the reason in `error`. */
static struct luge_worker *hire(struct luge_crew *crew) {
  struct luge_worker *worker = malloc(sizeof *worker);
  crew->error = UV_ENOMEM;
  if (worker == NULL) {
    return NULL;
  }
  memset(worker, 0, sizeof *worker);
  prepare(worker, crew);
  if (copy_setup(worker, &crew->setup)) {
    crew->error = luge__worker_start(worker);
  }
  if (crew->error != 0) {
    free(worker->setup.bytes);
    free(worker);
    return NULL;
  }
  crew->count++;
  crew->holds++;
  luge__list_append(&crew->idle, &worker->link);
  return worker;
}

/* The worker that was busy last, whose caches are warm. */
static struct luge_worker *find_worker(struct luge_crew *crew) {
  if (!luge__list_empty(&crew->idle)) {
    return luge__container(crew->idle.prev, struct luge_worker, link);
  }
  return crew->count < crew->size ? hire(crew) : NULL;
}

static void give(struct luge_worker *worker, struct luge_call *call) {
  struct luge_crew *crew = worker->crew;
  move(worker, &crew->busy);
  luge__list_remove(&call->link);
  call->worker = worker;
  worker->call = call;
  luge__worker_give(worker, &call->in);
}

/* Where there is no worker, and none to be had, nobody will ever come. */
static void dispatch(struct luge_crew *crew) {
  while (!luge__list_empty(&crew->queue)) {
    struct luge_worker *worker = find_worker(crew);
    if (worker == NULL) {
      if (crew->count == 0) {
        fail_queue(crew, LUGE_OUTCOME_THREAD);
      }
      return;
    }
    give(worker, luge__container(crew->queue.next, struct luge_call, link));
  }
}

bool luge__crew_take(struct luge_crew *crew, struct luge_call *call) {
  struct luge_worker *worker =
      luge__list_empty(&crew->queue) ? find_worker(crew) : NULL;
  if (worker != NULL) {
    give(worker, call);
  } else if (crew->count > 0) {
    luge__list_append(&crew->queue, &call->link);
  }
  return crew->count > 0;
}

static void stop_all(struct luge_list *workers) {
  struct luge_list *at;
  for (at = workers->next; at != workers; at = at->next) {
    luge__worker_stop(luge__container(at, struct luge_worker, link));
  }
}

static void refuse_busy(struct luge_crew *crew) {
  struct luge_list *at;
  for (at = crew->busy.next; at != &crew->busy; at = at->next) {
    struct luge_call *call =
        luge__container(at, struct luge_worker, link)->call;
    if (call->task != NULL) {
      call->task->wait.data = NULL;
      luge__wake(call->task);
      forget_waiter(call);
    }
  }
}

void luge__crew_close(struct luge_crew *crew) {
  if (crew->closed) {
    return;
  }
  crew->closed = true;
  refuse_busy(crew);
  fail_queue(crew, LUGE_OUTCOME_CLOSED);
  stop_all(&crew->busy);
  stop_all(&crew->idle);
  while (!luge__list_empty(&crew->idle)) {
    dismiss(crew, luge__container(crew->idle.next, struct luge_worker, link));
  }
}

void luge__crew_release(struct luge_crew *crew) {
  luge__crew_close(crew);
  let_go(crew);
}

/* The host takes no messages any more. A call whose worker was abandoned
 * stays: the thread may yet read it. */
static void join_all(struct luge_crew *crew, struct luge_list *workers,
                     uint64_t deadline) {
  while (!luge__list_empty(workers)) {
    struct luge_worker *worker =
        luge__container(workers->next, struct luge_worker, link);
    struct luge_call *call = worker->call;
    luge__list_remove(&worker->link);
    if (luge__worker_join(worker, deadline) && call != NULL) {
      luge__call_free(call);
    }
    crew->holds--;
  }
}

static void stop_crew(struct luge_crew *crew, uint64_t deadline) {
  join_all(crew, &crew->busy, deadline);
  join_all(crew, &crew->idle, deadline);
  join_all(crew, &crew->leaving, deadline);
  crew->count = 0;
  crew->closed = true;
}

void luge__crews_stop(struct luge_list *crews) {
  uint64_t deadline = uv_hrtime() + PATIENCE * UINT64_C(1000000000);
  struct luge_list *at;
  for (at = crews->next; at != crews; at = at->next) {
    struct luge_crew *crew = luge__container(at, struct luge_crew, link);
    stop_all(&crew->busy);
    stop_all(&crew->idle);
  }
  for (at = crews->next; at != crews;) {
    struct luge_crew *crew = luge__container(at, struct luge_crew, link);
    at = at->next;
    crew->holds++; /* it may be only the threads that hold it */
    stop_crew(crew, deadline);
    let_go(crew);
  }
}
