/* Bad input: options that are none, closed hosts, other threads, calls from
 * inside the callbacks. All of it is refused, and the host goes on. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

#include <fcntl.h>
#include <lualib.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

/* Calls everything that takes a host, where nothing of it is allowed. */
static void check_refused(luge_host *host) {
  struct luge_usage usage = {.size = sizeof usage};
  CHECK(luge_run_string(host, "", 0, NULL, 0, NULL) == LUGE_INVALID);
  CHECK(luge_run_file(host, "x", 0, NULL) == LUGE_INVALID);
  CHECK(luge_run_function(host, 0, 0) == LUGE_INVALID);
  CHECK(luge_start_string(host, "", 0, NULL, 0, NULL, NULL, NULL) == NULL);
  CHECK(luge_start_file(host, "x", 0, NULL, NULL, NULL) == NULL);
  CHECK(luge_start_function(host, 0, NULL, NULL) == NULL);
  CHECK(luge_failed(host) == -LUGE_INVALID);
  CHECK(luge_exit_code(host) == 0);
  CHECK(luge_cancel(host, NULL) == LUGE_INVALID);
  CHECK(luge_interrupt(host) == LUGE_INVALID);
  CHECK(luge_fd(host) == -1);
  CHECK(luge_timeout_ms(host) == 0);
  CHECK(luge_step(host) == -LUGE_INVALID);
  CHECK(luge_output_ready(host, LUGE_STDOUT) == LUGE_INVALID);
  CHECK(luge_usage(host, &usage) == LUGE_INVALID);
  CHECK(luge_register(host, "x", luaopen_base) == LUGE_INVALID);
  CHECK(luge_preload(host, "x", "", 0) == LUGE_INVALID);
  CHECK(luge_loop(host) == NULL && luge_lua(host) == NULL);
  CHECK(luge_close(host) == LUGE_INVALID);
}

static void on_line(const char *line, void *user) {
  (void)line;
  (void)user;
}

static void on_post(luge_host *host, void *data) {
  (void)host;
  ++*(int *)data;
}

/* The first host of the process, where libuv would abort for want of a pipe. */
static void test_no_descriptors(void) {
  enum { MANY = 32, SPARE = 8 };
  struct rlimit limit, few = {.rlim_cur = MANY};
  int fds[MANY], count = 0, fd;
  getrlimit(RLIMIT_NOFILE, &limit);
  few.rlim_max = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &few);
  while (count < MANY && (fd = open("/dev/null", O_RDONLY)) >= 0) {
    fds[count++] = fd;
  }
  for (int i = 0; i < SPARE && count > 0; i++) {
    luge_host *host = luge_open(NULL);
    CHECK(i > 0 || host == NULL);
    CHECK(host == NULL || luge_close(host) == LUGE_OK);
    close(fds[--count]);
  }
  while (count > 0) {
    close(fds[--count]);
  }
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void test_null(void) {
  int posts = 0;
  check_refused(NULL);
  CHECK(luge_describe_tasks(NULL, on_line, NULL) == LUGE_INVALID);
  CHECK(luge_post(NULL, on_post, &posts) == LUGE_INVALID);
  CHECK(luge_task_cancel(NULL, "x") == LUGE_INVALID);
  CHECK(luge_resolve(NULL, NULL, NULL) == LUGE_INVALID);
  luge_retain(NULL);
  luge_release(NULL);
}

