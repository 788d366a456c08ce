/* The loop's side of a store's thread; see worker.h. */
#include <string.h>

#include "../core/host.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "worker.h"

static void free_store(struct luge_store *store) {
  luge__realloc(store->host, store, store->size, 0);
}

void luge__store_release(struct luge_store *store) {
  if (--store->holds == 0) {
    free_store(store);
  }
}

static void on_closed(uv_handle_t *handle) {
  struct luge_store *store = luge__container(handle, struct luge_store, async);
  store->host->handles--;
  uv_cond_destroy(&store->work);
  uv_mutex_destroy(&store->mutex);
  luge__store_release(store);
}

static void on_async(uv_async_t *async) {
  struct luge_store *store = luge__container(async, struct luge_store, async);
  uv_mutex_lock(&store->mutex);
  struct luge_store_queue ended = store->outbox;
  store->outbox = (struct luge_store_queue){NULL, NULL};
  bool over = store->ended;
  uv_mutex_unlock(&store->mutex);
  struct luge_store_call *call;
  while ((call = luge__queue_take(&ended)) != NULL) {
    luge__job_ended(&call->job);
  }
  if (over && !store->closed) {
    store->closed = true;
    uv_thread_join(&store->thread);
    luge__waiters_wake_all(&store->closers);
    uv_close((uv_handle_t *)async, on_closed);
  }
}

void luge__store_start(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  struct luge_store *store = call->store;
  call->give_up_at = uv_hrtime() + store->patience;
  uv_mutex_lock(&store->mutex);
  luge__queue_append(&store->inbox, call);
  uv_cond_signal(&store->work);
  uv_mutex_unlock(&store->mutex);
}

/* The handle is referenced from here on: the loop waits for the end. */
void luge__store_stop(struct luge_store *store, bool hurry) {
  if (store->closed) {
    return;
  }
  store->closing = true;
  uv_ref((uv_handle_t *)&store->async);
  uv_mutex_lock(&store->mutex);
  store->stop = true;
  store->hurry = store->hurry || hurry;
  if (store->hurry && store->running != NULL) {
    store->database.api->interrupt(store->running);
  }
  uv_cond_signal(&store->work);
  uv_mutex_unlock(&store->mutex);
}

/* What is begun is undone in the reverse order. */
static int start(struct luge_store *store) {
  int status = uv_mutex_init(&store->mutex);
  if (status != 0) {
    return status;
  }
  status = uv_cond_init(&store->work);
  if (status == 0) {
    status = uv_async_init(store->host->loop, &store->async, on_async);
    if (status == 0) {
      uv_unref((uv_handle_t *)&store->async);
      store->holds++;
      store->host->handles++;
      status = uv_thread_create(&store->thread, luge__store_thread, store);
      if (status != 0) { /* on_closed does the rest */
        uv_close((uv_handle_t *)&store->async, on_closed);
      }
      return status;
    }
    uv_cond_destroy(&store->work);
  }
  uv_mutex_destroy(&store->mutex);
  return status;
}

struct luge_store *luge__store_new(struct luge_host *host, const char *path,
                                   size_t path_length, int *error) {
  size_t size = sizeof(struct luge_store) + path_length + 1;
  struct luge_store *store = luge__realloc(host, NULL, 0, size);
  *error = UV_ENOMEM;
  if (store == NULL) {
    return NULL;
  }
  memset(store, 0, size);
  store->host = host;
  store->size = size;
  store->holds = 1;
  luge__list_init(&store->closers);
  if (path != NULL) {
    store->path = memcpy(store + 1, path, path_length);
  }
  *error = start(store);
  if (*error != 0) {
    luge__store_release(store);
    return NULL;
  }
  return store;
}
