/* Servers of raw sockets for tests in C: each connection has a process of its
 * own, which may do what it likes to it, and tests of Lua run beside them. */
#ifndef LUGE_TESTS_FAULT_SERVER_H
#define LUGE_TESTS_FAULT_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socket.h"

static inline void nap(int milliseconds) {
  poll(NULL, 0, milliseconds);
}

/* The process of a connection whose client has left ends. */
static inline void put(int fd, const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
    if (n <= 0) {
      _exit(0);
    }
    at += n;
    length -= (size_t)n;
  }
}

static inline void say(int fd, const char *text) {
  put(fd, text, strlen(text));
}

/* Until the client has left. */
static inline void linger(int fd) {
  char scrap[4096];
  while (recv(fd, scrap, sizeof scrap, 0) > 0) {
  }
}

static inline void reset(int fd) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
  _exit(0);
}

static inline void listen_for_ever(int listener, void (*serve)(int fd)) {
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0 && fork() == 0) {
      int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      close(listener);
      serve(fd);
      shutdown(fd, SHUT_WR);
      _exit(0);
    }
    close(fd);
  }
}

static inline int open_listener(int *port) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int fd = stream_socket(AF_INET);
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
      listen(fd, 64) != 0 ||
      getsockname(fd, (struct sockaddr *)&at, &size) != 0) {
    return -1;
  }
  *port = ntohs(at.sin_port);
  return fd;
}

/* Starts a server, and says its port in the environment, by this name. Its
 * process leads a group with those of its connections; or -1. */
static inline pid_t start_server(const char *name, void (*serve)(int fd)) {
  char text[16];
  int port = 0, listener = open_listener(&port);
  if (listener < 0) {
    return -1;
  }
  pid_t server = fork();
  if (server == 0) {
    setpgid(0, 0);
    listen_for_ever(listener, serve);
  }
  setpgid(server, server);
  close(listener);
  snprintf(text, sizeof text, "%d", port);
  setenv(name, text, 1);
  return server;
}

static inline void stop_server(pid_t server) {
  kill(-server, SIGKILL);
  waitpid(server, NULL, 0);
}

/* Runs a file of tests; `files`: how many descriptors it may have, 0: all. */
static inline bool run_tests(const char *path, rlim_t files) {
  const char *luge = getenv("LUGE");
  int status = 1;
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {.rlim_cur = files, .rlim_max = files};
    if (files > 0) {
      setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (luge != NULL) {
      execl(luge, luge, "test", "--patience", "10", path, (char *)NULL);
    }
    fprintf(stderr, "LUGE must name the command\n");
    _exit(127);
  }
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
