/* luge_interrupt: scripts that run and never wait, ended from other threads and
 * from signal handlers, whatever they have around them. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Each calls running(), and then never ends by itself. */
static const char *const runaways[] = {
    "running() while true do end",
    "running() while true do pcall(function() while true do end end) end",
    "running() while true do pcall(error) end",
    "local function f() while true do pcall(f) end end running() f()",
    "running() xpcall(function() while true do end end, function()\n"
    "  while true do end end)",
    "coroutine.wrap(function() running() while true do end end)()",
    "coroutine.wrap(function()\n"
    "  coroutine.wrap(function()\n"
    "    running() while true do pcall(function() while true do end end) end\n"
    "  end)()\n"
    "end)()",
    "local function f()\n"
    "  while true do pcall(coroutine.wrap(function() running()\n"
    "    while true do end end)) end\n"
    "end\n"
    "f()",
    "local luge = require 'luge'\n"
    "luge.await(luge.spawn(function() running() while true do end end))",
    "local luge = require 'luge'\n"
    "luge.shield(function() running() while true do end end)",
    "setmetatable({}, { __index = function() running()\n"
    "  while true do end end }).x()",
    "table.sort({ 3, 1, 2 }, function() running() while true do end end)",
    "local x <close> = setmetatable({}, { __close = function() running()\n"
    "  while true do end end })",
};

enum { RUNAWAYS = sizeof runaways / sizeof *runaways };

static atomic_bool is_running;

static int running(lua_State *L) {
  (void)L;
  atomic_store(&is_running, true);
  return 0;
}

static luge_host *the_host; /* for the signal handler */

static void on_signal(int number) {
  (void)number;
  luge_interrupt(the_host);
}

struct interrupter {
  luge_host *host;
  pthread_t target; /* who gets the signal */
  bool by_signal;
};

static void *interrupt_when_running(void *data) {
  const struct interrupter *self = data;
  while (!atomic_load(&is_running)) {
    uv_sleep(1);
  }
  if (self->by_signal) {
    pthread_kill(self->target, SIGUSR2);
  } else {
    CHECK(luge_interrupt(self->host) == LUGE_OK);
  }
  return NULL;
}

static int run_interrupted(luge_host *host, const char *code, bool by_signal) {
  struct interrupter interrupter = {host, pthread_self(), by_signal};
  pthread_t thread;
  atomic_store(&is_running, false);
  the_host = host;
  pthread_create(&thread, NULL, interrupt_when_running, &interrupter);
  int status = run(host, code);
  pthread_join(thread, NULL);
  return status;
}

static luge_host *open_with(bool interruptible) {
  luge_options options = {.size = sizeof options,
                          .interruptible = interruptible,
                          .on_error = on_error};
  luge_host *host = luge_open(&options);
  lua_register(luge_lua(host), "running", running);
  return host;
}

static void test_runaways(bool by_signal) {
  luge_host *host = open_with(!by_signal);
  for (int i = 0; i < RUNAWAYS; i++) {
    int status = run_interrupted(host, runaways[i], by_signal);
    if (status != LUGE_CANCELLED && status != LUGE_ERROR) {
      fprintf(stderr, "runaway %d %s: status %d\n", i,
              by_signal ? "by signal" : "by thread", status);
      failures++;
    }
    RUNS(host, "local luge = require 'luge' luge.sleep(0) "
               "assert(pcall(error) == false)");
  }
  CHECK(luge_close(host) == LUGE_OK);
}

/* What the error says, and that handlers still run, for a while. */
static void test_error(void) {
  luge_host *host = open_with(true);
  CHECK(run_interrupted(host,
                        "local x <close> = setmetatable({}, { __close =\n"
                        "  function(_, e) closed_with = e end })\n"
                        "running() while true do pcall(error) end",
                        false) == LUGE_CANCELLED);
  RUNS(host, "local luge = require 'luge'\n"
             "assert(luge.is_error(closed_with, 'cancelled'))\n"
             "assert(closed_with.reason == 'interrupted')");
  CHECK(luge_close(host) == LUGE_OK);
}

/* Only the task that runs is ended; the others of a stepped host go on. */
static void test_others_go_on(void) {
  luge_host *host = open_with(true);
  struct interrupter interrupter = {host, pthread_self(), false};
  struct outcome other, runaway;
  pthread_t thread;
  atomic_store(&is_running, false);
  start(host, "require('luge').sleep(0.02) return 42", &other);
  luge_step(host);
  start(host, runaways[1], &runaway);
  pthread_create(&thread, NULL, interrupt_when_running, &interrupter);
  step_until_done(host);
  pthread_join(thread, NULL);
  CHECK(runaway.calls == 1 && runaway.status == LUGE_CANCELLED);
  CHECK(other.calls == 1 && other.number == 42);
  CHECK(luge_close(host) == LUGE_OK);
}

/* Where nothing runs: from the own thread nothing happens, from another it is
 * the next that runs. */

static void *interrupt(void *host) {
  CHECK(luge_interrupt(host) == LUGE_OK);
  return NULL;
}

static void *interrupt_in_vain(void *host) {
  CHECK(luge_interrupt(host) == LUGE_INVALID);
  return NULL;
}

static void in_thread(void *(*fn)(void *), luge_host *host) {
  pthread_t thread;
  pthread_create(&thread, NULL, fn, host);
  pthread_join(thread, NULL);
}

static void test_nothing_runs(void) {
  luge_host *host = open_with(true);
  CHECK(luge_interrupt(host) == LUGE_OK);
  RUNS(host, "for i = 1, 100000 do end");
  in_thread(interrupt, host);
  CHECK(run(host, "while true do end") == LUGE_CANCELLED);
  RUNS(host, "for i = 1, 100000 do end");
  CHECK(luge_close(host) == LUGE_OK);
  host = open_with(false);
  in_thread(interrupt_in_vain, host);
  RUNS(host, "for i = 1, 100000 do end");
  CHECK(luge_close(host) == LUGE_OK);
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGUSR2, &action, NULL);
  test_runaways(false);
/* ThreadSanitizer holds signals back until a call to libc. */
#if !defined(__SANITIZE_THREAD__)
  test_runaways(true);
#endif
  test_error();
  test_others_go_on();
  test_nothing_runs();
  return verdict();
}
