/* The resolver, with a getaddrinfo of the test's own: what never reaches it,
 * one look-up for all who ask, answers kept, look-ups that hang, given up and
 * left behind at close, and a system without threads. */
#include "net/resolver.h"

#include <dlfcn.h>
#include <luge.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/addresses.h"
#include "../support/check.h"
#include "core/host.h"
#include "core/sched.h"

/* The system's side. */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int asked, hanging, threads;
static bool released, no_threads;

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **list) {
  (void)service;
  (void)hints;
  pthread_mutex_lock(&mutex);
  asked++;
  if (strncmp(name, "hang", 4) == 0) {
    hanging++;
    pthread_cond_broadcast(&changed);
    while (!released) {
      pthread_cond_wait(&changed, &mutex);
    }
    hanging--;
    pthread_cond_broadcast(&changed);
  }
  pthread_mutex_unlock(&mutex);
  if (strncmp(name, "missing", 7) == 0) {
    return EAI_NONAME;
  }
  *list =
      make_info("10.0.0.1", make_info("10.0.0.2", make_info("10.0.0.1", NULL)));
  return 0;
}

struct thread {
  void *(*run)(void *);
  void *data;
};

static void add(int *number, int count) {
  pthread_mutex_lock(&mutex);
  *number += count;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void *run_thread(void *data) {
  struct thread thread = *(struct thread *)data;
  free(data);
  void *result = thread.run(thread.data);
  add(&threads, -1);
  return result;
}

int pthread_create(pthread_t *id, const pthread_attr_t *attributes,
                   void *(*run)(void *), void *data) {
  int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  void *symbol = dlsym(RTLD_NEXT, "pthread_create");
  memcpy(&real, &symbol, sizeof real);
  struct thread *thread = malloc(sizeof *thread);
  if (no_threads || thread == NULL) {
    free(thread);
    return EAGAIN;
  }
  *thread = (struct thread){run, data};
  add(&threads, 1);
  return real(id, attributes, run_thread, thread);
}

static int count_asked(void) {
  pthread_mutex_lock(&mutex);
  int count = asked;
  pthread_mutex_unlock(&mutex);
  return count;
}

static void wait_hanging(int count) {
  pthread_mutex_lock(&mutex);
  while (hanging < count) {
    pthread_cond_wait(&changed, &mutex);
  }
  pthread_mutex_unlock(&mutex);
}

/* Threads that were left behind free what they had: no leak is to be found. */
static void wait_threads(void) {
  pthread_mutex_lock(&mutex);
  while (threads > 0) {
    pthread_cond_wait(&changed, &mutex);
  }
  pthread_mutex_unlock(&mutex);
}

static void release(void) {
  pthread_mutex_lock(&mutex);
  released = true;
  pthread_cond_broadcast(&changed);
  while (hanging > 0) {
    pthread_cond_wait(&changed, &mutex);
  }
  released = false;
  pthread_mutex_unlock(&mutex);
}

/* Ours. */

static int told;

static void on_done(struct luge_query *query) {
  (void)query;
  told++;
}

static enum luge_resolve ask(luge_host *host, struct luge_query *query,
                             const char *name) {
  return luge__resolve(host, query, name, strlen(name), on_done);
}

/* Lets the loop go on until so many have been told. */
static void wait_told(luge_host *host, int count) {
  luge__ref(host);
  while (told < count) {
    uv_run(host->loop, UV_RUN_ONCE);
  }
  luge__unref(host);
}

static bool is_first(const struct luge_query *query, const char *text) {
  char buffer[LUGE_ADDRESS_TEXT];
  return query->status == LUGE_RESOLVE_OK &&
         strcmp(luge__address_format(&query->answer->addresses[0], buffer),
                text) == 0;
}

static void test_at_once(luge_host *host) {
  struct luge_query query;
  EXPECT(ask(host, &query, "0x7f.1") == LUGE_RESOLVE_OK &&
             is_first(&query, "127.0.0.1"),
         "an address is its own answer");
  luge__resolve_end(&query);
  EXPECT(ask(host, &query, "[::1]") == LUGE_RESOLVE_OK &&
             is_first(&query, "::1"),
         "IPv6 too");
  luge__resolve_end(&query);
  EXPECT(ask(host, &query, "A.LocalHost.") == LUGE_RESOLVE_OK &&
             is_first(&query, "127.0.0.1") && query.answer->count == 2,
         "localhost is this machine");
  luge__resolve_end(&query);
  luge__resolve_end(&query); /* again is harmless */
  static const char *const bad[] = {
      "", ".", "a..b", "a b", "1.2.3.4.5", "256.1.1.1", "a.0x7f", "b\xc3\xbc"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    EXPECT(ask(host, &query, bad[i]) == LUGE_RESOLVE_INVALID &&
               query.problem != NULL,
           "%s", bad[i]);
  }
  EXPECT(luge__resolve(host, &query, "a\0b", 3, on_done) ==
             LUGE_RESOLVE_INVALID,
         "a NUL is invalid");
  EXPECT(count_asked() == 0 && told == 0, "none of that is looked up");
}

static uint64_t now_ns = 1;

static uint64_t read_clock(void *data) {
  (void)data;
  return now_ns;
}

static void test_shared(luge_host *host) {
  struct luge_query queries[3];
  struct luge_clock clock = {.now = read_clock};
  luge__clock_set(host, &clock);
  told = 0;
  int before = count_asked();
  EXPECT(ask(host, &queries[0], "one") == LUGE_RESOLVE_PENDING &&
             ask(host, &queries[1], "ONE") == LUGE_RESOLVE_PENDING &&
             ask(host, &queries[2], "one") == LUGE_RESOLVE_PENDING,
         "a name is looked up");
  luge__resolve_end(&queries[1]);
  wait_told(host, 2);
  EXPECT(count_asked() == before + 1, "one look-up for all who ask");
  EXPECT(is_first(&queries[0], "10.0.0.1") && is_first(&queries[2], "10.0.0.1"),
         "all get its answer");
  EXPECT(queries[0].answer->count == 2, "each address once");
  EXPECT(ask(host, &queries[1], "one") == LUGE_RESOLVE_OK, "it is kept");
  for (int i = 0; i < 3; i++) {
    luge__resolve_end(&queries[i]);
  }
  now_ns += 61000000000;
  EXPECT(ask(host, &queries[0], "one") == LUGE_RESOLVE_PENDING, "for a minute");
  wait_told(host, 3);
  luge__resolve_end(&queries[0]);
  for (int i = 0; i < 2; i++) {
    EXPECT(ask(host, &queries[0], "missing") == LUGE_RESOLVE_PENDING,
           "a failure is not kept");
    wait_told(host, 4 + i);
    EXPECT(queries[0].status == LUGE_RESOLVE_FAILED, "it has no address");
  }
  luge__clock_set(host, NULL);
}

/* One that starts and ends others while it is told. */
static struct luge_query first, second, third;
static luge_host *chaining;

static void on_chain(struct luge_query *query) {
  told++;
  if (query == &first) {
    luge__resolve_end(&second);
    EXPECT(luge__resolve(chaining, &third, "chain", 5, on_chain) ==
               LUGE_RESOLVE_OK,
           "the answer is there for whoever asks meanwhile");
  }
}

static void test_chain(luge_host *host) {
  chaining = host;
  told = 0;
  luge__resolve(host, &first, "chain", 5, on_chain);
  luge__resolve(host, &second, "chain", 5, on_chain);
  wait_told(host, 1);
  EXPECT(told == 1 && second.answer == NULL, "who has left is not told");
  luge__resolve_end(&first);
  luge__resolve_end(&third);
}

static void test_hanging(luge_host *host) {
  enum { COUNT = 100 };
  static struct luge_query queries[COUNT];
  struct luge_query query;
  char name[16];
  told = 0;
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "hang%d", i);
    ask(host, &queries[i], name);
  }
  EXPECT(ask(host, &query, "after") == LUGE_RESOLVE_PENDING, "it waits");
  wait_hanging(8);
  int before = count_asked();
  for (int i = 0; i < COUNT; i++) {
    luge__resolve_end(&queries[i]);
  }
  wait_told(host, 1);
  EXPECT(is_first(&query, "10.0.0.1"),
         "those that nobody waits for do not keep others from a thread");
  EXPECT(count_asked() < before + COUNT,
         "and are not looked up, unless they have begun");
  luge__resolve_end(&query);
  EXPECT(ask(host, &query, "hang0") == LUGE_RESOLVE_PENDING,
         "one that hangs is asked for again");
  release();
  wait_told(host, 2);
  EXPECT(is_first(&query, "10.0.0.1"), "and told when it ends");
  luge__resolve_end(&query);
}

