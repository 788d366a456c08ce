/* Descriptors of sockets; see descriptor.h. macOS sets the flags afterwards: a
 * program started in between by another thread inherits the descriptor, unless
 * libuv starts it, which then passes on only what it was told to. */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#ifdef SOCK_CLOEXEC

int luge__descriptor_open(int family) {
  return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int luge__descriptor_accept(int listener, struct sockaddr *peer,
                            socklen_t *size) {
  return accept4(listener, peer, size, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

#else

static int prepare(int fd) {
  if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
                  fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int luge__descriptor_open(int family) {
  return prepare(socket(family, SOCK_STREAM, 0));
}

int luge__descriptor_accept(int listener, struct sockaddr *peer,
                            socklen_t *size) {
  return prepare(accept(listener, peer, size));
}

#endif
