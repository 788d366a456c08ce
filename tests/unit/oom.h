/* Out of memory, at any moment: in each scenario the k-th allocation fails, for
 * every k. Only that one; or it and the next nine, so that what is tried again,
 * or done about the failure, fails too; or all from then on. The script ends
 * with an error or is refused, nothing leaks, and with memory back the next
 * script runs. The fast tier takes every STEP-th k; LUGE_OOM_ALL=1 takes all,
 * LUGE_OOM_ONLY=N the N-th scenario. */
#ifndef TESTS_OOM_H
#define TESTS_OOM_H

#include <luge.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/failing_memory.h"

/* Uses the host; what it returns does not count. NULL: runs `code`. */
struct scenario {
  const char *code;
  void (*use)(luge_host *host, const char *code);
};

static const struct mode {
  const char *name;
  long failures;
} modes[] = {{"alone", 1}, {"and the next nine", 10}, {"for ever", -1}};

static struct {
  int scenario;
  long k;
  const struct mode *mode;
  int bad;
} now;

static inline void complain(const char *what) {
  fprintf(stderr, "scenario %d, allocation %ld failing %s: %s\n", now.scenario,
          now.k, now.mode->name, what);
  now.bad++;
}

static inline void on_alarm(int number) {
  (void)number;
  complain("hangs");
  _exit(EXIT_FAILURE);
}

static inline int run(luge_host *host, const char *code) {
  return luge_run_string(host, code, strlen(code), "=oom", 0, NULL);
}

/* Whether the k-th allocation was reached. */
static inline bool try_one(const struct scenario *scenario) {
  struct memory memory = {.left = now.k, .failures = now.mode->failures};
  luge_options options = {
      .size = sizeof options, .alloc = allocate, .alloc_data = &memory};
  alarm(60);
  luge_host *host = luge_open(&options);
  if (host != NULL) {
    if (scenario->use != NULL) {
      scenario->use(host, scenario->code);
    } else {
      run(host, scenario->code);
    }
    memory.left = -1;
    if (run(host, "local t = {} for i = 1, 9 do t[i] = i end") != LUGE_OK) {
      complain("the next script does not run");
    }
    if (luge_close(host) != LUGE_OK) {
      complain("the host does not close");
    }
  }
  if (memory.live != 0) {
    complain("memory leaks");
  }
  return memory.failed;
}

static inline int try_all(const struct scenario *scenarios, int count,
                          long step) {
  const char *only = getenv("LUGE_OOM_ONLY");
  long tried = 0;
  step = getenv("LUGE_OOM_ALL") != NULL ? 1 : step;
  signal(SIGALRM, on_alarm);
  signal(SIGPIPE, SIG_IGN);
  for (now.scenario = 0; now.scenario < count; now.scenario++) {
    if (only != NULL && atoi(only) != now.scenario) {
      continue;
    }
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
      now.mode = &modes[i];
      now.k = now.scenario % step;
      while (try_one(&scenarios[now.scenario])) {
        now.k += step;
        tried++;
      }
    }
  }
  printf("%ld injections, %d bad\n", tried, now.bad);
  return now.bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
