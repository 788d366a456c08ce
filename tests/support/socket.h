/* A stream socket that programs which are started do not have; -1: none. */
#ifndef TESTS_SOCKET_H
#define TESTS_SOCKET_H

#include <fcntl.h>
#include <sys/socket.h>

static inline int stream_socket(int family) {
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd >= 0) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return fd;
}

#endif
