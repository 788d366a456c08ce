/* Children; see process_child.h. The pipes are real ones and not the pairs of
 * sockets that libuv would make, so that a child can open /dev/stdout. */
#include "process_child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/sched.h"
#include "../core/wait.h"

/* What is kept of an output before it is taken, and read at once. */
enum { MAX_KEPT = 1 << 18, PIECE = 1 << 16 };

enum { CLOEXEC_RANGE = 4 }; /* CLOSE_RANGE_CLOEXEC */

static void let_go(struct luge_child *child) {
  if (--child->holds > 0) {
    return;
  }
  for (int i = 0; i < 2; i++) {
    luge__realloc(child->host, child->output[i].bytes,
                  child->output[i].capacity, 0);
  }
  luge__realloc(child->host, child, sizeof *child, 0);
}

static void on_closed(uv_handle_t *handle) {
  struct luge_child *child = handle->data;
  child->host->handles--;
  let_go(child);
}

static void hold(struct luge_child *child, void *handle) {
  ((uv_handle_t *)handle)->data = child;
  child->host->handles++;
  child->holds++;
}

static void close_handle(void *handle) {
  uv_close(handle, on_closed);
}

/* Only what may still wake a task counts. */
static void recount(struct luge_child *child) {
  bool lives =
      !child->exited || !child->output[0].ended || !child->output[1].ended;
  if (child->counted && !lives) {
    child->counted = false;
    luge__unref(child->host);
  }
}

/* Its end. */

static void on_exit(uv_process_t *process, int64_t status, int signal) {
  struct luge_child *child = process->data;
  child->exited = true;
  child->status = status;
  child->signal = signal;
  luge__list_remove(&child->link);
  close_handle(&child->grace_timer);
  close_handle(process);
  luge__waiters_wake_all(&child->waiters);
  recount(child);
}

static void on_grace_over(uv_timer_t *timer) {
  struct luge_child *child = timer->data;
  luge__child_kill(child, SIGKILL);
}

int luge__child_kill(struct luge_child *child, int signal) {
  return child->exited ? UV_ESRCH : uv_process_kill(&child->process, signal);
}

/* What it writes. */

static void end_output(struct luge_child_output *output) {
  if (!output->ended) {
    output->ended = true;
    output->reads = false;
    luge__waiters_wake_all(&output->readers);
    if (output->exists) {
      close_handle(&output->pipe);
    }
  }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  struct luge_child_output *output =
      luge__container(handle, struct luge_child_output, pipe);
  struct luge_child *child = handle->data;
  (void)suggested;
  if (output->capacity - output->length < PIECE) {
    size_t capacity = output->capacity * 2 + PIECE;
    char *bytes =
        luge__realloc(child->host, output->bytes, output->capacity, capacity);
    if (bytes == NULL) {
      *buffer = uv_buf_init(NULL, 0); /* ends as a failed read */
      return;
    }
    output->bytes = bytes;
    output->capacity = capacity;
  }
  *buffer = uv_buf_init(output->bytes + output->length, PIECE);
}

static void on_read(uv_stream_t *handle, ssize_t count,
                    const uv_buf_t *buffer) {
  struct luge_child_output *output =
      luge__container(handle, struct luge_child_output, pipe);
  (void)buffer;
  if (count < 0) {
    output->error = count == UV_EOF ? 0 : (int)count;
    end_output(output);
    recount(handle->data);
    return;
  }
  output->length += (size_t)count;
  if (output->length >= MAX_KEPT) {
    output->reads = false;
    uv_read_stop(handle);
  }
  if (output->length > 0) {
    luge__waiters_wake_one(&output->readers);
  }
}

void luge__child_read_on(struct luge_child_output *output) {
  if (!output->reads && !output->ended) {
    output->reads = true;
    uv_read_start((uv_stream_t *)&output->pipe, on_room, on_read);
  }
}

void luge__child_close_output(struct luge_child *child) {
  end_output(&child->output[0]);
  end_output(&child->output[1]);
  recount(child);
}

/* What it reads. */

static void close_input(struct luge_child *child) {
  if (child->input_closing && child->writes == 0) {
    child->input_closing = false;
    close_handle(&child->input);
  }
}

void luge__child_close_input(struct luge_child *child) {
  if (child->input_open) {
    child->input_open = false;
    child->input_closing = true;
    close_input(child);
  }
}

void luge__child_written(struct luge_child *child) {
  child->writes--;
  close_input(child);
}

/* Closes the pipe at once: what is under way ends with UV_ECANCELED. */
static void abort_input(struct luge_child *child) {
  if (child->input_open || child->input_closing) {
    child->input_open = child->input_closing = false;
    close_handle(&child->input);
  }
}

void luge__child_release(struct luge_child *child) {
  abort_input(child);
  luge__child_close_output(child);
  luge__waiters_wake_all(&child->waiters);
  if (child->counted) {
    child->counted = false;
    luge__unref(child->host);
  }
  if (!child->exited) {
    luge__child_kill(child, SIGTERM);
    uv_timer_start(&child->grace_timer, on_grace_over,
                   (uint64_t)(child->grace * 1000), 0);
  }
  let_go(child);
}

