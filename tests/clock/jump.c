/* A wall clock that jumps: preloaded, the first look at it is right, and each
 * later one CLOCK_JUMP seconds off, as if somebody had set it in between. Other
 * clocks are the system's. */
#define _GNU_SOURCE 1

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long jump(void) {
  static int looks;
  const char *text = getenv("CLOCK_JUMP");
  return looks++ > 0 && text != NULL ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  long status = syscall(SYS_clock_gettime, clock, now);
  if (status == 0 && clock == CLOCK_REALTIME) {
    now->tv_sec += jump();
  }
  return (int)status;
}

int timespec_get(struct timespec *now, int base) {
  return clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}
