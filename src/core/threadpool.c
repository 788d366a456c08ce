/* Tells whether the pool's threads can be started, by starting as many of the
 * same kind at once; see threadpool.h. Between this trial and libuv's own start
 * others may take what there is: from outside of libuv one cannot do better. */
#include "threadpool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

#include "error.h"

enum {
  FEW = 4,              /* threads, unless UV_THREADPOOL_SIZE says so */
  MANY = 1024,          /* at most */
  STACK_SIZE = 8 << 20, /* as libuv's */
};

/* How many threads libuv will start. */
static unsigned size(void) {
  const char *text = getenv("UV_THREADPOOL_SIZE");
  long wanted = text != NULL ? strtol(text, NULL, 10) : FEW;
  return wanted < 1 ? 1 : wanted > MANY ? MANY : (unsigned)wanted;
}

/* They all live until the last one has been started. */
static void wait_for_all(void *gate) {
  uv_sem_wait(gate);
}

/* 0, or a negative errno. */
static int try_threads(uv_thread_t *threads, unsigned count) {
  uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE,
                                 .stack_size = STACK_SIZE};
  uv_sem_t gate;
  unsigned started = 0;
  int status = uv_sem_init(&gate, 0);
  if (status != 0) {
    return status;
  }
  while (status == 0 && started < count) {
    status =
        uv_thread_create_ex(&threads[started], &options, wait_for_all, &gate);
    started += status == 0;
  }
  for (unsigned i = 0; i < started; i++) {
    uv_sem_post(&gate);
  }
  for (unsigned i = 0; i < started; i++) {
    uv_thread_join(&threads[i]);
  }
  uv_sem_destroy(&gate);
  return status;
}

void luge__threadpool_check(lua_State *L) {
  static atomic_bool succeeded;
  if (atomic_load_explicit(&succeeded, memory_order_relaxed)) {
    return;
  }
  unsigned count = size();
  uv_thread_t *threads = malloc(count * sizeof *threads);
  int status = threads != NULL ? try_threads(threads, count) : UV_ENOMEM;
  free(threads);
  if (status != 0) {
    luge__push_error(L, "limit", "cannot start threads: %s",
                     uv_strerror(status));
    lua_pushliteral(L, "threads");
    lua_setfield(L, -2, "what");
    lua_error(L);
  }
  atomic_store_explicit(&succeeded, true, memory_order_relaxed);
}
