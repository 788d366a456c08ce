/* What scripts do with a child process: the methods of its userdata, which
 * wait. See process_methods.h. */
#include "process_methods.h"

#include <lauxlib.h>
#include <limits.h>
#include <string.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "process_signal.h"

static const struct luge_class child_class = {"a child process"};

static struct luge_child *check_child(lua_State *L) {
  const struct luge_child_box *box = luge__class_check(L, 1, &child_class);
  if (box->child == NULL) {
    luge__raise(L, "closed", "the child process is closed");
  }
  return box->child;
}

static struct luge_child *child_at_1(lua_State *L) {
  return ((struct luge_child_box *)lua_touserdata(L, 1))->child;
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
  struct write *write = luge__alloc(L, sizeof *write + length);
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
  const struct luge_child_box *box = luge__class_check(L, 1, &child_class);
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
  luge__push_signal(L, child->signal);
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

static int child_kill(lua_State *L) {
  struct luge_child *child = check_child(L);
  int signal = luge__check_signal(L, 2);
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

static void close_box(struct luge_child_box *box) {
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
  close_box(luge__container(listener, struct luge_child_box, owner_ended));
}

static int child_keep(lua_State *L) {
  check_child(L);
  struct luge_child_box *box = lua_touserdata(L, 1);
  struct luge_task *task = luge__class_check(L, 2, &luge__task_class);
  luge__cell_watch(&task->cell, &box->owner_ended, on_owner_ended);
  return 0;
}

struct luge_child_box *luge__process_new(lua_State *L) {
  struct luge_child_box *box = luge__class_new(L, &child_class, sizeof *box, 0);
  luge__list_init(&box->owner_ended.link);
  return box;
}

void luge__process_init(lua_State *L) {
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
  luge__class_init(L, &child_class, methods, metamethods);
}
