/* Hosts driven from other loops: poll, epoll, libuv's own, many on one, on
 * several threads; what comes from other threads while nothing is waited for;
 * and scripts that wait for what nothing will bring. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

static const char script[] =
    "local luge = require 'luge'\n"
    "local sum = 0\n"
    "for i = 1, 10 do\n"
    "  luge.spawn(function() luge.sleep(0.001 * i) sum = sum + i end)\n"
    "end\n"
    "local out = require('luge.process').run { 'echo', 'hi' }.stdout\n"
    "luge.sleep(0.015)\n"
    "return out == 'hi\\n' and sum";

#if defined(__linux__)
static void test_epoll(void) {
  enum { HOSTS = 5 };
  luge_host *hosts[HOSTS];
  struct outcome outcomes[HOSTS];
  int epoll = epoll_create1(0);
  for (unsigned i = 0; i < HOSTS; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    hosts[i] = open_host(NULL);
    start(hosts[i], script, &outcomes[i]);
    epoll_ctl(epoll, EPOLL_CTL_ADD, luge_fd(hosts[i]), &event);
  }
  int alive, turns = 0;
  do {
    int timeout = -1;
    alive = 0;
    for (int i = 0; i < HOSTS; i++) {
      if (luge_step(hosts[i]) > 0) {
        alive++;
        int ms = luge_timeout_ms(hosts[i]);
        timeout = ms >= 0 && (timeout < 0 || ms < timeout) ? ms : timeout;
      }
    }
    struct epoll_event events[HOSTS];
    if (alive > 0) {
      epoll_wait(epoll, events, HOSTS, timeout);
    }
    turns++;
  } while (alive > 0);
  CHECK(turns < 1000); /* it waits, and does not spin */
  close(epoll);
  for (int i = 0; i < HOSTS; i++) {
    CHECK(outcomes[i].calls == 1 && outcomes[i].number == 55);
    CHECK(luge_close(hosts[i]) == LUGE_OK);
  }
}
#else
static void test_epoll(void) {
}
#endif

static void test_poll(void) {
  luge_host *host = open_host(NULL);
  struct outcome outcome;
  CHECK(luge_timeout_ms(host) == -1); /* nothing to do */
  CHECK(luge_step(host) == 0 && luge_timeout_ms(host) == -1);
  start(host, script, &outcome);
  CHECK(luge_timeout_ms(host) == 0);
  step_until_done(host);
  start(host, "require('luge').sleep(0.03)", &outcome);
  luge_step(host);
  int left = luge_timeout_ms(host);
  CHECK(left > 0 && left <= 30);
  while (luge_timeout_ms(host) > 0) { /* it counts from now */
    uv_sleep(1);
  }
  step_until_done(host);
  start(host, script, &outcome);
  step_until_done(host);
  CHECK(outcome.calls == 1 && outcome.number == 55);
  CHECK(luge_close(host) == LUGE_OK);
}

/* Borrowed loops. */

static void count_turn(uv_timer_t *timer) {
  ++*(int *)timer->data;
}

static void on_closed(uv_handle_t *handle) {
  ++*(int *)handle->data;
}

/* The embedder's own handles are as they were, whatever the hosts do. */
static void test_borrowed_loop(void) {
  enum { HOSTS = 10 };
  uv_loop_t loop;
  uv_timer_t timer;
  int ticks = 0;
  luge_host *hosts[HOSTS];
  struct outcome outcomes[HOSTS];
  uv_loop_init(&loop);
  uv_timer_init(&loop, &timer);
  timer.data = &ticks;
  uv_timer_start(&timer, count_turn, 1, 1);
  uv_unref((uv_handle_t *)&timer);
  for (int i = 0; i < HOSTS; i++) {
    hosts[i] = open_host(&loop);
    CHECK(luge_loop(hosts[i]) == &loop);
    start(hosts[i], script, &outcomes[i]);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  for (int i = 0; i < HOSTS; i++) {
    CHECK(outcomes[i].calls == 1 && outcomes[i].number == 55);
    CHECK(luge_close(hosts[i]) == LUGE_OK);
  }
  CHECK(ticks > 0);
  CHECK(uv_is_active((uv_handle_t *)&timer) && !uv_loop_alive(&loop));
  ticks = 0;
  uv_close((uv_handle_t *)&timer, on_closed);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(ticks == 1 && uv_loop_close(&loop) == 0);
}

/* A run to the end on a borrowed loop lets the others on it go on. */
static void test_run_on_borrowed_loop(void) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  luge_host *a = open_host(&loop), *b = open_host(&loop);
  struct outcome outcome;
  start(b, "require('luge').sleep(0.001) return 42", &outcome);
  RUNS(a, "require('luge').sleep(0.01)");
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(outcome.calls == 1 && outcome.number == 42);
  CHECK(luge_close(a) == LUGE_OK && luge_close(b) == LUGE_OK);
  CHECK(uv_loop_close(&loop) == 0);
}

