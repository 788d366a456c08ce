/* See descriptors.h. */
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool luge__descriptors_are_left(void) {
  enum { NEEDED = 8 };
  int fds[NEEDED], count = 0;
  errno = 0;
  while (count < NEEDED &&
         (fds[count] = open("/", O_RDONLY | O_CLOEXEC)) >= 0) {
    count++;
  }
  bool left = errno != EMFILE && errno != ENFILE;
  while (count > 0) {
    close(fds[--count]);
  }
  return left;
}
