/* luge.native.testchild: the processes that `luge test` starts, one for each
 * file, and what they say; see lua/luge/internal/test_command.lua. The struct
 * belongs to libuv as long as one of its handles is open; the userdata only
 * points to it. Collecting or closing that kills the process, which is still
 * waited for. */
#include <lauxlib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "modules.h"

/* What is kept of a stream before its reader takes it, and read at once. */
enum { MAX_KEPT = 1 << 20, PIECE = 1 << 14 };

/* stdout, stderr, and what test_run.lua reports: descriptors 1 to 3. */
enum { STREAMS = 3 };
static const char *const stream_names[STREAMS] = {"stdout", "stderr", "report"};

struct stream {
  uv_pipe_t pipe; /* data: the child */
  char *text;
  size_t length, capacity;
  bool reads; /* is open, and not held back */
  bool ended;
};

struct child {
  uv_process_t process;
  struct stream streams[STREAMS];
  struct luge_host *host;
  struct luge_task *waiter; /* or NULL */
  int64_t status;
  int signal;
  int handles; /* open ones, and one for the userdata */
  bool counted, exited, told;
};

struct box {
  struct child *child; /* NULL: closed */
};

static const struct luge_class child_class = {"a test process"};

static void release(struct child *child) {
  struct luge_host *host = child->host;
  if (--child->handles > 0) {
    return;
  }
  for (int i = 0; i < STREAMS; i++) {
    struct stream *stream = &child->streams[i];
    luge__realloc(host, stream->text, stream->capacity, 0);
  }
  luge__realloc(host, child, sizeof *child, 0);
}

static void on_pipe_closed(uv_handle_t *handle) {
  release(handle->data);
}

static void on_process_closed(uv_handle_t *handle) {
  release(luge__container(handle, struct child, process));
}

static bool has_ended(const struct child *child) {
  bool ended = child->exited;
  for (int i = 0; i < STREAMS; i++) {
    ended = ended && child->streams[i].ended;
  }
  return ended;
}

/* Something has happened that the waiting task may want to know. */
static void notify(struct child *child) {
  if (child->counted && has_ended(child)) {
    child->counted = false;
    luge__unref(child->host);
  }
  struct luge_task *task = child->waiter;
  if (task != NULL) {
    child->waiter = NULL;
    luge__wake(task);
  }
}

static void end_stream(struct stream *stream) {
  if (!stream->ended) {
    stream->ended = true;
    stream->reads = false;
    uv_close((uv_handle_t *)&stream->pipe, on_pipe_closed);
  }
}

static void on_exit(uv_process_t *process, int64_t status, int signal) {
  struct child *child = luge__container(process, struct child, process);
  child->exited = true;
  child->status = status;
  child->signal = signal;
  uv_close((uv_handle_t *)process, on_process_closed);
  notify(child);
}

/* Reading. */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)suggested;
  struct child *child = handle->data;
  struct stream *stream = luge__container(handle, struct stream, pipe);
  if (stream->capacity - stream->length < PIECE) {
    size_t capacity = stream->capacity * 2 + PIECE;
    char *text =
        luge__realloc(child->host, stream->text, stream->capacity, capacity);
    if (text == NULL) {
      *buffer = uv_buf_init(NULL, 0); /* ends as a failed read */
      return;
    }
    stream->text = text;
    stream->capacity = capacity;
  }
  *buffer = uv_buf_init(stream->text + stream->length, PIECE);
}

static void on_read(uv_stream_t *handle, ssize_t count,
                    const uv_buf_t *buffer) {
  (void)buffer;
  struct stream *stream = luge__container(handle, struct stream, pipe);
  if (count == 0) {
    return;
  }
  if (count < 0) {
    end_stream(stream);
  } else {
    stream->length += (size_t)count;
    if (stream->length >= MAX_KEPT) {
      stream->reads = false;
      uv_read_stop(handle);
    }
  }
  notify(handle->data);
}

static void read_on(struct stream *stream) {
  if (!stream->reads && !stream->ended) {
    stream->reads = true;
    uv_read_start((uv_stream_t *)&stream->pipe, on_room, on_read);
  }
}

/* next() -> "stdout", "stderr" or "report" and what came, or "exit", the
 * status and the signal; nothing when all has been told */

static bool has_news(const struct child *child) {
  bool news = has_ended(child) || (child->exited && !child->told);
  for (int i = 0; i < STREAMS; i++) {
    news = news || child->streams[i].length > 0;
  }
  return news;
}

static int take(lua_State *L, struct child *child) {
  for (int i = 0; i < STREAMS; i++) {
    struct stream *stream = &child->streams[i];
    if (stream->length > 0) {
      lua_pushstring(L, stream_names[i]);
      lua_pushlstring(L, stream->text, stream->length);
      stream->length = 0;
      read_on(stream);
      return 2;
    }
  }
  if (!child->told) {
    child->told = true;
    lua_pushliteral(L, "exit");
    lua_pushinteger(L, (lua_Integer)child->status);
    lua_pushinteger(L, child->signal);
    return 3;
  }
  return 0;
}

static bool stop_waiting(struct luge_task *task) {
  ((struct child *)task->wait.data)->waiter = NULL;
  return true;
}

