/* luge.native.signal: signals that scripts wait for. A watch is a libuv handle
 * and a count of signals that nobody has taken yet. The handle's memory
 * belongs to a small userdata until that closes it; then to its close
 * callback.
 *
 * libuv installs a handler of its own with the first watch of a signal, and
 * the default one after the last: what was there before (a handler of the
 * command, say) is kept and put back. Handlers belong to the process and this
 * happens on the loop's thread: the host allows it by an option. */
#include <lauxlib.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/permission.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "modules.h"

struct watch {
  uv_signal_t handle;
  struct luge_host *host;
  struct luge_list link; /* in the list of all that are open */
  struct luge_list waiters;
  struct sigaction before; /* the first watch of a signal took its place */
  unsigned count;
};

struct box {
  struct watch *watch;        /* NULL: closed */
  struct luge_listener ended; /* of the task it is bound to */
};

static const struct luge_class watch_class = {"a signal watch"};

static const struct {
  const char *name;
  int number;
} signals[] = {
    {"HUP", SIGHUP},     {"INT", SIGINT},   {"QUIT", SIGQUIT},
    {"USR1", SIGUSR1},   {"USR2", SIGUSR2}, {"PIPE", SIGPIPE},
    {"ALRM", SIGALRM},   {"TERM", SIGTERM}, {"CONT", SIGCONT},
    {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},
    {"WINCH", SIGWINCH},
};

enum { SIGNALS = sizeof signals / sizeof signals[0] };

/* The number of a signal that can be watched: those that a process may handle
 * and that are no sign of a bug in it; SIGCHLD is libuv's. */
static int check_signal(lua_State *L, int arg) {
  const char *name =
      lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg) : "";
  if (strncasecmp(name, "SIG", 3) == 0) {
    name += 3;
  }
  for (size_t i = 0; i < SIGNALS; i++) {
    if (strcasecmp(signals[i].name, name) == 0) {
      return signals[i].number;
    }
  }
  return luge__arg_error(L, arg,
                         "the name of a signal that can be handled, such as "
                         "\"SIGTERM\"");
}

static struct box *check(lua_State *L) {
  return luge__class_check(L, 1, &watch_class);
}

static void on_closed(uv_handle_t *handle) {
  struct watch *watch = (struct watch *)handle;
  struct luge_host *host = watch->host;
  host->handles--;
  luge__realloc(host, watch, sizeof *watch, 0);
}

/* Stops libuv's handler; if that was the last of this signal, what was there
 * before comes back. */
static void restore_handler(const struct watch *watch) {
  struct sigaction now;
  int number = watch->handle.signum;
  uv_signal_stop((uv_signal_t *)&watch->handle);
  if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
    sigaction(number, &watch->before, NULL);
  }
}

static void close_watch(struct box *box) {
  struct watch *watch = box->watch;
  if (watch == NULL) {
    return;
  }
  box->watch = NULL;
  luge__list_remove(&watch->link);
  restore_handler(watch);
  luge__waiters_wake_all(&watch->waiters);
  luge__unref_listener(watch->host);
  uv_close((uv_handle_t *)&watch->handle, on_closed);
}

static void on_signal(uv_signal_t *handle, int number) {
  (void)number;
  struct watch *watch = (struct watch *)handle;
  if (!luge__waiters_wake_one(&watch->waiters)) {
    watch->count++;
  }
}

/* watch:next() -> whether a signal came; false once it is closed. */

static int on_woken(lua_State *L, struct luge_task *task, int base) {
  (void)task;
  (void)base;
  lua_pushboolean(L, ((struct box *)lua_touserdata(L, 1))->watch != NULL);
  return 1;
}

static int watch_next(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "a signal", .cancel = luge__waiters_leave, .finish = on_woken};
  struct box *box = check(L);
  struct luge_task *task = luge__enter(L);
  lua_settop(L, 1);
  if (box->watch != NULL && box->watch->count > 0) {
    box->watch->count--;
    return on_woken(L, task, 1);
  }
  if (box->watch == NULL) {
    return on_woken(L, task, 1);
  }
  return luge__waiters_join(L, task, &box->watch->waiters, &kind);
}

static int watch_close(lua_State *L) {
  struct box *box = check(L);
  luge__list_remove(&box->ended.link);
  close_watch(box);
  return 0;
}

static void on_task_ended(struct luge_listener *listener) {
  close_watch(luge__container(listener, struct box, ended));
}

/* watch:bind(task): closes the watch when the task has ended, even if it never
 * ran. The user value keeps the Task, whose list the listener is in. */
static int watch_bind(lua_State *L) {
  struct box *box = check(L);
  struct luge_task *task = luge__class_check(L, 2, &luge__task_class);
  lua_settop(L, 2);
  lua_setiuservalue(L, 1, 1);
  luge__cell_watch(&task->cell, &box->ended, on_task_ended);
  return 0;
}

static int raise_uv(lua_State *L, int status) {
  luge__push_error(L, "io", "cannot watch a signal: %s", uv_strerror(status));
  lua_pushstring(L, uv_err_name(status));
  lua_setfield(L, -2, "errno");
  return lua_error(L);
}

/* Keeps the handler that libuv's will replace: what the process has, unless
 * that is libuv's already. */
static void keep_handler(const struct luge_list *open, struct watch *watch,
                         int number) {
  const struct luge_list *at;
  for (at = open->next; at != open; at = at->next) {
    const struct watch *other = luge__container(at, struct watch, link);
    if (other->handle.signum == number) {
      watch->before = other->before;
      return;
    }
  }
  sigaction(number, NULL, &watch->before);
}

/* Once the watch has its handle, that must be closed in any case. */
static int open_handle(struct luge_host *host, struct watch *watch,
                       struct luge_list *open, int number) {
  int status = uv_signal_init(host->loop, &watch->handle);
  if (status != 0) {
    luge__realloc(host, watch, sizeof *watch, 0);
    return status;
  }
  watch->host = host;
  host->handles++;
  keep_handler(open, watch, number);
  status = uv_signal_start(&watch->handle, on_signal, number);
  if (status != 0) {
    uv_close((uv_handle_t *)&watch->handle, on_closed);
    return status;
  }
  luge__list_append(open, &watch->link);
  return 0;
}

/* watch(name): counts the signals that come from now on. */
static int lib_watch(lua_State *L) {
  struct luge_host *host = luge__host(L);
  int number = check_signal(L, 1);
  const char *name = lua_tostring(L, 1);
  if (!luge__permits(host, LUGE_OP_SIGNAL, name)) {
    return luge__permission_raise(L, LUGE_OP_SIGNAL, name);
  }
  struct box *box = luge__class_new(L, &watch_class, sizeof *box, 1);
  luge__list_init(&box->ended.link);
  struct watch *watch = luge__alloc_zeroed(L, sizeof *watch);
  luge__list_init(&watch->waiters);
  int status =
      open_handle(host, watch, lua_touserdata(L, lua_upvalueindex(1)), number);
  if (status != 0) {
    return raise_uv(L, status);
  }
  box->watch = watch;
  luge__ref_listener(host);
  return 1;
}

int luge__open_signal(lua_State *L) {
  static const luaL_Reg methods[] = {{"next", watch_next},
                                     {"close", watch_close},
                                     {"bind", watch_bind},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", watch_close}, {NULL, NULL}};
  luge__class_init(L, &watch_class, methods, metamethods);
  lua_createtable(L, 0, 1);
  luge__list_init(lua_newuserdatauv(L, sizeof(struct luge_list), 0));
  lua_pushcclosure(L, lib_watch, 1);
  lua_setfield(L, -2, "watch");
  return 1;
}
