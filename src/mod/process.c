/* luge.native.process: children as scripts see them; see process_child.h, and
 * lua/luge/process.lua for options and defaults. */
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/args.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/permission.h"
#include "../core/program.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "environment.h"
#include "modules.h"
#include "process_child.h"

struct box {
  struct luge_child *child; /* NULL: closed */
  struct luge_listener owner_ended;
};

/* The children that live: killed when the host closes. */
struct children {
  struct luge_service service;
  struct luge_host *host;
  struct luge_list list;
};

static const struct luge_class child_class = {"a child process"};
static const char children_key = 0; /* registry: the struct */

static const struct {
  const char *name;
  int number;
} signals[] = {
    {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT},
    {"SIGILL", SIGILL},   {"SIGTRAP", SIGTRAP}, {"SIGABRT", SIGABRT},
    {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},   {"SIGKILL", SIGKILL},
    {"SIGUSR1", SIGUSR1}, {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2},
    {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM},
    {"SIGCHLD", SIGCHLD}, {"SIGCONT", SIGCONT}, {"SIGSTOP", SIGSTOP},
    {"SIGTSTP", SIGTSTP}, {"SIGTTIN", SIGTTIN}, {"SIGTTOU", SIGTTOU},
    {"SIGXCPU", SIGXCPU}, {"SIGXFSZ", SIGXFSZ}, {"SIGWINCH", SIGWINCH},
    {"SIGSYS", SIGSYS},
};

enum { SIGNALS = sizeof signals / sizeof signals[0] };

static struct luge_child *check_child(lua_State *L) {
  const struct box *box = luge__class_check(L, 1, &child_class);
  if (box->child == NULL) {
    luge__raise(L, "closed", "the child process is closed");
  }
  return box->child;
}

static struct luge_child *child_at_1(lua_State *L) {
  return ((struct box *)lua_touserdata(L, 1))->child;
}

/* read(which) -> what has come on standard output (1) or error (2), or nil */

static int on_output(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {.name = "output of a process",
                                             .cancel = luge__waiters_leave,
                                             .finish = on_output};
  struct luge_child *child = child_at_1(L);
  (void)base;
  if (child == NULL) {
    return 0;
  }
  struct luge_child_output *output = &child->output[lua_tointeger(L, 2) - 1];
  if (output->length > 0) {
    lua_pushlstring(L, output->bytes, output->length);
    output->length = 0;
    luge__child_read_on(output);
    return 1;
  }
  if (output->ended) {
    return output->error != 0
               ? luge__raise(L, "process", "cannot read from the process: %s",
                             uv_strerror(output->error))
               : 0;
  }
  return luge__waiters_join(L, task, &output->readers, &kind);
}

static int child_read(lua_State *L) {
  check_child(L);
  luaL_argcheck(L, lua_tointeger(L, 2) == 1 || lua_tointeger(L, 2) == 2, 2,
                "1 or 2");
  lua_settop(L, 2);
  return on_output(L, luge__enter(L), 2);
}

/* write(data): waits until the system has it all; false: the process has
 * closed its end. What a cancelled task was writing is still written. */

struct write {
  uv_write_t request;
  struct luge_child *child;
  struct luge_task *task; /* NULL: cancelled */
  size_t length;
  char bytes[];
};

static bool leave_write(struct luge_task *task) {
  ((struct write *)task->wait.data)->task = NULL;
  return true;
}

static void on_written(uv_write_t *request, int status) {
  struct write *write = luge__container(request, struct write, request);
  struct luge_child *child = write->child;
  struct luge_task *task = write->task;
  if (task != NULL) {
    task->wait.data = (void *)(intptr_t)status;
    luge__wake(task);
  }
  luge__unref(child->host);
  luge__realloc(child->host, write, sizeof *write + write->length, 0);
  luge__child_written(child);
}

static int finish_write(lua_State *L, struct luge_task *task, int base) {
  int status = (int)(intptr_t)task->wait.data;
  (void)base;
  if (status != 0 && status != UV_EPIPE && status != UV_ECANCELED) {
    return luge__raise(L, "process", "cannot write to the process: %s",
                       uv_strerror(status));
  }
  lua_pushboolean(L, status == 0);
  return 1;
}

