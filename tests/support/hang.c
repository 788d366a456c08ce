/* A disk that does not answer: preloaded, fsync says so on standard error, and
 * does not come back. After a minute the process ends, with a status that no
 * test expects. */
#define _GNU_SOURCE 1

#include <unistd.h>

int fsync(int fd) {
  static const char text[] = "fsync hangs\n";
  (void)fd;
  if (write(STDERR_FILENO, text, sizeof text - 1) > 0) {
    for (unsigned left = 60; left > 0;) {
      left = sleep(left);
    }
  }
  _exit(99);
}
