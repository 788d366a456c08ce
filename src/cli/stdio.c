/* See stdio.h. A descriptor may be non-blocking, because another process has
 * made it so; a reader may be slow, or gone. Nothing is lost but to a reader
 * that is gone, or that takes nothing for a while after a signal has come.
 *
 * For output_room a pipe or a terminal is watched by the loop, on a descriptor
 * of its own where the system gives one (O_NONBLOCK belongs to what others
 * share with us); else the flag is put back at the end. */
#include "stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "editor.h"
#include "signals.h"

/* Milliseconds: how long a slow reader may keep the command from exiting after
 * a signal; how often to look whether a signal has come. */
enum { PATIENCE = 500, LOOK_EVERY = 100 };

struct stream {
  uv_poll_t poll;
  luge_host *host;
  int fd;     /* of `poll` */
  int flags;  /* to be put back; or -1 */
  int error;  /* an errno: nothing can be written any more */
  bool known; /* whether it ever blocks: */
  bool blocks;
  bool watched; /* `poll` is a handle of the loop */
};

static struct stream streams[2]; /* standard output, standard error */
static bool closed;              /* nothing is watched any more */

static struct stream *stream_of(enum luge_stream stream) {
  return &streams[stream - LUGE_STDOUT];
}

void cli_stdio_open(void) {
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
      (void)!open("/dev/null", O_RDONLY);
    }
  }
}

/* Files take everything, and so does /dev/null. */
static bool may_block(struct stream *stream, int fd) {
  if (!stream->known) {
    struct stat status;
    stream->known = true;
    stream->blocks =
        fstat(fd, &status) != 0 ||
        !(S_ISREG(status.st_mode) || (S_ISCHR(status.st_mode) && !isatty(fd)));
  }
  return stream->blocks;
}

/* Waits until `fd` takes bytes. False: a signal has come, and the reader had
 * its time. */
static bool wait_writable(int fd) {
  static int waited;
  struct pollfd poller = {.fd = fd, .events = POLLOUT};
  for (;;) {
    int count = poll(&poller, 1, LOOK_EVERY);
    if (count > 0) {
      return true;
    }
    if (count < 0 && errno != EINTR) {
      return true; /* whatever it is, `write` will tell */
    }
    waited += cli_stop_signal() != 0 ? LOOK_EVERY : 0;
    if (waited >= PATIENCE) {
      return false;
    }
  }
}

/* Writes all; 0 or an errno. A pipe that is writable has room for PIPE_BUF. */
static int write_all(struct stream *stream, int fd, const char *bytes,
                     size_t length) {
  bool careful = may_block(stream, fd);
  while (length > 0) {
    if (careful && !wait_writable(fd)) {
      return ECANCELED;
    }
    size_t size = careful && length > PIPE_BUF ? PIPE_BUF : length;
    ssize_t count = write(fd, bytes, size);
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      return errno;
    }
    if (count > 0) {
      bytes += count;
      length -= (size_t)count;
    }
  }
  return 0;
}

/* The same, above the line that is being typed, if there is one. */
static int print(struct stream *stream, int fd, const char *bytes,
                 size_t length) {
  bool shown = length > 0 && cli_editor_is_open() && isatty(fd);
  if (!shown) {
    return write_all(stream, fd, bytes, length);
  }
  cli_editor_make_way();
  int error = write_all(stream, fd, bytes, length);
  cli_editor_come_back(bytes[length - 1]);
  return error;
}

int cli_on_output(luge_host *host, enum luge_stream which, const char *bytes,
                  size_t length, void *user) {
  (void)user;
  struct stream *stream = stream_of(which);
  if (stream->error == 0) {
    stream->error = print(stream, (int)which, bytes, length);
    if (stream->error == EPIPE && which == LUGE_STDOUT) {
      luge_cancel(host, "standard output was closed");
    }
  }
  return -stream->error;
}

void cli_complain(const char *bytes, size_t length) {
  print(stream_of(LUGE_STDERR), STDERR_FILENO, bytes, length);
}

/* Watching for room. */

static void on_writable(uv_poll_t *poll_handle, int status, int events) {
  struct stream *stream = poll_handle->data;
  (void)status;
  (void)events;
  uv_poll_stop(poll_handle);
  luge_output_ready(stream->host,
                    stream == &streams[0] ? LUGE_STDOUT : LUGE_STDERR);
}

static int open_descriptor(struct stream *stream, int fd) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (own < 0) {
    int flags = fcntl(fd, F_GETFL);
    stream->flags = (flags & O_NONBLOCK) != 0 ? -1 : flags;
    own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  }
  return own;
}

static bool watch(luge_host *host, struct stream *stream, int fd) {
  if (stream->watched) {
    return true;
  }
  stream->host = host;
  stream->flags = -1;
  stream->fd = open_descriptor(stream, fd);
  if (stream->fd < 0) {
    return false;
  }
  if (uv_poll_init(luge_loop(host), &stream->poll, stream->fd) != 0) {
    close(stream->fd);
    return false;
  }
  stream->poll.data = stream;
  stream->watched = true;
  return true;
}

size_t cli_output_room(luge_host *host, enum luge_stream which, void *user) {
  (void)user;
  struct stream *stream = stream_of(which);
  struct pollfd poller = {.fd = (int)which, .events = POLLOUT};
  if (stream->error != 0 || !may_block(stream, (int)which)) {
    return SIZE_MAX;
  }
  if (poll(&poller, 1, 0) != 0) {
    return PIPE_BUF;
  }
  if (closed || !watch(host, stream, (int)which) ||
      uv_poll_start(&stream->poll, UV_WRITABLE, on_writable) != 0) {
    return SIZE_MAX; /* it blocks, then */
  }
  return 0;
}

void cli_stdio_close(void) {
  closed = true;
  for (int i = 0; i < 2; i++) {
    struct stream *stream = &streams[i];
    if (stream->watched) {
      uv_close((uv_handle_t *)&stream->poll, NULL);
      close(stream->fd);
      if (stream->flags != -1) {
        fcntl(i + LUGE_STDOUT, F_SETFL, stream->flags);
      }
    }
  }
}

int cli_stdout_error(void) {
  return streams[0].error;
}