/* Threads. */

static void *run_hosts(void *data) {
  for (int i = 0; i < 10; i++) {
    luge_host *host = open_host(NULL);
    struct outcome outcome;
    start(host, script, &outcome);
    step_until_done(host);
    *(int *)data += outcome.number == 55;
    if (luge_close(host) != LUGE_OK) {
      *(int *)data = -1000;
    }
  }
  return NULL;
}

static void test_threads(void) {
  enum { THREADS = 4 };
  pthread_t threads[THREADS];
  int good[THREADS] = {0};
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&threads[i], NULL, run_hosts, &good[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    CHECK(good[i] == 10);
  }
}

/* What other threads post comes also where no task waits for anything. */

static struct outcome posted;

static void start_posted(luge_host *host, void *data) {
  start(host, data, &posted);
}

static void *post(void *data) {
  CHECK(luge_post(data, start_posted, (void *)"return 42") == LUGE_OK);
  return NULL;
}

static void test_post_to_idle(void) {
  luge_host *host = open_host(NULL);
  pthread_t thread;
  posted.calls = 0;
  CHECK(luge_step(host) == 0);
  pthread_create(&thread, NULL, post, host);
  while (posted.calls == 0) {
    struct pollfd fd = {.fd = luge_fd(host), .events = POLLIN};
    poll(&fd, 1, luge_timeout_ms(host));
    luge_step(host);
  }
  pthread_join(thread, NULL);
  CHECK(posted.calls == 1 && posted.number == 42);
  CHECK(luge_close(host) == LUGE_OK);
}

/* A task that is woken by what was posted runs, although nothing else keeps a
 * borrowed loop alive. */

static luge_pending *kept;

static int push_42(lua_State *L, void *data) {
  (void)data;
  lua_pushinteger(L, 42);
  return 1;
}

static void resolve(luge_host *host, void *data) {
  (void)host;
  (void)data;
  CHECK(luge_resolve(kept, push_42, NULL) == LUGE_OK);
}

static void *post_resolve(void *data) {
  CHECK(luge_post(data, resolve, NULL) == LUGE_OK);
  return NULL;
}

static int await_thread(lua_State *L) {
  pthread_t thread;
  luge_host *host = lua_touserdata(L, lua_upvalueindex(1));
  kept = luge_wait_begin(L);
  pthread_create(&thread, NULL, post_resolve, host);
  pthread_detach(thread);
  return luge_wait(L, kept, NULL, NULL);
}

static void test_post_on_borrowed_loop(void) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  luge_host *host = open_host(&loop);
  struct outcome outcome;
  lua_pushlightuserdata(luge_lua(host), host);
  lua_pushcclosure(luge_lua(host), await_thread, 1);
  lua_setglobal(luge_lua(host), "await_thread");
  start(host, "return await_thread()", &outcome);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(outcome.calls == 1 && outcome.number == 42);
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(uv_loop_close(&loop) == 0);
}

/* Deadlocks, which only the embedder can tell. */

static struct {
  int told;
  bool wake;
  char tasks[256];
} deadlock;

static void on_task(const char *line, void *user) {
  (void)user;
  snprintf(deadlock.tasks, sizeof deadlock.tasks, "%s", line);
}