static int child_write(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "a process to read",
                                             .cancel = leave_write,
                                             .finish = finish_write};
  struct luge_child *child = check_child(L);
  size_t length;
  const char *data = luaL_checklstring(L, 2, &length);
  luaL_argcheck(L, length <= INT_MAX, 2, "too long");
  struct luge_task *task = luge__enter(L);
  if (!child->input_open) {
    return luge__raise(L, "closed", "the input of the process is closed");
  }
  struct write *write =
      luge__realloc(child->host, NULL, 0, sizeof *write + length);
  if (write == NULL) {
    return luaL_error(L, "not enough memory");
  }
  write->child = child;
  write->task = task;
  write->length = length;
  memcpy(write->bytes, data, length);
  uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned)length);
  int status = uv_write(&write->request, (uv_stream_t *)&child->input, &buffer,
                        1, on_written);
  if (status != 0) {
    luge__realloc(child->host, write, sizeof *write + length, 0);
    task->wait.data = (void *)(intptr_t)status;
    return finish_write(L, task, 2);
  }
  child->writes++;
  luge__ref(child->host);
  task->wait.data = write;
  return luge__suspend(L, task, &kind);
}

/* end_input() */
static int child_end_input(lua_State *L) {
  const struct box *box = luge__class_check(L, 1, &child_class);
  if (box->child != NULL) {
    luge__child_close_input(box->child);
  }
  return 0;
}

/* end_output() */
static int child_end_output(lua_State *L) {
  luge__child_close_output(check_child(L));
  return 0;
}

/* wait() -> its status; or nil, and the number and name of the signal */

static int push_end(lua_State *L, const struct luge_child *child) {
  if (child->signal == 0) {
    lua_pushinteger(L, (lua_Integer)child->status);
    return 1;
  }
  lua_pushnil(L);
  lua_pushinteger(L, child->signal);
  for (int i = 0; i < SIGNALS; i++) {
    if (signals[i].number == child->signal) {
      lua_pushstring(L, signals[i].name);
      return 3;
    }
  }
  lua_pushfstring(L, "SIG%d", child->signal);
  return 3;
}

static int on_ended(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {.name = "the end of a process",
                                             .cancel = luge__waiters_leave,
                                             .finish = on_ended};
  const struct luge_child *child = check_child(L);
  (void)base;
  if (child->exited) {
    return push_end(L, child);
  }
  return luge__waiters_join(L, task, &child_at_1(L)->waiters, &kind);
}

static int child_wait(lua_State *L) {
  check_child(L);
  lua_settop(L, 1);
  return on_ended(L, luge__enter(L), 1);
}

/* kill(signal) -> whether there was a process to be sent it */

static int check_signal(lua_State *L, int arg) {
  if (lua_isinteger(L, arg)) {
    return (int)luge__check_integer(L, arg, 1, "a signal");
  }
  const char *name =
      lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg) : "";
  for (int i = 0; i < SIGNALS; i++) {
    if (strcmp(signals[i].name, name) == 0 ||
        strcmp(signals[i].name + 3, name) == 0) {
      return signals[i].number;
    }
  }
  return luge__arg_error(L, arg, "the name of a signal, such as \"SIGTERM\"");
}

static int child_kill(lua_State *L) {
  struct luge_child *child = check_child(L);
  int signal = check_signal(L, 2);
  int status = luge__child_kill(child, signal);
  if (status != 0 && status != UV_ESRCH) {
    return luge__raise(L, "process", "cannot send signal %d: %s", signal,
                       uv_strerror(status));
  }
  lua_pushboolean(L, status == 0);
  return 1;
}

static int child_pid(lua_State *L) {
  lua_pushinteger(L, check_child(L)->process.pid);
  return 1;
}

static void close_box(struct box *box) {
  struct luge_child *child = box->child;
  luge__list_remove(&box->owner_ended.link);
  if (child != NULL) {
    box->child = NULL;
    luge__child_release(child);
  }
}

static int child_close(lua_State *L) {
  close_box(luge__class_check(L, 1, &child_class));
  return 0;
}

/* keep(task): closes the child when the task ends, also one that never ran. */

static void on_owner_ended(struct luge_listener *listener) {
  close_box(luge__container(listener, struct box, owner_ended));
}

static int child_keep(lua_State *L) {
  check_child(L);
  struct box *box = lua_touserdata(L, 1);
  struct luge_task *task = luge__class_check(L, 2, &luge__task_class);
  box->owner_ended.notify = on_owner_ended;
  luge__list_append(&task->cell.listeners, &box->owner_ended.link);
  return 0;
}

/* spawn(arguments, environment or nil, whether that is all, cwd or nil, stdin,
 * stdout, stderr, grace) */

/* The strings of the list at `arg`, as long as the userdata that it leaves on
 * the stack and the list live. */
static char **check_strings(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, arg);
  char **strings =
      lua_newuserdatauv(L, (size_t)(count + 1) * sizeof *strings, 0);
  for (lua_Integer i = 0; i < count; i++) {
    size_t length;
    lua_rawgeti(L, arg, i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      luge__raise(L, "invalid",
                  "argument %I of a process is a %s, and takes "
                  "a string",
                  (LUAI_UACINT)i, luaL_typename(L, -1));
    }
    strings[i] = (char *)lua_tolstring(L, -1, &length);
    if (strlen(strings[i]) != length) {
      luge__raise(L, "invalid", "a process takes no string with a zero byte");
    }
    lua_pop(L, 1);
  }
  strings[count] = NULL;
  return strings;
}