static int on_news(lua_State *L, struct luge_task *task, int base) {
  static const struct luge_wait_kind kind = {
      .name = "a test file", .cancel = stop_waiting, .finish = on_news};
  (void)base;
  struct child *child = task->wait.data;
  if (has_news(child)) {
    return take(L, child);
  }
  child->waiter = task;
  return luge__suspend(L, task, &kind);
}

static int child_next(lua_State *L) {
  const struct box *box = luge__class_check(L, 1, &child_class);
  if (box->child == NULL) {
    return luge__raise(L, "closed", "the test process is closed");
  }
  if (box->child->waiter != NULL) {
    return luge__raise(L, "invalid", "another task waits for the process");
  }
  struct luge_task *task = luge__enter(L);
  task->wait.data = box->child;
  return on_news(L, task, lua_gettop(L));
}

/* close() kills the process unless it has ended. */
static int child_close(lua_State *L) {
  struct box *box = luge__class_check(L, 1, &child_class);
  struct child *child = box->child;
  if (child == NULL) {
    return 0;
  }
  if (child->waiter != NULL) {
    return luge__raise(L, "invalid", "a task waits for the process");
  }
  box->child = NULL;
  if (!child->exited) {
    uv_process_kill(&child->process, SIGKILL);
  }
  for (int i = 0; i < STREAMS; i++) {
    end_stream(&child->streams[i]);
  }
  if (child->counted) {
    child->counted = false;
    luge__unref(child->host);
  }
  release(child);
  return 0;
}

/* spawn(arguments) -> a process of this program with them, and with its path
 * in the environment, as LUGE */

static struct child *create(lua_State *L, struct box *box) {
  struct luge_host *host = luge__host(L);
  struct child *child = luge__alloc_zeroed(L, sizeof *child);
  child->host = host;
  child->handles = STREAMS + 2;
  for (int i = 0; i < STREAMS; i++) {
    uv_pipe_init(host->loop, &child->streams[i].pipe, 0);
    child->streams[i].pipe.data = child;
  }
  box->child = child;
  return child;
}

static int start(struct child *child, const char *path, char **arguments) {
  uv_stdio_container_t stdio[STREAMS + 1] = {{.flags = UV_IGNORE}};
  for (int i = 0; i < STREAMS; i++) {
    stdio[i + 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[i + 1].data.stream = (uv_stream_t *)&child->streams[i].pipe;
  }
  uv_process_options_t options = {.file = path,
                                  .args = arguments,
                                  .exit_cb = on_exit,
                                  .stdio = stdio,
                                  .stdio_count = STREAMS + 1};
  return uv_spawn(child->host->loop, &child->process, &options);
}

static int lib_spawn(lua_State *L) {
  char path[4096];
  size_t size = sizeof path;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_Integer count = luaL_len(L, 1);
  char **arguments =
      lua_newuserdatauv(L, ((size_t)count + 2) * sizeof *arguments, 0);
  arguments[0] = path;
  luaL_checkstack(L, (int)count + LUA_MINSTACK, NULL);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, 1, i);
    arguments[i] = (char *)luaL_checkstring(L, -1);
  }
  arguments[count + 1] = NULL;
  int status = uv_exepath(path, &size);
  if (status != 0) {
    return luge__raise(L, "process", "cannot find this program: %s",
                       uv_strerror(status));
  }
  uv_os_setenv("LUGE", path);
  struct box *box = luge__class_new(L, &child_class, sizeof *box, 0);
  struct child *child = create(L, box);
  status = start(child, path, arguments);
  if (status != 0) {
    child->exited = true;
    uv_close((uv_handle_t *)&child->process, on_process_closed);
    return luge__raise(L, "process", "cannot start a test process: %s",
                       uv_strerror(status));
  }
  child->counted = true;
  luge__ref(child->host);
  for (int i = 0; i < STREAMS; i++) {
    read_on(&child->streams[i]);
  }
  return 1;
}

/* list(path) -> name -> "file" or "directory"; nothing unless a directory */
static int lib_list(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  uv_fs_t request;
  uv_dirent_t entry;
  if (uv_fs_scandir(NULL, &request, path, 0, NULL) < 0) {
    uv_fs_req_cleanup(&request);
    return 0;
  }
  lua_newtable(L);
  while (uv_fs_scandir_next(&request, &entry) == 0) {
    lua_pushstring(L, entry.type == UV_DIRENT_DIR ? "directory" : "file");
    lua_setfield(L, -2, entry.name);
  }
  uv_fs_req_cleanup(&request);
  return 1;
}

/* is_terminal() -> whether standard output is one */
static int lib_is_terminal(lua_State *L) {
  lua_pushboolean(L, uv_guess_handle(STDOUT_FILENO) == UV_TTY);
  return 1;
}

int luge__open_testchild(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"next", child_next}, {"close", child_close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__close", child_close}, {"__gc", child_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"spawn", lib_spawn},
                                       {"list", lib_list},
                                       {"is_terminal", lib_is_terminal},
                                       {NULL, NULL}};
  luge__class_init(L, &child_class, methods, metamethods);
  luaL_newlib(L, functions);
  lua_pushinteger(L, (lua_Integer)sysconf(_SC_NPROCESSORS_ONLN));
  lua_setfield(L, -2, "cores");
  return 1;
}
