/* Talking to a server of ours over raw sockets, for tests in C. One process
 * runs a script with the server, a child of it is the client, with blocking
 * sockets; the child's exit status says whether everything was as it should be.
 */
#ifndef LUGE_TESTS_RAW_HTTP_H
#define LUGE_TESTS_RAW_HTTP_H

#include <luge.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static char reply[16 * 1024 * 1024];
static size_t reply_len;

#undef CHECK
#define CHECK(condition)                                                       \
  EXPECT(condition, "%s\n  last reply: %.500s", #condition, reply)

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void nap(int milliseconds) {
  poll(NULL, 0, milliseconds);
}

static inline int dial(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((unsigned short)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct timeval patience = {60, 0};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static inline void say_bytes(int fd, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) { /* was stopped, and goes on */
      continue;
    }
    if (n <= 0) {
      return;
    }
    bytes += n;
    len -= (size_t)n;
  }
}

static inline void say(int fd, const char *text) {
  say_bytes(fd, text, strlen(text));
}

/* Appends what comes to the reply; what recv returned. A process that was
 * stopped and goes on is told EINTR. */
static inline ssize_t hear_once(int fd) {
  ssize_t n;
  do {
    n = recv(fd, reply + reply_len, sizeof reply - 1 - reply_len, 0);
  } while (n < 0 && errno == EINTR);
  if (n > 0) {
    reply_len += (size_t)n;
  }
  reply[reply_len] = '\0';
  return n;
}

static inline void forget(void) {
  reply_len = 0;
  reply[0] = '\0';
}

/* Reads until the reply holds `text`; false if the connection ends first. */
static inline int hear(int fd, const char *text) {
  while (strstr(reply, text) == NULL) {
    if (hear_once(fd) <= 0) {
      return 0;
    }
  }
  return 1;
}

/* Reads to the end: 0 for an orderly one, -1 for a reset or no end. */
static inline int hear_end(int fd) {
  ssize_t n;
  while ((n = hear_once(fd)) > 0) {
  }
  return (int)n;
}

/* One request on a connection of its own, which the server closes. */
static inline const char *ask(int port, const char *head, const char *rest) {
  int fd = dial(port);
  forget();
  say(fd, head);
  say(fd, " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
  say(fd, rest);
  hear_end(fd);
  close(fd);
  return reply;
}

static inline const char *body(void) {
  const char *end = strstr(reply, "\r\n\r\n");
  return end != NULL ? end + 4 : "";
}

static inline int is_status(int status) {
  return strncmp(reply, "HTTP/1.1 ", 9) == 0 && atoi(reply + 9) == status;
}

static inline int has(const char *text) {
  return strstr(reply, text) != NULL;
}

static inline void on_raw_error(luge_host *host, const char *message,
                                const char *traceback, void *user) {
  (void)host;
  (void)user;
  fprintf(stderr, "%s\n%s\n", message, traceback != NULL ? traceback : "");
}

/* Runs the script in this process, with a file to write its ports to as the
 * argument, and `client`, which reads them, in a child. The exit status. */
static inline int serve(const char *script, size_t memory_limit,
                        rlim_t descriptors, int (*client)(int ports)) {
  int ports[2];
  signal(SIGPIPE, SIG_IGN);
  if (pipe(ports) != 0) {
    return 1;
  }
  pid_t child = fork();
  if (child == 0) {
    close(ports[1]);
    int failed = client(ports[0]);
    if (failed != 0) { /* perhaps it has not told the server to end */
      kill(getppid(), SIGKILL);
    }
    _exit(failed);
  }
  close(ports[0]);
  struct rlimit few = {descriptors, descriptors};
  setrlimit(RLIMIT_NOFILE, &few);
  char path[32];
  snprintf(path, sizeof path, "/dev/fd/%d", ports[1]);
  const char *argv[] = {path};
  luge_options options = {.size = sizeof options,
                          .memory_limit = memory_limit,
                          .on_error = on_raw_error};
  luge_host *host = luge_open(&options);
  int status = luge_run_file(host, script, 1, argv);
  luge_close(host);
  close(ports[1]);
  int client_status;
  waitpid(child, &client_status, 0);
  if (clock() / CLOCKS_PER_SEC > 20) {
    fprintf(stderr, "the server span\n");
    return 1;
  }
  return status == LUGE_OK && client_status == 0 ? 0 : 1;
}

#endif