/* The struct of an older header is a beginning of today's. */
static void test_options(void) {
  luge_options zeroed, older, newer;
  memset(&zeroed, 0, sizeof zeroed);
  CHECK(luge_open(&zeroed) == NULL);
  memset(&older, 0xff, sizeof older);
  older.size = offsetof(luge_options, memory_limit);
  older.loop = NULL;
  luge_host *host = luge_open(&older);
  RUNS(host, "print 'x'");
  CHECK(luge_close(host) == LUGE_OK);
  memset(&newer, 0, sizeof newer);
  newer.size = sizeof newer + sizeof(void *);
  CHECK(luge_open(&newer) == NULL);
  zeroed.size = sizeof zeroed;
  host = luge_open(&zeroed);
  CHECK(run(host, "print 'x' error 'nobody is told'") == LUGE_ERROR);
  CHECK(luge_failed(host) == 1);
  CHECK(luge_close(host) == LUGE_OK);
  host = luge_open(NULL);
  RUNS(host, "io.write 'x' require('luge.log').info 'y'");
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_arguments(void) {
  static const char *const one[] = {"a", NULL};
  luge_host *host = open_host(NULL);
  int posts = 0;
  CHECK(luge_run_string(host, NULL, 0, NULL, 0, NULL) == LUGE_INVALID);
  CHECK(luge_run_string(host, "", 0, NULL, -1, NULL) == LUGE_INVALID);
  CHECK(luge_run_string(host, "", 0, NULL, 1, NULL) == LUGE_INVALID);
  CHECK(luge_run_string(host, "", 0, NULL, 2, one) == LUGE_INVALID);
  CHECK(luge_start_string(host, "", 0, NULL, 2, one, NULL, NULL) == NULL);
  CHECK(luge_start_string(host, NULL, 0, NULL, 0, NULL, NULL, NULL) == NULL);
  CHECK(luge_run_function(host, 0, 0) == LUGE_INVALID);
  lua_pushinteger(luge_lua(host), 1);
  CHECK(luge_run_function(host, 0, 0) == LUGE_INVALID);
  CHECK(luge_run_function(host, 1, 0) == LUGE_INVALID);
  CHECK(luge_run_function(host, -1, 0) == LUGE_INVALID);
  CHECK(luge_start_function(host, 0, NULL, NULL) == NULL);
  lua_pushcfunction(luge_lua(host), luaopen_base);
  CHECK(luge_run_function(host, 0, -2) == LUGE_INVALID);
  CHECK(luge_run_function(host, 1, 0) == LUGE_INVALID);
  CHECK(lua_gettop(luge_lua(host)) == 2);
  CHECK(luge_run_file(host, "/nonexistent", 0, NULL) == LUGE_ERROR);
  CHECK(luge_register(host, NULL, luaopen_base) == LUGE_INVALID);
  CHECK(luge_register(host, "x", NULL) == LUGE_INVALID);
  CHECK(luge_preload(host, NULL, "", 0) == LUGE_INVALID);
  CHECK(luge_preload(host, "x", NULL, 0) == LUGE_INVALID);
  CHECK(luge_post(host, NULL, NULL) == LUGE_INVALID);
  CHECK(luge_describe_tasks(host, NULL, NULL) == LUGE_INVALID);
  CHECK(luge_output_ready(host, (enum luge_stream)7) == LUGE_INVALID);
  CHECK(luge_run_string(host, LUA_SIGNATURE, 4, NULL, 0, NULL) == LUGE_ERROR);
  RUNS(host, "return 1");
  CHECK(luge_post(host, on_post, &posts) == LUGE_OK);
  CHECK(luge_close(host) == LUGE_OK && posts == 1);
}

/* Asynchronous C functions that are used wrongly. */

static int waits_without(lua_State *L) {
  return luge_wait(L, NULL, NULL, NULL);
}

static luge_pending *kept;

static int keeps(lua_State *L) {
  kept = luge_wait_begin(L);
  return luge_wait(L, kept, NULL, NULL);
}

static int waits_for_another(lua_State *L) {
  return luge_wait(L, kept, NULL, NULL);
}

static int offloads_nothing(lua_State *L) {
  return luge_offload(L, NULL, NULL, NULL, NULL);
}

static void test_waits(void) {
  luge_host *host = open_host(NULL);
  lua_register(luge_lua(host), "waits_without", waits_without);
  lua_register(luge_lua(host), "keeps", keeps);
  lua_register(luge_lua(host), "waits_for_another", waits_for_another);
  lua_register(luge_lua(host), "offloads_nothing", offloads_nothing);
  RUNS(host, "local luge = require 'luge'\n"
             "local function refused(fn)\n"
             "  local ok, e = pcall(fn)\n"
             "  assert(not ok and luge.is_error(e, 'invalid'), e)\n"
             "end\n"
             "local t = luge.spawn(keeps)\n"
             "luge.sleep(0)\n"
             "refused(waits_without)\n"
             "refused(waits_for_another)\n"
             "refused(offloads_nothing)\n"
             "t:cancel()");
  CHECK(luge_resolve(kept, NULL, NULL) == LUGE_CANCELLED);
  lua_State *L = luge_lua(host);
  lua_pushcfunction(L, keeps); /* outside of any task */
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_ERRRUN);
  lua_settop(L, 0);
  CHECK(luge_close(host) == LUGE_OK);
}

/* After luge_close only who has retained the host may still ask. */

static void test_closed(void) {
  luge_host *host = open_host(NULL);
  int posts = 0;
  luge_retain(host);
  CHECK(luge_close(host) == LUGE_OK);
  check_refused(host);
  CHECK(luge_describe_tasks(host, on_line, NULL) == LUGE_INVALID);
  CHECK(luge_post(host, on_post, &posts) == LUGE_INVALID && posts == 0);
  luge_release(host);
}

static void *post_until_closed(void *data) {
  static int posts; /* the host's thread counts them */
  luge_host *host = data;
  int status;
  while ((status = luge_post(host, on_post, &posts)) == LUGE_OK) {
    CHECK(luge_interrupt(host) == LUGE_INVALID);
  }
  CHECK(status == LUGE_INVALID);
  luge_release(host);
  return NULL;
}

static void test_posts_race_with_close(void) {
  enum { THREADS = 3 };
  luge_host *host = open_host(NULL);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    luge_retain(host);
    pthread_create(&threads[i], NULL, post_until_closed, host);
  }
  RUNS(host, "require('luge').sleep(0.002)");
  CHECK(luge_close(host) == LUGE_OK);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
}

/* Another thread. */

static luge_task *sleeper;

static void *call_all(void *data) {
  check_refused(data);
  CHECK(luge_describe_tasks(data, on_line, NULL) == LUGE_INVALID);
  CHECK(luge_task_cancel(sleeper, "x") == LUGE_INVALID);
  return NULL;
}

