/* A worker's thread; see worker.h. It opens a host, turns its loop, runs the
 * jobs that it finds in the struct, and closes the host. */
#include "../core/descriptors.h"
#include "../core/host.h"
#include "../core/sched.h"
#include "worker.h"

/* The loop has something to look at in the struct: it does that by itself. */
static void on_wake(uv_async_t *wake) {
  (void)wake;
}

static bool configure(struct luge_worker *worker, luge_host *host) {
  lua_State *L = luge_lua(host);
  lua_pushcfunction(L, luge__worker_configure);
  lua_pushlightuserdata(L, worker);
  bool done = lua_pcall(L, 1, 0, 0) == LUA_OK;
  lua_settop(L, 0);
  return done;
}

static void close_wake(struct luge_worker *worker) {
  uv_close((uv_handle_t *)&worker->wake, NULL);
}

/* From here on the parent may wake and interrupt it. */
static bool open_host(struct luge_worker *worker) {
  luge_host *host = luge_open(&worker->options);
  if (host == NULL) {
    return false;
  }
  if (uv_async_init(host->loop, &worker->wake, on_wake) != 0) {
    luge_close(host);
    return false;
  }
  if (!configure(worker, host) || !luge__worker_inherit(worker, host)) {
    close_wake(worker);
    luge_close(host);
    return false;
  }
  luge__worker_signal_enter(worker);
  uv_mutex_lock(&worker->mutex);
  worker->host = host;
  uv_mutex_unlock(&worker->mutex);
  return true;
}

static void close_host(struct luge_worker *worker) {
  uv_mutex_lock(&worker->mutex);
  luge_host *host = worker->host;
  worker->host = NULL;
  uv_mutex_unlock(&worker->mutex);
  luge__worker_signal_leave();
  atomic_store(&host->interrupted, false);
  host->driving = false;
  close_wake(worker);
  luge_close(host);
}

/* The next job, for which it waits while what former ones detached goes on;
 * or false: it is to end. */
static bool wait_for_job(struct luge_worker *worker) {
  luge_host *host = worker->host;
  bool job = false, stop = false;
  luge__ref(host);
  for (;;) {
    uv_mutex_lock(&worker->mutex);
    job = worker->job != NULL;
    stop = worker->stop;
    uv_mutex_unlock(&worker->mutex);
    if (stop || job) {
      break;
    }
    luge__passes(host);
    luge__poll(host, true);
  }
  luge__unref(host);
  return !stop;
}

/* Whether a job that is being run is to be cancelled: then it is, once; from
 * there on its handlers run without haste, unless they are interrupted anew. */
void luge__worker_attend(struct luge_worker *worker, luge_task *task) {
  uv_mutex_lock(&worker->mutex);
  bool cancel = worker->cancel;
  worker->cancel = false;
  if (cancel) {
    atomic_store(&worker->interrupting, false);
    atomic_store(&worker->host->interrupted, false);
  }
  uv_mutex_unlock(&worker->mutex);
  if (cancel) {
    luge_task_cancel(task, "nobody waits for the job");
  }
}

static void tell_done(struct luge_worker *worker) {
  uv_mutex_lock(&worker->mutex);
  worker->job = NULL;
  worker->cancel = false;
  atomic_store(&worker->interrupting, false);
  atomic_store(&worker->host->interrupted, false);
  if (worker->parent != NULL) {
    luge__post_kept(worker->parent, &worker->on_done);
  }
  uv_mutex_unlock(&worker->mutex);
}

static void serve(struct luge_worker *worker) {
  worker->host->driving = true;
  while (!worker->broken && wait_for_job(worker)) {
    luge__worker_perform(worker);
    tell_done(worker);
  }
}

/* After this the parent may free the struct; or it has been abandoned, and
 * nobody else will. */
static void tell_ended(struct luge_worker *worker) {
  uv_mutex_lock(&worker->mutex);
  worker->ended = true;
  bool abandoned = worker->parent == NULL;
  if (!abandoned) {
    luge__post_kept(worker->parent, &worker->on_ended);
  }
  uv_cond_broadcast(&worker->changed);
  uv_mutex_unlock(&worker->mutex);
  if (abandoned) {
    luge__worker_free(worker);
  }
}

void luge__worker_main(void *data) {
  struct luge_worker *worker = data;
  if (open_host(worker)) {
    serve(worker);
    close_host(worker);
  } else if (!luge__descriptors_are_left()) {
    worker->outcome = LUGE_OUTCOME_FILES;
  }
  tell_ended(worker);
}