static void stop_children(struct luge_service *service) {
  struct children *children =
      luge__container(service, struct children, service);
  struct luge_list *at;
  for (at = children->list.next; at != &children->list; at = at->next) {
    luge__child_kill(luge__container(at, struct luge_child, link), SIGKILL);
  }
}

static void free_children(struct luge_service *service) {
  struct children *children =
      luge__container(service, struct children, service);
  luge__realloc(children->host, children, sizeof *children, 0);
}

static struct children *children_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &children_key);
  struct children *children = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return children;
}

static void create_children(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_pushboolean(L, 0); /* makes room for the key: nothing fails later */
  lua_rawsetp(L, LUA_REGISTRYINDEX, &children_key);
  struct children *children = luge__realloc(host, NULL, 0, sizeof *children);
  if (children == NULL) {
    luaL_error(L, "not enough memory");
    return;
  }
  memset(children, 0, sizeof *children);
  children->host = host;
  children->service.stop = stop_children;
  children->service.freed = free_children;
  luge__list_init(&children->list);
  luge__service_start(host, &children->service);
  lua_pushlightuserdata(L, children);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &children_key);
}

/* ENOENT may be the directory's. */
static int raise_spawn(lua_State *L, const struct luge_child_options *options,
                       int error) {
  char name[32], text[128];
  bool exhausted = error == UV_EMFILE || error == UV_ENFILE;
  bool in_cwd = options->cwd != NULL && access(options->cwd, X_OK) != 0;
  uv_err_name_r(error, name, sizeof name);
  uv_strerror_r(error, text, sizeof text);
  luge__push_error(L, exhausted ? "limit" : "process",
                   "cannot start %s%s%s: %s", options->file,
                   in_cwd ? " in " : "", in_cwd ? options->cwd : "", text);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "errno");
  lua_pushstring(L, in_cwd ? options->cwd : options->file);
  lua_setfield(L, -2, "path");
  if (exhausted) {
    lua_pushliteral(L, "open files");
    lua_setfield(L, -2, "what");
  }
  return lua_error(L);
}

/* What was decided about is what is run: the path that is found here, and not
 * what the child's own PATH would lead to. */
static void permit(lua_State *L, struct luge_child_options *options) {
  if (luge__is_trusted(luge__host(L))) {
    return;
  }
  char *path = luge__program_find(options->file, options->cwd);
  if (path == NULL) { /* whether there is one is not told to everybody */
    luge__permit(L, LUGE_OP_PROCESS_SPAWN, options->file);
    return;
  }
  options->file = lua_pushstring(L, path);
  free(path);
  luge__permit_program(L, LUGE_OP_PROCESS_SPAWN, options->file);
}

static int lib_spawn(lua_State *L) {
  static const char *const modes[] = {"null", "pipe", "inherit", "stdout",
                                      NULL};
  struct luge_child_options options = {.cwd = luaL_optstring(L, 4, NULL)};
  for (int i = 0; i < 3; i++) {
    options.stdio[i] =
        (enum luge_child_stdio)luaL_checkoption(L, 5 + i, NULL, modes);
  }
  options.grace = luge__check_seconds(L, 8);
  lua_settop(L, 8);
  options.args = check_strings(L, 1);
  options.file = options.args[0];
  luaL_argcheck(L, options.file != NULL, 1, "no program");
  permit(L, &options);
  options.env = luge__environment_for_child(L, 2, lua_toboolean(L, 3));
  struct box *box = luge__class_new(L, &child_class, sizeof *box, 0);
  struct luge_host *host = luge__host(L);
  luge__list_init(&box->owner_ended.link);
  luge__flush(host);
  int status =
      luge__child_spawn(host, &children_of(L)->list, &options, &box->child);
  return status == 0 ? 1 : raise_spawn(L, &options, status);
}

int luge__open_process(lua_State *L) {
  static const luaL_Reg methods[] = {{"read", child_read},
                                     {"write", child_write},
                                     {"end_input", child_end_input},
                                     {"end_output", child_end_output},
                                     {"wait", child_wait},
                                     {"kill", child_kill},
                                     {"pid", child_pid},
                                     {"keep", child_keep},
                                     {"close", child_close},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__gc", child_close}, {"__close", child_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"spawn", lib_spawn}, {NULL, NULL}};
  luge__class_init(L, &child_class, methods, metamethods);
  create_children(L);
  luaL_newlib(L, functions);
  return 1;
}
