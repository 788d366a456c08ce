/* Closing hosts in every state: after each step of a program that does a little
 * of everything, and with very much in flight. On a borrowed loop nothing of
 * ours is left, and nothing else was touched. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MANY
#define MANY     300 /* of transfers, timers, jobs */
#define CHILDREN 50
#endif

/* A server that takes connections, and never says anything. */
static int open_silent_server(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
  CHECK(listen(fd, 2 * MANY) == 0);
  return fd;
}

static int port_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  getsockname(fd, (struct sockaddr *)&address, &length);
  return ntohs(address.sin_port);
}

static void allow_descriptors(rlim_t count) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < count) {
    limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/* C functions that wait: on the pool, and for what never comes. */

static void work(void *data) {
  ++*(int *)data;
}

static int push_work(lua_State *L, void *data) {
  lua_pushinteger(L, *(int *)data);
  free(data);
  return 1;
}

static int offloaded(lua_State *L) {
  int *data = calloc(1, sizeof *data);
  return luge_offload(L, work, push_work, free, data);
}

static int cancels;

static void on_cancel(luge_pending *pending, void *data) {
  (void)pending;
  (void)data;
  cancels++;
}

static int never(lua_State *L) {
  return luge_wait(L, luge_wait_begin(L), on_cancel, NULL);
}

static luge_host *open_for(uv_loop_t *loop, int port) {
  luge_host *host = open_host(loop);
  lua_State *L = luge_lua(host);
  lua_register(L, "offloaded", offloaded);
  lua_register(L, "never", never);
  lua_pushinteger(L, port);
  lua_setglobal(L, "port");
  lua_pushinteger(L, MANY);
  lua_setglobal(L, "many");
  lua_pushinteger(L, CHILDREN);
  lua_setglobal(L, "children");
  return host;
}

/* A program that uses most of luge, and ends. */
static const char everything[] =
    "local luge = require 'luge'\n"
    "local http = require 'luge.http'\n"
    "local fs = require 'luge.fs'\n"
    "local process = require 'luge.process'\n"
    "local x <close> = setmetatable({}, { __close = function()\n"
    "  luge.sleep(0) end })\n"
    "local function silent() http.get('http://127.0.0.1:' .. port) end\n"
    "luge.race {\n"
    "  silent, never, function() luge.queue():get() end,\n"
    "  function() luge.scope(function(s) s:spawn(silent) silent() end) end,\n"
    "  function() luge.retry(error, { attempts = 1000000, on = function()\n"
    "    return true end, wait = luge.wait.fixed(0.002) }) end,\n"
    "  function() process.run { 'sleep', '100' } end,\n"
    "  function()\n"
    "    local server <close> = http.server { handler = function(req)\n"
    "      return { stream = function(emit) for i = 1, 3 do\n"
    "        emit 'x' luge.sleep(0.001) end end } end }\n"
    "    assert(http.get(server.url):text() == 'xxx')\n"
    "    local stream <close> = http.get(server.url, { stream = true })\n"
    "    local dir = fs.temp { directory = true }\n"
    "    for i = 1, 3 do offloaded() fs.list(dir.path or dir) end\n"
    "    local s <close> = luge.stream(function(emit)\n"
    "      while true do emit(process.run({ 'echo', 'x' }).stdout) end end)\n"
    "    assert(s:next() == 'x\\n')\n"
    "    luge.shield(luge.sleep, 0.002)\n"
    "  end }\n"
    "return 42";

/* Steps `k` times, then closes. Says whether the script had ended. */
static bool close_after(uv_loop_t *loop, int port, int k) {
  luge_host *host = open_for(loop, port);
  struct outcome outcome;
  bool alive = start(host, everything, &outcome) != NULL;
  for (int i = 0; i < k && alive; i++) {
    alive = luge_step(host) > 0;
    struct pollfd fd = {.fd = luge_fd(host), .events = POLLIN};
    if (alive) {
      poll(&fd, 1, luge_timeout_ms(host));
    }
  }
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(outcome.calls == 1);
  if (outcome.status == LUGE_ERROR) {
    fprintf(stderr, "after %d steps: %s\n", k, outcome.message);
    failures++;
  }
  return !alive;
}

static void test_every_step(int port) {
  uv_loop_t loop;
  for (int k = 0; k < 500 && !close_after(NULL, port, k); k += 1 + k / 8) {
  }
  uv_loop_init(&loop);
  for (int k = 0; k < 500 && !close_after(&loop, port, k); k += 1 + k / 4) {
  }
  CHECK(uv_loop_close(&loop) == 0);
}

/* Very much at once. */
static const char much[] =
    "local luge = require 'luge'\n"
    "local http = require 'luge.http'\n"
    "local process = require 'luge.process'\n"
    "local client = http.client { max_connections = many,\n"
    "  idle_timeout = 1e6, connect_timeout = 1e6 }\n"
    "for i = 1, many do\n"
    "  luge.spawn(luge.sleep, 1e6 + i)\n"
    "  luge.spawn(client.get, client, 'http://127.0.0.1:' .. port)\n"
    "  luge.spawn(offloaded)\n"
    "  luge.spawn(never)\n"
    "end\n"
    "for i = 1, children do\n"
    "  luge.spawn(process.run, { 'sleep', '1000000' })\n"
    "end\n"
    "begun = true\n"
    "luge.sleep(1e6)";

static void count_tick(uv_timer_t *timer) {
  ++*(int *)timer->data;
}

static void test_much(uv_loop_t *loop, int port, int turns) {
  luge_host *host = open_for(loop, port);
  struct outcome outcome;
  struct luge_usage usage = {.size = sizeof usage};
  cancels = 0;
  start(host, much, &outcome);
  for (int i = 0; i < turns; i++) {
    luge_step(host);
  }
  CHECK(luge_usage(host, &usage) == LUGE_OK);
  CHECK(usage.tasks > 2 * MANY); /* jobs may have been done since */
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(outcome.calls == 1 && outcome.status == LUGE_CANCELLED);
  CHECK(cancels == MANY);
}

static void test_much_on_borrowed_loop(int port) {
  uv_loop_t loop;
  uv_timer_t timer;
  int ticks = 0;
  uv_loop_init(&loop);
  uv_timer_init(&loop, &timer);
  timer.data = &ticks;
  uv_timer_start(&timer, count_tick, 1, 1);
  luge_host *bystander = open_for(&loop, port);
  struct outcome outcome;
  start(bystander, "require('luge').sleep(0.001) return 42", &outcome);
  test_much(&loop, port, 3);
  CHECK(uv_is_active((uv_handle_t *)&timer));
  uv_unref((uv_handle_t *)&timer);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(outcome.calls == 1 && outcome.number == 42);
  CHECK(luge_close(bystander) == LUGE_OK);
  uv_close((uv_handle_t *)&timer, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
}

/* A host that is closed while a task runs handlers that start more. */
static void test_handlers_that_go_on(void) {
  uv_loop_t loop;
  uv_loop_init(&loop);
  luge_host *host = open_for(&loop, 0);
  struct outcome outcome;
  start(host,
        "local luge = require 'luge'\n"
        "local function again(n)\n"
        "  local x <close> = setmetatable({}, { __close = function()\n"
        "    if n > 0 then pcall(luge.spawn, again, n - 1) end\n"
        "    pcall(luge.detach, again, 0)\n"
        "    luge.shield(function() offloaded() luge.sleep(0.001) end)\n"
        "  end })\n"
        "  luge.sleep(100)\n"
        "end\n"
        "again(20)",
        &outcome);
  luge_step(host);
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(outcome.calls == 1 && outcome.status == LUGE_CANCELLED);
  CHECK(uv_loop_close(&loop) == 0);
}

/* A run to the end that is cancelled, and the host closed after it. */
static void test_after_errors(void) {
  luge_host *host = open_for(NULL, 0);
  CHECK(run(host, "require('luge').detach(never) error('x')") == LUGE_ERROR);
  CHECK(run(host, "require('luge').spawn(never) os.exit(3)") == LUGE_EXIT);
  CHECK(luge_close(host) == LUGE_OK);
}

int main(void) {
  allow_descriptors(4 * (MANY + CHILDREN));
  int server = open_silent_server();
  int port = port_of(server);
  test_every_step(port);
  test_much(NULL, port, 1);
  test_much(NULL, port, 5);
  test_much_on_borrowed_loop(port);
  test_handlers_that_go_on();
  test_after_errors();
  close(server);
  return verdict();
}
