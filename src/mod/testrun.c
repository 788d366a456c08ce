/* luge.native.testrun: what runs the tests of one file, inside the process that
 * `luge test` starts for it: see lua/luge/internal/test_run.lua. One uv timer,
 * which is no timer of the host's: a virtual clock does not touch it, and it
 * keeps no deadlock from being seen. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "future.h"
#include "modules.h"

/* Where the process that started this one reads. */
enum { REPORT_FD = 3 };

/* Builds for finding bugs are slow. */
#if defined(LUGE_GCSTRESS) || defined(__SANITIZE_ADDRESS__) ||                 \
    defined(__SANITIZE_THREAD__)
enum { PATIENCE = 6 };
#else
enum { PATIENCE = 1 };
#endif

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

static void create_watch(lua_State *L) {
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

/* watch(awaitable, seconds) -> whether it was settled within that real time;
 * whether what ran was interrupted because it was over */

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

static int lib_watch(lua_State *L) {
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

/* What a test has left behind. */

static bool descends(const struct luge_task *task,
                     const struct luge_task *from) {
  const struct luge_scope *scope = task->root.parent;
  for (; scope != NULL; scope = scope->parent) {
    if (scope->task == from) {
      return true;
    }
  }
  return false;
}

/* descendants(task) -> the live tasks that it owns, directly or not */
static int lib_descendants(lua_State *L) {
  const struct luge_task *from = luge__class_check(L, 1, &luge__task_class);
  lua_settop(L, 1);
  lua_newtable(L);
  struct luge_task_walk walk = {0};
  const struct luge_task *task;
  while ((task = luge__task_next(L, &walk)) != NULL) {
    if (descends(task, from)) {
      lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
    }
    lua_settop(L, 2);
  }
  return 1;
}

/* Standard streams are opened once, and stay. */
static bool is_standard(const uv_handle_t *handle) {
  uv_os_fd_t fd;
  return uv_fileno(handle, &fd) == 0 && fd <= 2;
}

/* A stream that listens, or is waited for, is counted as such; one that is read
 * though nobody waits is a connection that a server keeps for its client. */
static bool is_left(const uv_handle_t *handle) {
  switch (uv_handle_get_type(handle)) {
  case UV_TCP:
  case UV_NAMED_PIPE:
    return !uv_is_active(handle);
  case UV_UDP:
  case UV_FS_EVENT:
  case UV_FS_POLL:
  case UV_SIGNAL:
  case UV_PROCESS:
    return true;
  default:
    return false;
  }
}

static void count_handle(uv_handle_t *handle, void *data) {
  if (is_left(handle) && !uv_is_closing(handle) && !is_standard(handle)) {
    ++*(lua_Integer *)data;
  }
}

/* open() -> operations and listeners that are counted; sockets, processes and
 * watchers */
static int lib_open(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_Integer handles = 0;
  uv_walk(host->loop, count_handle, &handles);
  lua_pushinteger(L, host->refs);
  lua_pushinteger(L, handles);
  return 2;
}

/* reported() -> whether an error that nobody awaited was, since the last call;
 * it no longer counts for the exit status */
static int lib_reported(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_pushboolean(L, host->failed);
  host->failed = false;
  return 1;
}

/* report(text) writes a line for the process that started this one. */
static int lib_report(lua_State *L) {
  size_t left;
  const char *text = luaL_checklstring(L, 1, &left);
  fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC); /* not for what a test starts */
  while (left > 0) {
    ssize_t written = write(REPORT_FD, text, left);
    if (written >= 0) {
      text += written;
      left -= (size_t)written;
    } else if (errno != EINTR) {
      return luge__raise(L, "io", "cannot report a test: %s", strerror(errno));
    }
  }
  return 0;
}

/* give_up(): ends the process, with a task in it that os.exit would wait for.
 * The process is the runner's own, which is told why before. */
static int lib_give_up(lua_State *L) {
  luge__flush(luge__host(L));
  _exit(EXIT_FAILURE);
}

int luge__open_testrun(lua_State *L) {
  static const luaL_Reg functions[] = {{"watch", lib_watch},
                                       {"descendants", lib_descendants},
                                       {"open", lib_open},
                                       {"reported", lib_reported},
                                       {"report", lib_report},
                                       {"give_up", lib_give_up},
                                       {NULL, NULL}};
  create_watch(L);
  luaL_newlib(L, functions);
  lua_pushinteger(L, PATIENCE);
  lua_setfield(L, -2, "patience");
  return 1;
}
