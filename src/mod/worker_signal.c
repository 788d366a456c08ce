/* Interrupting a worker that computes. A hook that looks at a flag every so
 * often slows tight loops down by half: where the host may handle signals, one
 * is sent to the worker's thread instead, and its handler sets the hook. It is
 * SIGURG, which nothing uses but sockets that ask for it, which is ignored by
 * default, and which debuggers pass on: what Go's runtime chose it for. The
 * handler is installed once, and stays.
 *
 * ThreadSanitizer holds signals back until its own code runs, so that a build
 * with it uses the hook. */
#include <signal.h>
#include <string.h>

#include "../core/host.h"
#include "../core/interrupt.h"
#include "worker.h"

#if defined(__SANITIZE_THREAD__)
#define LUGE_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LUGE_HAS_TSAN 1
#endif
#endif

/* The worker of the thread. It is touched before a signal may come: so that
 * the handler finds it allocated. */
static _Thread_local struct luge_worker *volatile here;

static void on_signal(int number) {
  (void)number;
  struct luge_worker *worker = here;
  if (worker != NULL && atomic_exchange(&worker->interrupting, false)) {
    luge__interrupt_next(worker->host);
  }
}

#ifndef LUGE_HAS_TSAN
static uv_once_t once = UV_ONCE_INIT;
static bool installed;

/* A handler of the embedder's own stays. */
static void install(void) {
  struct sigaction action, before;
  if (sigaction(SIGURG, NULL, &before) != 0 ||
      (before.sa_flags & SA_SIGINFO) != 0 ||
      (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)) {
    return;
  }
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  installed = sigaction(SIGURG, &action, NULL) == 0;
}
#endif

bool luge__worker_signal_use(const luge_options *options) {
#ifdef LUGE_HAS_TSAN
  (void)options;
  (void)on_signal;
  return false;
#else
  if (!options->signals) {
    return false;
  }
  uv_once(&once, install);
  return installed;
#endif
}

void luge__worker_signal_enter(struct luge_worker *worker) {
  here = worker;
}

void luge__worker_signal_leave(void) {
  here = NULL;
}

void luge__worker_signal_send(struct luge_worker *worker) {
  atomic_store(&worker->interrupting, true);
  pthread_kill(worker->thread, SIGURG);
}