static void on_deadlock(luge_host *host, void *user) {
  (void)user;
  deadlock.told++;
  CHECK(luge_describe_tasks(host, on_task, NULL) == LUGE_OK);
  CHECK(luge_step(host) == -LUGE_INVALID);
  CHECK(luge_close(host) == LUGE_INVALID);
  if (deadlock.wake) {
    static struct outcome outcome;
    start(host, "event:set()", &outcome);
    deadlock.wake = false;
  }
}

static luge_host *open_telling(uv_loop_t *loop) {
  luge_options options = {
      .size = sizeof options, .loop = loop, .on_deadlock = on_deadlock};
  memset(&deadlock, 0, sizeof deadlock);
  return luge_open(&options);
}

static const char waits[] = "event = require('luge').event()\n"
                            "event:wait()\n"
                            "return 42";

static void test_deadlock_when_stepped(void) {
  luge_host *host = open_telling(NULL);
  struct outcome outcome, other;
  start(host, waits, &outcome);
  CHECK(luge_step(host) == 1 && deadlock.told == 1);
  CHECK(strstr(deadlock.tasks, "waits for") != NULL);
  CHECK(luge_step(host) == 1 && deadlock.told == 1); /* once */
  start(host, "return 1", &other);
  CHECK(luge_step(host) == 1 && deadlock.told == 2); /* again */
  CHECK(luge_timeout_ms(host) == -1);
  start(host, "event:set()", &other);
  step_until_done(host);
  CHECK(outcome.calls == 1 && outcome.number == 42 && deadlock.told == 2);
  CHECK(luge_run_string(host, waits, strlen(waits), NULL, 0, NULL) ==
        LUGE_ERROR);
  CHECK(deadlock.told == 2); /* the script was */
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_deadlock_on_borrowed_loop(void) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  luge_host *host = open_telling(&loop);
  struct outcome outcome;
  start(host, waits, &outcome);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(deadlock.told == 1 && outcome.calls == 0);
  start(host, "return 1", &outcome);
  deadlock.wake = true;
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(deadlock.told == 2 && luge_step(host) == 0);
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(uv_loop_close(&loop) == 0);
}

static int told(lua_State *L) {
  lua_pushinteger(L, reported.count);
  return 1;
}

/* What is first watched after a turn of the loop has begun wakes the embedder's
 * poll: libuv before 1.44 tells the system of it only at the next turn. */
static void test_late_watcher(void) {
  luge_host *host = open_host(NULL);
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 &&
        listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&at, &size) == 0);
  char code[256];
  snprintf(code, sizeof code,
           "local luge, net = require 'luge', require 'luge.net'\n"
           "luge.sleep(0.001)\n"
           "net.connect('127.0.0.1', %d):close()",
           ntohs(at.sin_port));
  struct outcome outcome;
  start(host, code, &outcome);
  while (luge_step(host) > 0) {
    struct pollfd fd = {.fd = luge_fd(host), .events = POLLIN};
    int timeout = luge_timeout_ms(host);
    if (timeout < 0 || timeout > 60000) {
      CHECK(poll(&fd, 1, 60000) == 1);
    } else {
      poll(&fd, 1, timeout);
    }
  }
  CHECK(outcome.calls == 1 && outcome.status == LUGE_OK);
  CHECK(luge_close(host) == LUGE_OK);
  close(listener);
}

/* An error that nobody awaits is told while the host is only stepped. */
static void test_failure_when_stepped(void) {
  luge_host *host = open_host(NULL);
  struct outcome outcome;
  reported.count = 0;
  lua_register(luge_lua(host), "told", told);
  start(host,
        "local luge = require 'luge'\n"
        "luge.detach(error, 'nobody awaits this')\n"
        "for i = 1, 2000 do\n"
        "  if told() > 0 then return 42 end\n"
        "  luge.sleep(0.001)\n"
        "end",
        &outcome);
  step_until_done(host);
  CHECK(outcome.number == 42 && reported.count == 1);
  CHECK(luge_close(host) == LUGE_OK);
}

int main(void) {
  test_epoll();
  test_late_watcher();
  test_poll();
  test_borrowed_loop();
  test_run_on_borrowed_loop();
  test_threads();
  test_post_to_idle();
  test_post_on_borrowed_loop();
  test_deadlock_when_stepped();
  test_deadlock_on_borrowed_loop();
  test_failure_when_stepped();
  return verdict();
}
