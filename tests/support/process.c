/* See process.h. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 16, MAX_LINE = 4096 };

void process_check(bool ok, const char *text, const char *file, int line) {
  if (!ok) {
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, text);
    exit(1);
  }
}

double process_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void make_pipe(int ends[2]) {
  CHECK(pipe(ends) == 0);
  for (int i = 0; i < 2; i++) {
    CHECK(fcntl(ends[i], F_SETFD, FD_CLOEXEC) == 0);
  }
}

/* Our end, and the name of the other. */
static int open_terminal(int *other) {
  int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0);
  *other = open(ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(*other >= 0);
  return ours;
}

static void run(char **arguments, unsigned flags, const int theirs[3]) {
  for (int fd = 0; fd <= 2; fd++) {
    dup2(theirs[fd], fd);
  }
  if (flags & PROCESS_NONBLOCKING_OUT) {
    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
  }
  signal(SIGINT, flags & PROCESS_IGNORES_SIGINT ? SIG_IGN : SIG_DFL);
  execv(arguments[0], arguments);
  _exit(99);
}

void process_start(struct process *process, unsigned flags, ...) {
  char *arguments[MAX_ARGUMENTS] = {getenv("LUGE")};
  CHECK(arguments[0] != NULL);
  va_list list;
  va_start(list, flags);
  for (int i = 1; (arguments[i] = va_arg(list, char *)) != NULL; i++) {
    CHECK(i + 1 < MAX_ARGUMENTS);
  }
  va_end(list);
  int in[2] = {-1, -1}, out[2], err[2];
  make_pipe(err);
  if (flags & PROCESS_TERMINAL) {
    out[0] = open_terminal(&out[1]);
    in[0] = out[1];
  } else {
    make_pipe(in);
    make_pipe(out);
  }
  int started[2]; /* closed by `execv` */
  make_pipe(started);
  process->pid = fork();
  CHECK(process->pid >= 0);
  if (process->pid == 0) {
    run(arguments, flags, (int[3]){in[0], out[1], err[1]});
  }
  if (in[0] != out[1]) {
    close(in[0]);
  }
  close(out[1]);
  close(err[1]);
  close(started[1]);
  CHECK(read(started[0], &started[1], 1) == 0);
  close(started[0]);
  *process = (struct process){process->pid, in[1], out[0], err[0]};
}

const char *process_line(int fd) {
  static char line[MAX_LINE];
  size_t length = 0;
  while (length + 1 < sizeof line && read(fd, line + length, 1) == 1 &&
         line[length] != '\n') {
    length++;
  }
  line[length] = '\0';
  return line;
}

void process_expect(int fd, const char *text) {
  const char *line;
  do {
    line = process_line(fd);
    if (line[0] == '\0') {
      fprintf(stderr, "'%s' did not come\n", text);
      exit(1);
    }
  } while (strstr(line, text) == NULL);
}

void process_write(struct process *process, const char *text) {
  int fd = process->in >= 0 ? process->in : process->out;
  CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

void process_close(int *fd) {
  if (*fd >= 0) {
    close(*fd);
  }
  *fd = -1;
}

int process_end(struct process *process, bool *killed) {
  int status;
  while (waitpid(process->pid, &status, 0) < 0) {
    CHECK(errno == EINTR);
  }
  process_close(&process->in);
  process_close(&process->out);
  process_close(&process->err);
  if (killed != NULL) {
    *killed = WIFSIGNALED(status);
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
