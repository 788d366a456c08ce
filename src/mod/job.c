/* Jobs on the thread pool; see job.h. */
#include "job.h"

#include <string.h>

#include "../core/class.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/threadpool.h"

static const char class_key = 0; /* registry: the boxes' metatable */

void luge__job_free(struct luge_job *job) {
  if (job->box != NULL) {
    job->box->job = NULL;
  }
  if (job->kind->free != NULL) {
    job->kind->free(job);
  }
  luge__realloc(job->host, job, job->size, 0);
}

/* If the host closes while a task still waits, the job goes on without it. */
static int box_gc(lua_State *L) {
  struct luge_job_box *box = lua_touserdata(L, 1);
  struct luge_job *job = box->job;
  if (job == NULL) {
    return 0;
  }
  box->job = NULL;
  job->box = NULL;
  job->task = NULL;
  atomic_store(&job->abandoned, true);
  if (!job->running) {
    luge__job_free(job);
  }
  return 0;
}

void *luge__job_alloc(lua_State *L, const struct luge_job_kind *kind,
                      size_t size) {
  struct luge_host *host = luge__host(L);
  struct luge_job *job = luge__alloc_zeroed(L, size);
  job->kind = kind;
  job->host = host;
  job->size = size;
  return job;
}

void *luge__job_new(lua_State *L, const struct luge_job_kind *kind,
                    size_t size) {
  struct luge_job_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->job = NULL;
  luge__class_collect(L, &class_key, box_gc);
  struct luge_job *job = luge__job_alloc(L, kind, size);
  job->box = box;
  box->job = job;
  return job;
}

static void on_work(uv_work_t *request) {
  struct luge_job *job = luge__container(request, struct luge_job, request);
  job->kind->work(job);
}

void luge__job_ended(struct luge_job *job) {
  struct luge_task *task = job->task;
  job->running = false;
  job->task = NULL;
  job->host->offloads--;
  luge__unref(job->host);
  if (task != NULL) {
    luge__wake(task);
  } else {
    luge__job_free(job);
  }
}

static void after_work(uv_work_t *request, int status) {
  (void)status;
  luge__job_ended(luge__container(request, struct luge_job, request));
}

static void begin(struct luge_job *job) {
  job->running = true;
  job->host->offloads++;
  luge__ref(job->host);
}

static void queue(struct luge_job *job) {
  uv_queue_work(job->host->loop, &job->request, on_work, after_work);
}

void luge__job_post(struct luge_job *job) {
  job->task = NULL;
  begin(job);
  queue(job);
}

int luge__job_run_by(lua_State *L, struct luge_job *job,
                     void (*start)(struct luge_job *job)) {
  struct luge_task *task = luge__enter(L);
  job->task = task;
  task->wait.data = job;
  begin(job);
  start(job);
  return luge__suspend(L, task, &job->kind->wait);
}

int luge__job_run(lua_State *L, struct luge_job *job) {
  luge__threadpool_check(L);
  return luge__job_run_by(L, job, queue);
}

bool luge__job_cancel(struct luge_task *task) {
  struct luge_job *job = task->wait.data;
  job->task = NULL;
  atomic_store(&job->abandoned, true);
  return true;
}

/* If `done` runs the job once more, it suspends and does not return here. */
int luge__job_finish(lua_State *L, struct luge_task *task, int base) {
  struct luge_job *job = task->wait.data;
  (void)base;
  int count = job->kind->done(L, job);
  luge__job_free(job);
  return count;
}
