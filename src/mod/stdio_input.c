/* Standard input; see stdio_input.h.
 *
 * Pipes, sockets and terminals are a libuv stream. That must not block, and
 * O_NONBLOCK belongs to what other processes share with us, so the descriptor
 * is opened anew where the system can; else the flag is put back at the end.
 * Files are read on libuv's pool. The struct is a service of the host. */
#include "stdio_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../core/error.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/threadpool.h"

enum { CHUNK = 65536, LARGE = 1 << 20 };

static const char input_key = 0; /* registry: the struct */

/* Opening and closing. */

static void stop_service(struct luge_service *service) {
  struct luge_input *input =
      luge__container(service, struct luge_input, service);
  if (input->is_stream) {
    uv_close((uv_handle_t *)&input->pipe, NULL);
  }
  if (input->flags != -1) {
    fcntl(STDIN_FILENO, F_SETFL, input->flags);
  }
}

static void free_service(struct luge_service *service) {
  struct luge_input *input =
      luge__container(service, struct luge_input, service);
  luge__realloc(input->host, input->bytes, input->capacity, 0);
  luge__realloc(input->host, input, sizeof *input, 0);
}

static struct luge_input *create(lua_State *L) {
  struct luge_host *host = luge__host(L);
  lua_pushboolean(L, 0); /* makes room for the key: nothing fails later */
  lua_rawsetp(L, LUA_REGISTRYINDEX, &input_key);
  struct luge_input *input = luge__alloc_zeroed(L, sizeof *input);
  input->host = host;
  input->flags = -1;
  input->service.stop = stop_service;
  input->service.freed = free_service;
  luge__turns_init(&input->turns);
  luge__service_start(host, &input->service);
  lua_pushlightuserdata(L, input);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &input_key);
  return input;
}

struct luge_input *luge__input(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &input_key);
  struct luge_input *input = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return input != NULL ? input : create(L);
}

/* Whether the pipe has no writer any more. On Linux, a FIFO that is opened
 * without a writer would never report its end. */
static bool has_hung_up(void) {
  struct pollfd poller = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&poller, 1, 0) == 1 && (poller.revents & POLLHUP) != 0;
}

/* A descriptor that may be made non-blocking, and may be closed. */
static int open_descriptor(struct luge_input *input) {
  int fd =
      open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd >= 0 && !has_hung_up()) {
    return fd;
  }
  if (fd >= 0) {
    close(fd);
  }
  int flags = fcntl(STDIN_FILENO, F_GETFL);
  input->flags = (flags & O_NONBLOCK) != 0 ? -1 : flags;
  fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

static int open_stream(struct luge_input *input) {
  int fd = open_descriptor(input);
  if (fd < 0) {
    return fd;
  }
  int status = uv_pipe_init(input->host->loop, &input->pipe, 0);
  if (status == 0) {
    input->is_stream = true; /* from here on there is a handle to close */
    status = uv_pipe_open(&input->pipe, fd);
  }
  if (status != 0) {
    close(fd);
  }
  return status;
}

static void open_input(struct luge_input *input) {
  uv_handle_type type = uv_guess_handle(STDIN_FILENO);
  input->opened = true;
  if (type != UV_FILE && type != UV_UNKNOWN_HANDLE) {
    input->error = open_stream(input);
  }
}

/* Reading. */

/* Notes how a read has ended, and wakes the first task that waits, to look. */
static void came(struct luge_input *input, ssize_t count) {
  input->reading = false;
  luge__unref(input->host);
  if (count > 0) {
    input->end += (size_t)count;
  } else {
    input->error = count < 0 ? (int)count : UV_EOF;
  }
  luge__turns_wake(&input->turns);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  const struct luge_input *input =
      luge__container(handle, struct luge_input, pipe);
  (void)size;
  buffer->base = input->bytes + input->end;
  buffer->len = input->capacity - input->end;
}

static void on_stream(uv_stream_t *stream, ssize_t count,
                      const uv_buf_t *buffer) {
  struct luge_input *input = luge__container(stream, struct luge_input, pipe);
  (void)buffer;
  if (count != 0) { /* 0: it would have blocked */
    uv_read_stop(stream);
    came(input, count);
  }
}

static void on_file(uv_fs_t *request) {
  struct luge_input *input =
      luge__container(request, struct luge_input, request);
  ssize_t count = request->result;
  uv_fs_req_cleanup(request);
  came(input, count);
}

/* Room for a chunk behind what has come; may raise (memory). */
static void make_room(lua_State *L, struct luge_input *input) {
  size_t length = input->end - input->begin;
  if (input->begin > 0) {
    memmove(input->bytes, input->bytes + input->begin, length);
    input->begin = 0;
    input->end = length;
  }
  size_t capacity = input->capacity;
  if (length == 0 && capacity > LARGE) {
    capacity = CHUNK;
  } else if (capacity - length < CHUNK) {
    capacity = capacity < CHUNK ? CHUNK : capacity * 2;
  }
  if (capacity != input->capacity) {
    char *bytes =
        luge__realloc(input->host, input->bytes, input->capacity, capacity);
    if (bytes == NULL) {
      luge__raise_memory(L);
    }
    input->bytes = bytes;
    input->capacity = capacity;
  }
}

static int read_file(struct luge_input *input) {
  uv_buf_t buffer = uv_buf_init(input->bytes + input->end,
                                (unsigned)(input->capacity - input->end));
  return uv_fs_read(input->host->loop, &input->request, STDIN_FILENO, &buffer,
                    1, -1, on_file);
}

void luge__input_start(lua_State *L, struct luge_input *input) {
  if (!input->opened) {
    open_input(input);
  }
  if (input->reading || input->error != 0) {
    return;
  }
  make_room(L, input);
  if (!input->is_stream) {
    luge__threadpool_check(L);
  }
  int status = input->is_stream ? uv_read_start((uv_stream_t *)&input->pipe,
                                                on_alloc, on_stream)
                                : read_file(input);
  input->reading = status == 0;
  input->error = status;
  if (input->reading) {
    luge__ref(input->host);
  }
}

/* A reader gives up. What a pool thread reads meanwhile stays for the next. */
bool luge__input_leave(struct luge_task *task) {
  struct luge_input *input = task->wait.data;
  luge__turns_leave(task);
  if (input->reading && input->is_stream && !luge__turns_busy(&input->turns)) {
    uv_read_stop((uv_stream_t *)&input->pipe);
    input->reading = false;
    luge__unref(input->host);
  }
  return true;
}

void luge__input_consume(struct luge_input *input, size_t count) {
  struct luge_clean *clean = &input->clean;
  input->begin += count;
  clean->from = clean->from > count ? clean->from - count : 0;
  clean->to = clean->to > count ? clean->to - count : 0;
}
