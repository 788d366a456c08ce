/* luge.h as an embedder sees it: starting, stepping, borrowed loops,
 * asynchronous C functions, other threads, closing in the middle. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

#include <pthread.h>

static void test_stepping(void) {
  luge_host *host = open_host(NULL);
  struct outcome sum, failed, cancelled;
  CHECK(start(host, "local luge = require 'luge' luge.sleep(0.01) return 1, 42",
              &sum) != NULL);
  CHECK(start(host, "error('boom')", &failed) != NULL);
  luge_task *task = start(host, "require('luge').sleep(1000)", &cancelled);
  CHECK(luge_step(host) == 1);
  luge_task_cancel(task, "enough");
  step_until_done(host);
  CHECK(sum.calls == 1 && sum.status == LUGE_OK && sum.number == 42);
  CHECK(failed.calls == 1 && failed.status == LUGE_ERROR);
  CHECK(strstr(failed.message, "boom") != NULL);
  CHECK(cancelled.calls == 1 && cancelled.status == LUGE_CANCELLED);
  CHECK(strstr(cancelled.message, "enough") != NULL);
  CHECK(reported.count == 0);
  CHECK(start(host, "this does not parse", &failed) == NULL);
  CHECK(reported.count == 1 && failed.calls == 0);
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_borrowed_loop(void) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  luge_host *a = open_host(&loop), *b = open_host(&loop);
  struct outcome x, y;
  const char *code = "local luge = require 'luge'\n"
                     "local t = luge.spawn(function() luge.sleep(0.01) return "
                     "7 end) return luge.await(t)";
  start(a, code, &x);
  start(b, code, &y);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(x.calls == 1 && x.number == 7);
  CHECK(y.calls == 1 && y.number == 7);
  CHECK(run(a, "require('luge').sleep(0.001)") == LUGE_OK);
  start(b, "require('luge').sleep(1000)", &y);
  uv_run(&loop, UV_RUN_NOWAIT);
  CHECK(luge_close(b) == LUGE_OK);
  CHECK(y.calls == 1 && y.status == LUGE_CANCELLED);
  CHECK(luge_close(a) == LUGE_OK);
  CHECK(uv_loop_close(&loop) == 0);
}

/* Asynchronous C functions. */

static luge_pending *kept;
static int cancels;

static int push_42(lua_State *L, void *data) {
  (void)data;
  lua_pushinteger(L, 42);
  return 1;
}

static int push_failure(lua_State *L, void *data) {
  return luaL_error(L, "%s", (const char *)data);
}

static int at_once(lua_State *L) {
  luge_pending *pending = luge_wait_begin(L);
  luge_resolve(pending, push_42, NULL);
  return luge_wait(L, pending, NULL, NULL);
}

static void on_cancel(luge_pending *pending, void *data) {
  (void)pending;
  (void)data;
  cancels++;
}

static int later(lua_State *L) {
  kept = luge_wait_begin(L);
  return luge_wait(L, kept, on_cancel, NULL);
}

static void on_posted(luge_host *host, void *data) {
  (void)host;
  CHECK(luge_resolve(data, push_42, NULL) == LUGE_OK);
}

static void *thread_main(void *data) {
  luge_host *host = data;
  CHECK(luge_resolve(kept, push_42, NULL) == LUGE_INVALID);
  CHECK(luge_post(host, on_posted, kept) == LUGE_OK);
  return NULL;
}

static int from_thread(lua_State *L) {
  pthread_t thread;
  luge_host *host = lua_touserdata(L, lua_upvalueindex(1));
  kept = luge_wait_begin(L);
  pthread_create(&thread, NULL, thread_main, host);
  pthread_detach(thread);
  return luge_wait(L, kept, NULL, NULL);
}

static int fails(lua_State *L) {
  luge_pending *pending = luge_wait_begin(L);
  luge_resolve(pending, push_failure, (void *)"no luck");
  return luge_wait(L, pending, NULL, NULL);
}

static void square(void *data) {
  *(lua_Integer *)data *= *(lua_Integer *)data;
}

static int push_square(lua_State *L, void *data) {
  lua_Integer result = *(lua_Integer *)data;
  free(data);
  lua_pushinteger(L, result);
  return 1;
}