static void test_other_thread(void) {
  luge_host *host = open_host(NULL);
  struct outcome outcome;
  pthread_t thread;
  sleeper = start(host, "require('luge').sleep(100)", &outcome);
  luge_step(host);
  pthread_create(&thread, NULL, call_all, host);
  pthread_join(thread, NULL);
  CHECK(luge_task_cancel(sleeper, "x") == LUGE_OK);
  step_until_done(host);
  CHECK(outcome.status == LUGE_CANCELLED);
  CHECK(luge_close(host) == LUGE_OK);
}

/* Inside the callbacks nothing may turn or close the host. */

static int callbacks;

static void check_held(luge_host *host) {
  callbacks++;
  CHECK(luge_close(host) == LUGE_INVALID);
  CHECK(luge_step(host) == -LUGE_INVALID);
  CHECK(luge_run_string(host, "", 0, NULL, 0, NULL) == LUGE_INVALID);
  CHECK(luge_output_ready(host, LUGE_STDOUT) == LUGE_INVALID);
  CHECK(luge_lua(host) != NULL && luge_loop(host) != NULL);
}

static int on_output(luge_host *host, enum luge_stream stream,
                     const char *bytes, size_t length, void *user) {
  (void)stream;
  (void)bytes;
  (void)length;
  (void)user;
  check_held(host);
  return 0;
}

static size_t output_room(luge_host *host, enum luge_stream stream,
                          void *user) {
  (void)stream;
  (void)user;
  check_held(host);
  return SIZE_MAX;
}

static void check_error(luge_host *host, const char *message,
                        const char *traceback, void *user) {
  (void)message;
  (void)traceback;
  (void)user;
  check_held(host);
}

static void check_log(luge_host *host, enum luge_log_level level,
                      const char *message, void *user) {
  (void)level;
  (void)message;
  (void)user;
  check_held(host);
}

static void check_record(luge_host *host, enum luge_log_level level,
                         const char *text, const char *json, void *user) {
  (void)level;
  (void)text;
  (void)json;
  (void)user;
  check_held(host);
}

static luge_host *held;

static void check_line(const char *line, void *user) {
  (void)line;
  (void)user;
  check_held(held);
}

static void check_cancel(luge_pending *pending, void *data) {
  (void)data;
  check_held(held);
  CHECK(luge_resolve(pending, NULL, NULL) == LUGE_CANCELLED);
}

static int cancellable(lua_State *L) {
  return luge_wait(L, luge_wait_begin(L), check_cancel, NULL);
}

static void no_work(void *data) {
  (void)data;
}

static void check_freed(void *data) {
  (void)data;
  check_held(held);
}

static int offloaded(lua_State *L) {
  return luge_offload(L, no_work, NULL, check_freed, NULL);
}

static void check_done(luge_host *host, enum luge_status status, lua_State *L,
                       int results, void *data) {
  (void)status;
  (void)L;
  (void)results;
  (void)data;
  check_held(host);
  if (data != NULL) {
    luaL_error(L, "raised where it should not be");
  }
}

static void check_posted(luge_host *host, void *data) {
  (void)data;
  check_held(host);
}

static luge_task *begin(luge_host *host, const char *code, void *data) {
  return luge_start_string(host, code, strlen(code), "=test", 0, NULL,
                           check_done, data);
}

static void check_callbacks(uv_loop_t *loop) {
  luge_options options = {.size = sizeof options,
                          .loop = loop,
                          .output = on_output,
                          .output_room = output_room,
                          .on_error = check_error,
                          .log = check_log,
                          .record = check_record};
  luge_host *host = held = luge_open(&options);
  callbacks = 0;
  lua_register(luge_lua(host), "cancellable", cancellable);
  lua_register(luge_lua(host), "offloaded", offloaded);
  CHECK(begin(host, "does not parse", NULL) == NULL);
  begin(host, "print 'x' require('luge').detach(error, 'x')", NULL);
  begin(host, "require('luge.log').info 'x'", host); /* `done` raises */
  luge_task *waits = begin(host, "cancellable()", NULL);
  luge_task *works = begin(host, "offloaded()", NULL);
  CHECK(luge_post(host, check_posted, NULL) == LUGE_OK);
  uv_run(loop, UV_RUN_NOWAIT);
  CHECK(luge_describe_tasks(host, check_line, NULL) == LUGE_OK);
  CHECK(luge_task_cancel(waits, "x") == LUGE_OK);
  CHECK(luge_task_cancel(works, "x") == LUGE_OK);
  uv_run(loop, UV_RUN_DEFAULT);
  CHECK(callbacks >= 13);
  CHECK(luge_close(host) == LUGE_OK);
}

int main(void) {
  test_no_descriptors();
  uv_loop_t loop;
  uv_loop_init(&loop);
  test_null();
  test_options();
  test_arguments();
  test_waits();
  test_closed();
  test_posts_race_with_close();
  test_other_thread();
  check_callbacks(&loop);
  CHECK(uv_loop_close(&loop) == 0);
  return verdict();
}
