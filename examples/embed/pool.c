/* An asynchronous C function of a program's own: `primes(n)` counts the primes
 * below n on one of four threads, and the script awaits it like any other
 * function. Meanwhile other tasks run.
 *
 * The threads never touch Lua: they hand what they have computed to the host's
 * thread with luge_post, and there luge_resolve wakes the task.
 */
#include <luge.h>

#include <lauxlib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4 };

struct job {
  struct job *next;
  luge_pending *pending;
  atomic_int unwanted; /* its task was cancelled */
  long n, result;
};

/* The queue belongs to all threads, a job to the one that has it. */
static struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  struct job *first;
  int closing;
  luge_host *host;
} pool = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0, NULL};

static int is_prime(long i) {
  long divisor = 2;
  while (divisor * divisor <= i && i % divisor != 0) {
    divisor++;
  }
  return divisor * divisor > i;
}

/* On one of the threads. */
static void compute(struct job *job) {
  for (long i = 2; i < job->n && !atomic_load(&job->unwanted); i++) {
    job->result += is_prime(i);
  }
}

/* In the task: the results of `primes`. */
static int push_result(lua_State *L, void *data) {
  struct job *job = data;
  lua_pushinteger(L, job->result);
  free(job);
  return 1;
}

static int push_no_memory(lua_State *L, void *data) {
  (void)data;
  return luaL_error(L, "not enough memory");
}

/* On the host's thread. */
static void on_computed(luge_host *host, void *data) {
  struct job *job = data;
  (void)host;
  if (luge_resolve(job->pending, push_result, job) != LUGE_OK) {
    free(job); /* its task was cancelled */
  }
}

/* On the host's thread, too: the job is on its way all the same, and ends. */
static void on_cancelled(luge_pending *pending, void *data) {
  struct job *job = data;
  (void)pending;
  atomic_store(&job->unwanted, 1);
}

static struct job *take_job(void) {
  pthread_mutex_lock(&pool.mutex);
  while (pool.first == NULL && !pool.closing) {
    pthread_cond_wait(&pool.changed, &pool.mutex);
  }
  struct job *job = pool.first;
  if (job != NULL) {
    pool.first = job->next;
  }
  pthread_mutex_unlock(&pool.mutex);
  return job;
}

static void *work(void *unused) {
  struct job *job;
  (void)unused;
  while ((job = take_job()) != NULL) {
    compute(job);
    if (luge_post(pool.host, on_computed, job) != LUGE_OK) {
      free(job); /* the host is closed, and its waits with it */
    }
  }
  return NULL;
}

/* Check, own, start, wait. */
static int primes(lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  luaL_argcheck(L, n >= 0 && n <= 10000000, 1, "from 0 to ten million");
  luge_pending *pending = luge_wait_begin(L);
  struct job *job = malloc(sizeof *job);
  if (job == NULL) {
    luge_resolve(pending, push_no_memory, NULL);
    return luge_wait(L, pending, NULL, NULL);
  }
  *job = (struct job){.pending = pending, .n = (long)n};
  pthread_mutex_lock(&pool.mutex);
  job->next = pool.first;
  pool.first = job;
  pthread_cond_signal(&pool.changed);
  pthread_mutex_unlock(&pool.mutex);
  return luge_wait(L, pending, on_cancelled, job);
}

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  (void)host;
  (void)stream;
  (void)user;
  return fwrite(bytes, 1, length, stdout) == length ? 0 : -1;
}

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)traceback;
  (void)user;
  fprintf(stderr, "%s\n", message);
}

static const char script[] =
    "local luge = require 'luge'\n"
    "local counts = luge.map({ 10, 100, 1000, 100000 }, primes)\n"
    "print(table.concat(counts, ' ', 1, counts.n))\n"
    "print(pcall(luge.timeout, 0.001, primes, 10000000))\n";

int main(void) {
  luge_options options = {
      .size = sizeof options, .output = on_output, .on_error = on_error};
  pthread_t threads[THREADS];
  pool.host = luge_open(&options);
  if (pool.host == NULL) {
    return 1;
  }
  luge_retain(pool.host); /* for the threads */
  for (int i = 0; i < THREADS; i++) {
    pthread_create(&threads[i], NULL, work, NULL);
  }
  lua_register(luge_lua(pool.host), "primes", primes);
  int status =
      luge_run_string(pool.host, script, strlen(script), "=script", 0, NULL);
  luge_close(pool.host);
  pthread_mutex_lock(&pool.mutex);
  pool.closing = 1;
  pthread_cond_broadcast(&pool.changed);
  pthread_mutex_unlock(&pool.mutex);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
  luge_release(pool.host);
  return status;
}
