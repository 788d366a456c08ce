/* What the tests of luge.h share. Each is one file that includes this once. */
#ifndef TESTS_EMBED_H
#define TESTS_EMBED_H

#include <luge.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <uv.h>

#include "../support/check.h"

/* How a started script ended. */
struct outcome {
  int calls;
  enum luge_status status;
  int results;
  lua_Integer number;
  char message[256];
};

static inline void on_done(luge_host *host, enum luge_status status,
                           lua_State *L, int results, void *data) {
  struct outcome *outcome = (struct outcome *)data;
  (void)host;
  outcome->calls++;
  outcome->status = status;
  outcome->results = results;
  if (results > 0 && lua_isinteger(L, -1)) {
    outcome->number = lua_tointeger(L, -1);
  } else if (results > 0) {
    snprintf(outcome->message, sizeof outcome->message, "%s",
             luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
  }
}

/* The last error that was reported, and how many there were. */
static struct {
  int count;
  char message[1024];
} reported;

static inline void on_error(luge_host *host, const char *message,
                            const char *traceback, void *user) {
  (void)host;
  (void)traceback;
  (void)user;
  reported.count++;
  snprintf(reported.message, sizeof reported.message, "%s", message);
}

static inline luge_host *open_host(uv_loop_t *loop) {
  luge_options options = {
      .size = sizeof options, .loop = loop, .on_error = on_error};
  luge_host *host = luge_open(&options);
  CHECK(host != NULL);
  return host;
}

static inline int run(luge_host *host, const char *code) {
  return luge_run_string(host, code, strlen(code), "=test", 0, NULL);
}

/* Runs a script in which nothing goes wrong. */
#define RUNS(host, code)                                                       \
  do {                                                                         \
    reported.message[0] = '\0';                                                \
    if (run(host, code) != LUGE_OK) {                                          \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, reported.message);    \
      failures++;                                                              \
    }                                                                          \
  } while (0)

static inline luge_task *start(luge_host *host, const char *code,
                               struct outcome *outcome) {
  memset(outcome, 0, sizeof *outcome);
  return luge_start_string(host, code, strlen(code), "=test", 0, NULL, on_done,
                           outcome);
}

/* Steps until no task lives, waiting on the host's descriptor. */
static inline void step_until_done(luge_host *host) {
  int alive;
  while ((alive = luge_step(host)) > 0) {
    struct pollfd fd = {.fd = luge_fd(host), .events = POLLIN};
    poll(&fd, 1, luge_timeout_ms(host));
  }
  CHECK(alive == 0);
}

#endif