/* Starting one. */

struct ends {
  uv_file own[3], its[3]; /* -1: none */
};

static int open_pipes(const struct luge_child_options *options,
                      struct ends *ends) {
  for (int i = 0; i < 3; i++) {
    uv_file pair[2];
    if (options->stdio[i] != LUGE_CHILD_PIPE) {
      continue;
    }
    int status = i == 0 ? uv_pipe(pair, 0, UV_NONBLOCK_PIPE)
                        : uv_pipe(pair, UV_NONBLOCK_PIPE, 0);
    if (status != 0) {
      return status;
    }
    ends->own[i] = pair[i == 0];
    ends->its[i] = pair[i != 0];
  }
  return 0;
}

static void close_ends(uv_file *ends) {
  for (int i = 0; i < 3; i++) {
    if (ends[i] >= 0) {
      close(ends[i]);
      ends[i] = -1;
    }
  }
}

static int open_pipe(struct luge_child *child, uv_pipe_t *pipe, uv_file *fd) {
  int status = uv_pipe_init(child->host->loop, pipe, 0);
  if (status == 0) {
    hold(child, pipe);
    status = uv_pipe_open(pipe, *fd);
  }
  if (status == 0) {
    *fd = -1; /* the handle's */
  }
  return status;
}

static int take_own_ends(struct luge_child *child, struct ends *ends) {
  int status = 0;
  if (ends->own[0] >= 0) {
    status = open_pipe(child, &child->input, &ends->own[0]);
    child->input_open = child->input.data != NULL;
  }
  for (int i = 0; i < 2 && status == 0; i++) {
    struct luge_child_output *output = &child->output[i];
    if (ends->own[i + 1] >= 0) {
      status = open_pipe(child, &output->pipe, &ends->own[i + 1]);
      output->exists = output->pipe.data != NULL;
      output->ended = !output->exists;
    }
  }
  return status;
}

/* Marks all descriptors as not for children: also those that this process
 * itself inherited, which nobody has marked. */
static void keep_descriptors(void) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, 3U, ~0U, CLOEXEC_RANGE) == 0) {
    return;
  }
#endif
  uv_disable_stdio_inheritance();
}

static int start(struct luge_child *child,
                 const struct luge_child_options *options,
                 const struct ends *ends) {
  uv_stdio_container_t stdio[3];
  for (int i = 0; i < 3; i++) {
    bool as_output = options->stdio[i] == LUGE_CHILD_STDOUT;
    int from = as_output ? 1 : i;
    enum luge_child_stdio mode = options->stdio[from];
    stdio[i].flags = mode == LUGE_CHILD_NULL ? UV_IGNORE : UV_INHERIT_FD;
    stdio[i].data.fd = mode == LUGE_CHILD_PIPE ? ends->its[from] : from;
  }
  uv_process_options_t process = {.file = options->file,
                                  .args = options->args,
                                  .env = options->env,
                                  .cwd = options->cwd,
                                  .exit_cb = on_exit,
                                  .stdio = stdio,
                                  .stdio_count = 3};
  keep_descriptors();
  int status = uv_spawn(child->host->loop, &child->process, &process);
  hold(child, &child->process);
  return status;
}

static struct luge_child *create(struct luge_host *host, double grace) {
  struct luge_child *child = luge__realloc(host, NULL, 0, sizeof *child);
  if (child == NULL) {
    return NULL;
  }
  memset(child, 0, sizeof *child);
  child->host = host;
  child->grace = grace;
  child->holds = 1;
  luge__list_init(&child->link);
  luge__list_init(&child->waiters);
  for (int i = 0; i < 2; i++) {
    luge__list_init(&child->output[i].readers);
    child->output[i].ended = true;
  }
  uv_timer_init(host->loop, &child->grace_timer);
  hold(child, &child->grace_timer);
  return child;
}

/* It never ran. */
static void discard(struct luge_child *child) {
  child->exited = true;
  close_handle(&child->grace_timer);
  if (child->process.data != NULL) {
    close_handle(&child->process);
  }
  luge__child_release(child);
}

int luge__child_spawn(struct luge_host *host, struct luge_list *children,
                      const struct luge_child_options *options,
                      struct luge_child **result) {
  struct ends ends = {{-1, -1, -1}, {-1, -1, -1}};
  struct luge_child *child = create(host, options->grace);
  if (child == NULL) {
    return UV_ENOMEM;
  }
  int status = open_pipes(options, &ends);
  if (status == 0) {
    status = take_own_ends(child, &ends);
  }
  if (status == 0) {
    status = start(child, options, &ends);
  }
  close_ends(ends.own);
  close_ends(ends.its);
  if (status != 0) {
    discard(child);
    return status;
  }
  luge__list_append(children, &child->link);
  child->counted = true;
  luge__ref(host);
  luge__child_read_on(&child->output[0]);
  luge__child_read_on(&child->output[1]);
  *result = child;
  return 0;
}
