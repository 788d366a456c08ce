/* Watching a test; see testrun_watch.h. One uv timer, which is no timer of the
 * host's: a virtual clock does not touch it, and it keeps no deadlock from
 * being seen. */
#include "testrun_watch.h"

#include <errno.h>
#include <lauxlib.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "future.h"

struct watch {
  struct luge_service service;
  uv_timer_t timer;
  struct luge_host *host;
  struct luge_task *waiter; /* or NULL */
  bool expired;
};

static const char watch_key = 0; /* registry: the struct watch */

/* A test that computes lets no timer run. What looks after it then is a signal,
 * each tenth of a second that the process computes. */
static struct {
  struct luge_host *volatile host; /* NULL: nothing is watched */
  pthread_t thread;
  volatile uint64_t deadline; /* of uv_hrtime */
  volatile sig_atomic_t interrupted;
} computing;

static void on_computing(int signal_number) {
  int error = errno;
  if (!pthread_equal(pthread_self(), computing.thread)) {
    pthread_kill(computing.thread, signal_number);
  } else if (computing.host != NULL && uv_hrtime() >= computing.deadline) {
    computing.interrupted = 1;
    luge_interrupt(computing.host);
  }
  errno = error;
}

static void start_ticks(long microseconds) {
  struct itimerval timer = {.it_value.tv_usec = microseconds,
                            .it_interval.tv_usec = microseconds};
  setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

/* The timer gets half a second more: it comes first where there are turns. */
static void watch_computing(struct luge_host *host, double seconds) {
  struct sigaction action = {.sa_flags = SA_RESTART};
  action.sa_handler = on_computing;
  sigemptyset(&action.sa_mask);
  computing.thread = pthread_self();
  computing.deadline = uv_hrtime() + (uint64_t)((seconds + 0.5) * 1e9);
  computing.interrupted = 0;
  computing.host = host;
  sigaction(SIGVTALRM, &action, NULL);
  start_ticks(100000);
}

static void unwatch_computing(void) {
  computing.host = NULL;
  start_ticks(0);
}

static void stop_service(struct luge_service *service) {
  struct watch *watch = luge__container(service, struct watch, service);
  uv_close((uv_handle_t *)&watch->timer, NULL);
}

static void free_service(struct luge_service *service) {
  struct watch *watch = luge__container(service, struct watch, service);
  luge__realloc(watch->host, watch, sizeof *watch, 0);
}

static struct watch *find_watch(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &watch_key);
  struct watch *watch = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return watch;
}

void luge__testrun_watch_init(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_pushnil(L); /* makes room for the key, so that nothing fails later */
  lua_rawsetp(L, LUA_REGISTRYINDEX, &watch_key);
  struct watch *watch = luge__alloc(L, sizeof *watch);
  *watch = (struct watch){.host = host};
  watch->service.stop = stop_service;
  watch->service.freed = free_service;
  uv_timer_init(host->loop, &watch->timer);
  luge__service_start(host, &watch->service);
  lua_pushlightuserdata(L, watch);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &watch_key);
}

static bool stop_watching(struct luge_task *task) {
  struct watch *watch = task->wait.data;
  luge__list_remove(&task->wait.listener.link);
  uv_timer_stop(&watch->timer);
  unwatch_computing();
  watch->waiter = NULL;
  return true;
}

static void on_settled(struct luge_listener *listener) {
  struct luge_task *task =
      luge__container(listener, struct luge_task, wait.listener);
  stop_watching(task);
  luge__wake(task);
}

static void on_expired(uv_timer_t *timer) {
  struct watch *watch = luge__container(timer, struct watch, timer);
  struct luge_task *task = watch->waiter;
  stop_watching(task);
  watch->expired = true;
  luge__wake(task);
}

static int on_watched(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  const struct watch *watch = task->wait.data;
  lua_pushboolean(L, !watch->expired);
  lua_pushboolean(L, computing.interrupted);
  return 2;
}

static struct luge_cell *check_cell(lua_State *L) {
  struct luge_task *task = luge__class_test(L, 1, &luge__task_class);
  if (task != NULL) {
    return &task->cell;
  }
  struct luge_future *future = luge__future_test(L, 1);
  if (future == NULL) {
    luge__arg_error(L, 1, "a Task or a Future");
  }
  return &future->cell;
}

int luge__testrun_watch(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "the test to end", .cancel = stop_watching, .finish = on_watched};
  struct luge_cell *cell = check_cell(L);
  double seconds = luaL_checknumber(L, 2);
  struct watch *watch = find_watch(L);
  struct luge_task *task = luge__enter(L);
  if (cell->state != LUGE_CELL_PENDING) {
    lua_pushboolean(L, true);
    return 1;
  }
  watch->waiter = task;
  watch->expired = false;
  uv_update_time(watch->host->loop);
  uv_timer_start(&watch->timer, on_expired, (uint64_t)(seconds * 1000), 0);
  watch_computing(watch->host, seconds);
  task->wait.data = watch;
  luge__cell_listen(cell, &task->wait.listener, on_settled);
  return luge__suspend(L, task, &kind);
}
