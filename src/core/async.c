/* Asynchronous C functions; see async.h. A wait is a block of memory of its
 * own, linked to the host from luge_wait_begin until it has been completed and
 * its task has what it completed with: whatever ends first, the task or the
 * operation, the other still finds it. */
#include "async.h"

#include "error.h"
#include "host.h"
#include "sched.h"
#include "task.h"
#include "threadpool.h"
#include "wait.h"

struct luge_pending {
  struct luge_list link; /* in host->waits */
  struct luge_host *host;
  struct luge_task *task; /* who waits; NULL once nobody does */
  luge_cancel_fn cancel;
  luge_push_fn push; /* what it was completed with */
  void *data;        /* of cancel, then of push */
  bool completed;
  bool suspended;
};

int luge__on_thread(const struct luge_host *host) {
  uv_thread_t self = uv_thread_self();
  return uv_thread_equal(&self, &host->thread);
}

static void release(struct luge_pending *wait) {
  luge__list_remove(&wait->link);
  luge__realloc(wait->host, wait, sizeof *wait, 0);
}

void luge__waits_orphan(struct luge_host *host) {
  struct luge_list *at;
  for (at = host->waits.next; at != &host->waits; at = at->next) {
    luge__container(at, struct luge_pending, link)->task = NULL;
  }
}

void luge__waits_free(struct luge_host *host) {
  while (!luge__list_empty(&host->waits)) {
    release(luge__container(host->waits.next, struct luge_pending, link));
  }
}

luge_pending *luge_wait_begin(lua_State *L) {
  struct luge_host *host = luge__host(L);
  struct luge_task *task = luge__enter(L);
  struct luge_pending *wait = luge__alloc(L, sizeof *wait);
  *wait = (struct luge_pending){.host = host, .task = task};
  luge__list_append(&host->waits, &wait->link);
  luge__ref(host);
  return wait;
}

/* The task takes what the wait was completed with. */
static int take(lua_State *L, struct luge_pending *wait) {
  luge_push_fn push = wait->push;
  void *data = wait->data;
  release(wait);
  return push != NULL ? push(L, data) : 0;
}

static int on_completed(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return take(L, task->wait.data);
}

static bool abandon(struct luge_task *task) {
  struct luge_pending *wait = task->wait.data;
  struct luge_host *host = wait->host;
  wait->task = NULL;
  if (wait->cancel != NULL) {
    host->calling++;
    wait->cancel(wait, wait->data);
    host->calling--;
  }
  return true;
}

int luge_wait(lua_State *L, luge_pending *wait, luge_cancel_fn cancel,
              void *data) {
  static const struct luge_wait_kind kind = {
      .name = "a C function", .cancel = abandon, .finish = on_completed};
  if (wait == NULL || wait->suspended || wait->task != luge__host(L)->current) {
    return luge__raise(L, "invalid",
                       "luge_wait takes what luge_wait_begin gave, once, in "
                       "the same C function");
  }
  if (wait->completed) {
    return take(L, wait);
  }
  struct luge_task *task = wait->task;
  wait->cancel = cancel;
  wait->data = data;
  task->wait.data = wait;
  if (task->scope->flags & LUGE_SCOPE_CANCELLED) { /* since it was begun */
    abandon(task);
    luge__enter(L);
  }
  wait->suspended = true;
  return luge__suspend(L, task, &kind);
}

int luge_resolve(luge_pending *wait, luge_push_fn push, void *data) {
  if (wait == NULL || wait->completed || !luge__on_thread(wait->host)) {
    return LUGE_INVALID;
  }
  luge__unref(wait->host);
  if (wait->task == NULL) {
    release(wait);
    return LUGE_CANCELLED;
  }
  wait->completed = true;
  wait->push = push;
  wait->data = data;
  if (wait->suspended) {
    luge__wake(wait->task);
  }
  return LUGE_OK;
}

/* Work on libuv's thread pool. What it was given is freed by `done`, in the
 * task, or by `freed`, if the task was cancelled in the meantime. */

struct offload {
  uv_work_t request;
  struct luge_host *host;
  luge_pending *wait;
  luge_work_fn work;
  luge_push_fn done;
  luge_free_fn freed;
  void *data;
};

static void on_work(uv_work_t *request) {
  struct offload *offload = luge__container(request, struct offload, request);
  offload->work(offload->data);
}

static int push_no_memory(lua_State *L, void *data) {
  (void)data;
  return luge__raise_memory(L);
}

static void free_offload(struct offload *offload) {
  luge__realloc(offload->host, offload, sizeof *offload, 0);
}

static int push_offload(lua_State *L, void *data) {
  struct offload offload = *(struct offload *)data;
  free_offload(data);
  return offload.done != NULL ? offload.done(L, offload.data) : 0;
}

static void after_work(uv_work_t *request, int status) {
  (void)status;
  struct offload *offload = luge__container(request, struct offload, request);
  struct luge_host *host = offload->host;
  host->offloads--;
  if (luge_resolve(offload->wait, push_offload, offload) != LUGE_OK) {
    if (offload->freed != NULL) {
      host->calling++;
      offload->freed(offload->data);
      host->calling--;
    }
    free_offload(offload);
  }
}

int luge_offload(lua_State *L, luge_work_fn work, luge_push_fn done,
                 luge_free_fn freed, void *data) {
  struct luge_host *host = luge__host(L);
  if (work == NULL) {
    return luge__raise(L, "invalid", "luge_offload: `work` is NULL");
  }
  luge__threadpool_check(L);
  luge_pending *wait = luge_wait_begin(L);
  struct offload *offload = luge__realloc(host, NULL, 0, sizeof *offload);
  if (offload == NULL) {
    luge_resolve(wait, push_no_memory, NULL);
    return luge_wait(L, wait, NULL, NULL);
  }
  *offload = (struct offload){.host = host,
                              .wait = wait,
                              .work = work,
                              .done = done,
                              .freed = freed,
                              .data = data};
  host->offloads++;
  uv_queue_work(host->loop, &offload->request, on_work, after_work);
  return luge_wait(L, wait, NULL, NULL);
}
