/* luge.signal in a host that is embedded: only where its options allow it, and
 * whoever handled a signal before does so again afterwards. */
#define _GNU_SOURCE 1

#include <luge.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "../support/check.h"

static volatile sig_atomic_t seen;

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)traceback;
  (void)user;
  fprintf(stderr, "%s\n", message);
}

static luge_host *open_host(uv_loop_t *loop, int signals) {
  luge_options options = {.size = sizeof options,
                          .loop = loop,
                          .signals = signals,
                          .on_error = on_error};
  return luge_open(&options);
}

static int run(luge_host *host, const char *code) {
  return luge_run_string(host, code, strlen(code), "=test", 0, NULL);
}

static void on_usr2(int number) {
  (void)number;
  seen++;
}

static int raise_usr2(lua_State *L) {
  (void)L;
  raise(SIGUSR2);
  return 0;
}

static void offer_raise(luge_host *host) {
  lua_pushcfunction(luge_lua(host), raise_usr2);
  lua_setglobal(luge_lua(host), "raise_usr2");
}

static void test_permission(void) {
  luge_host *host = open_host(NULL, 0);
  CHECK(run(host, "local luge = require 'luge'\n"
                  "local ok, err = pcall(luge.signal, 'USR2')\n"
                  "assert(luge.is_error(err, 'permission'), err)\n"
                  "assert(err.capability == 'signal')") == LUGE_OK);
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_handler_comes_back(void) {
  luge_host *host = open_host(NULL, 1);
  offer_raise(host);
  seen = 0;
  CHECK(run(host, "local luge = require 'luge'\n"
                  "local a, b = luge.signal 'USR2', luge.signal 'USR2'\n"
                  "raise_usr2()\n"
                  "assert(a:next() and b:next())\n"
                  "a:close()\n"
                  "raise_usr2()\n"
                  "assert(b:next())\n"
                  "b:close()\n"
                  "raise_usr2()") == LUGE_OK);
  CHECK(seen == 1);
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_close_while_watching(void) {
  uv_loop_t loop;
  CHECK(uv_loop_init(&loop) == 0);
  luge_host *host = open_host(&loop, 1);
  const char *code = "local s = require('luge').signal 'USR2'\n"
                     "s:next()";
  CHECK(luge_start_string(host, code, strlen(code), "=test", 0, NULL, NULL,
                          NULL) != NULL);
  luge_step(host);
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(uv_loop_close(&loop) == 0);
  seen = 0;
  raise(SIGUSR2);
  CHECK(seen == 1);
}

int main(void) {
  signal(SIGUSR2, on_usr2);
  test_permission();
  test_handler_comes_back();
  test_close_while_watching();
  return verdict();
}
