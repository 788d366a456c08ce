/* A program that loads luge as a part of a plugin, and unloads it while a name
 * is still being looked up, for which nobody waits any more: the thread that
 * does so finds its code when the answer comes. argv[1] is the library. The
 * getaddrinfo below stands before the system's. */
#include <dlfcn.h>
#include <luge.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "../support/check.h"

static sem_t begun, answered, ended;
static pthread_key_t key;

static void on_thread_end(void *data) {
  (void)data;
  sem_post(&ended);
}

__attribute__((visibility("default"))) int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
            struct addrinfo **list) {
  (void)name;
  (void)service;
  (void)hints;
  (void)list;
  pthread_setspecific(key, &key);
  sem_post(&begun);
  sem_wait(&answered);
  return EAI_NONAME;
}

static void find(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  CHECK(symbol != NULL);
  memcpy(function, &symbol, sizeof symbol);
}

/* Closes the host while the name is looked up. */
static void use(void *library) {
  static const char code[] = "require('luge.net').lookup('name.example')";
  luge_host *(*open)(const luge_options *);
  luge_task *(*start)(luge_host *, const char *, size_t, const char *, int,
                      const char *const *, luge_done_fn, void *);
  int (*step)(luge_host *), (*close)(luge_host *);
  find(library, "luge_open", &open);
  find(library, "luge_start_string", &start);
  find(library, "luge_step", &step);
  find(library, "luge_close", &close);
  luge_host *host = open(NULL);
  CHECK(host != NULL);
  CHECK(start(host, code, sizeof code - 1, NULL, 0, NULL, NULL, NULL) != NULL);
  CHECK(step(host) == 1);
  sem_wait(&begun);
  CHECK(close(host) == LUGE_OK);
}

int main(int argc, char **argv) {
  void *library = dlopen(argc == 2 ? argv[1] : "", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return EXIT_FAILURE;
  }
  sem_init(&begun, 0, 0);
  sem_init(&answered, 0, 0);
  sem_init(&ended, 0, 0);
  pthread_key_create(&key, on_thread_end);
  use(library);
  CHECK(dlclose(library) == 0);
  sem_post(&answered);
  sem_wait(&ended);
  return verdict();
}
