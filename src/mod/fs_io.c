/* Whole reads and writes; see fs_io.h. */
#include "fs_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* How many bytes are moved, and for how many milliseconds a thread waits,
 * before it looks whether its job was abandoned. */
enum { PIECE = 1 << 20, GLANCE = 50 };

static size_t piece_of(size_t size) {
  return size < PIECE ? size : PIECE;
}

/* After a read or write that failed. 0: it may be tried again, after waiting if
 * nothing had come yet or there was no room; or an errno. */
static int wait_on(int fd, short events) {
  int error = errno;
  if (error == EAGAIN || error == EWOULDBLOCK) {
    struct pollfd what = {.fd = fd, .events = events};
    return poll(&what, 1, GLANCE) >= 0 || errno == EINTR ? 0 : errno;
  }
  return error == EINTR ? 0 : error;
}

int luge__fs_read_full(const struct luge_job *job, int fd, char *buffer,
                       size_t size, int64_t offset, size_t *count) {
  *count = 0;
  while (*count < size) {
    if (atomic_load(&job->abandoned)) {
      return ECANCELED;
    }
    size_t piece = piece_of(size - *count);
    ssize_t n = offset >= 0
                    ? pread(fd, buffer + *count, piece, offset + (off_t)*count)
                    : read(fd, buffer + *count, piece);
    int error = n < 0 ? wait_on(fd, POLLIN) : 0;
    if (error != 0 || n == 0) {
      return error;
    }
    *count += n > 0 ? (size_t)n : 0;
    if (n > 0 && offset < 0) {
      return 0; /* what has come: more may be long in coming */
    }
  }
  return 0;
}

int luge__fs_write_full(const struct luge_job *job, int fd, const char *bytes,
                        size_t size, int64_t offset) {
  size_t done = 0;
  while (done < size) {
    if (atomic_load(&job->abandoned)) {
      return ECANCELED;
    }
    size_t piece = piece_of(size - done);
    ssize_t n = offset >= 0
                    ? pwrite(fd, bytes + done, piece, offset + (off_t)done)
                    : write(fd, bytes + done, piece);
    int error = n < 0 ? wait_on(fd, POLLOUT) : 0;
    if (error != 0) {
      return error;
    }
    done += n > 0 ? (size_t)n : 0;
  }
  return 0;
}

/* After EINTR the descriptor is closed on Linux: once is enough. */
int luge__fs_close(int fd) {
  return close(fd) == 0 || errno == EINTR ? 0 : errno;
}