static void test_no_threads(void) {
  luge_host *host = luge_open(NULL);
  struct luge_query query;
  no_threads = true;
  EXPECT(ask(host, &query, "name") == LUGE_RESOLVE_THREADS,
         "without threads it fails");
  no_threads = false;
  told = 0;
  EXPECT(ask(host, &query, "name") == LUGE_RESOLVE_PENDING,
         "until there is one");
  wait_told(host, 1);
  luge__resolve_end(&query);
  luge_close(host);
}

/* The queries' memory is gone when their look-ups return. */
static void test_left_behind(void) {
  luge_host *host = luge_open(NULL);
  struct luge_query *query = malloc(3 * sizeof *query);
  EXPECT(ask(host, &query[0], "hang-a") == LUGE_RESOLVE_PENDING &&
             ask(host, &query[1], "hang-b") == LUGE_RESOLVE_PENDING &&
             ask(host, &query[2], "quick") == LUGE_RESOLVE_PENDING,
         "three are looked up");
  luge__resolve_end(&query[1]);
  wait_hanging(2);
  luge_close(host);
  luge__resolve_end(&query[0]);
  free(query);
  release();
}

int main(void) {
  luge_host *host = luge_open(NULL);
  test_at_once(host);
  test_shared(host);
  test_chain(host);
  test_hanging(host);
  luge_close(host);
  test_no_threads();
  test_left_behind();
  wait_threads();
  return verdict();
}
