/* UNIX sockets that scripts connect to (src/net/unix.h): what is swapped after
 * it was permitted leads nowhere else. */
#define _GNU_SOURCE 1

#include "net/unix.h"

#include <luge.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/check.h"

#if defined(__linux__)

static char inside[PATH_MAX], outside[PATH_MAX];

static int listen_at(const char *path) {
  struct luge_unix_file file;
  int fd = -1;
  CHECK(luge__unix_listen(&file, path, strlen(path), 8, &fd) == 0);
  return fd;
}

static luge_host *confined(void) {
  luge_capabilities may = luge_sandboxed();
  luge_options options = {.size = sizeof options, .capabilities = &may};
  return luge_open(&options);
}

/* Connects, and gives back what was held. */
static int reach(struct luge_unix_target *target) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  int status =
      connect(fd, (struct sockaddr *)&target->address, target->size) == 0
          ? 0
          : errno;
  close(fd);
  if (target->held >= 0) {
    close(target->held);
  }
  return status;
}

static bool was_reached(int listener) {
  struct pollfd p = {.fd = listener, .events = POLLIN};
  bool reached = poll(&p, 1, 0) == 1;
  if (reached) {
    close(accept(listener, NULL, NULL));
  }
  return reached;
}

static int aim(struct luge_unix_target *target, luge_host *host) {
  return luge__unix_aim(target, host, inside, strlen(inside));
}

int main(void) {
  char template[] = "/tmp/luge-unix-XXXXXX", root[PATH_MAX - 16];
  struct luge_unix_target target;
  CHECK(mkdtemp(template) != NULL);
  CHECK(realpath(template, root) != NULL && chdir(root) == 0);
  CHECK(mkdir("in", 0700) == 0 && mkdir("out", 0700) == 0);
  snprintf(inside, sizeof inside, "%s/in/s", root);
  snprintf(outside, sizeof outside, "%s/out/s", root);
  int in = listen_at(inside), out = listen_at(outside);
  luge_host *host = confined(), *trusting = luge_open(NULL);

  CHECK(aim(&target, host) == 0 && reach(&target) == 0 && was_reached(in));

  CHECK(aim(&target, host) ==
        0); /* and a link comes in the directory's place */
  CHECK(rename("in", "moved") == 0 && symlink("out", "in") == 0);
  CHECK(reach(&target) == 0 && was_reached(in) && !was_reached(out));
  CHECK(aim(&target, host) == ELOOP && target.held < 0);
  CHECK(aim(&target, trusting) == 0 && reach(&target) == 0);
  CHECK(was_reached(out));
  CHECK(unlink("in") == 0 && rename("moved", "in") == 0);

  CHECK(aim(&target, host) == 0); /* the same with the socket itself */
  CHECK(unlink("in/s") == 0 && symlink("../out/s", "in/s") == 0);
  CHECK(reach(&target) == 0 && was_reached(in) && !was_reached(out));
  CHECK(aim(&target, host) == 0 && reach(&target) == ECONNREFUSED);
  CHECK(!was_reached(out));

  CHECK(unlink("in/s") == 0);
  CHECK(aim(&target, host) == ENOENT && target.held < 0);

  luge_close(host);
  luge_close(trusting);
  close(in);
  close(out);
  unlink("out/s");
  rmdir("in");
  rmdir("out");
  CHECK(chdir("/") == 0 && rmdir(root) == 0);
  return failures != 0;
}

#else

int main(void) {
  return 0;
}

#endif