static int offloaded(lua_State *L) {
  lua_Integer number = luaL_checkinteger(L, 1);
  lua_Integer *data = malloc(sizeof *data);
  *data = number;
  return luge_offload(L, square, push_square, free, data);
}

static void register_functions(luge_host *host) {
  lua_State *L = luge_lua(host);
  lua_register(L, "at_once", at_once);
  lua_register(L, "later", later);
  lua_register(L, "fails", fails);
  lua_register(L, "offloaded", offloaded);
  lua_pushlightuserdata(L, host);
  lua_pushcclosure(L, from_thread, 1);
  lua_setglobal(L, "from_thread");
}

static void test_async_functions(void) {
  luge_host *host = open_host(NULL);
  struct outcome outcome;
  register_functions(host);
  CHECK(run(host, "assert(at_once() == 42)") == LUGE_OK);
  CHECK(run(host, "assert(from_thread() == 42)") == LUGE_OK);
  CHECK(run(host, "assert(offloaded(7) == 49)") == LUGE_OK);
  CHECK(run(host, "local ok, e = pcall(fails) assert(not ok and "
                  "e:find('no luck'))") == LUGE_OK);
  CHECK(run(host,
            "local luge = require 'luge' local n = 0 for i = 1, 100 do "
            "luge.spawn(function() local s = offloaded(i) n = n + s end) end "
            "repeat luge.sleep(0.001) until n == 338350") == LUGE_OK);
  luge_task *task = start(host, "return later()", &outcome);
  luge_step(host);
  luge_task_cancel(task, "enough");
  step_until_done(host);
  CHECK(outcome.status == LUGE_CANCELLED && cancels == 1);
  CHECK(luge_resolve(kept, push_42, NULL) == LUGE_CANCELLED);
  task = start(host, "return later()", &outcome);
  luge_step(host);
  CHECK(luge_resolve(kept, push_42, NULL) == LUGE_OK);
  step_until_done(host);
  CHECK(outcome.status == LUGE_OK && outcome.number == 42);
  start(host, "return later()", &outcome); /* never */
  luge_step(host);
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(outcome.status == LUGE_CANCELLED && cancels == 2);
}

/* Closing. */

static int close_host(lua_State *L) {
  luge_host *host = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushinteger(L, luge_close(host));
  return 1;
}

static void test_close(void) {
  luge_host *host = open_host(NULL);
  struct outcome outcome;
  register_functions(host);
  lua_State *L = luge_lua(host);
  lua_pushlightuserdata(L, host);
  lua_pushcclosure(L, close_host, 1);
  lua_setglobal(L, "close_host");
  CHECK(run(host, "assert(close_host() == 2)") == LUGE_OK);
  start(host,
        "local luge = require 'luge'\n"
        "for i = 1, 1000 do luge.spawn(luge.sleep, 100) end\n"
        "for i = 1, 100 do luge.spawn(offloaded, i) end\n"
        "for i = 1, 100 do luge.spawn(later) end\n"
        "local x <close> = setmetatable({}, { __close = function() closed = "
        "true end })\nluge.sleep(100)",
        &outcome);
  luge_step(host);
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(outcome.calls == 1 && outcome.status == LUGE_CANCELLED);
  CHECK(luge_close(NULL) == LUGE_INVALID);
}

static void test_many_hosts(void) {
  for (int i = 0; i < 100; i++) {
    luge_host *host = open_host(NULL);
    CHECK(run(host, "require('luge').sleep(0)") == LUGE_OK);
    CHECK(luge_close(host) == LUGE_OK);
  }
}

static void test_bad_options(void) {
  luge_options options = {.size = sizeof options + 8};
  CHECK(luge_open(&options) == NULL);
  luge_host *host = luge_open(NULL);
  CHECK(host != NULL);
  CHECK(luge_run_string(host, NULL, 0, NULL, 0, NULL) == LUGE_INVALID);
  CHECK(luge_run_string(NULL, "", 0, NULL, 0, NULL) == LUGE_INVALID);
  CHECK(luge_step(NULL) < 0);
  CHECK(luge_close(host) == LUGE_OK);
}

int main(void) {
  test_stepping();
  test_borrowed_loop();
  test_async_functions();
  test_close();
  test_many_hosts();
  test_bad_options();
  return verdict();
}
