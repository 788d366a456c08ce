/* Running the command from a test in C, with pipes or a terminal on its
 * standard descriptors: for what the shell cannot do, such as signals. $LUGE
 * names the command. A check that fails ends the test. */
#ifndef LUGE_TESTS_PROCESS_H
#define LUGE_TESTS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
  pid_t pid;
  int in, out, err; /* our ends; -1: closed */
};

/* How it is started, beside the defaults. */
enum {
  PROCESS_IGNORES_SIGINT = 1,  /* as under nohup */
  PROCESS_NONBLOCKING_OUT = 2, /* standard output is a non-blocking pipe */
  PROCESS_TERMINAL = 4         /* in and out are a terminal: read from `out` */
};

/* Starts the command with the arguments, ended by NULL. */
void process_start(struct process *process, unsigned flags, ...);

/* Reads a line, whose newline is dropped, into a buffer that the next call
 * uses again; "" at the end. */
const char *process_line(int fd);

/* Reads lines until one holds `text`; fails if none does. */
void process_expect(int fd, const char *text);

void process_write(struct process *process, const char *text);
void process_close(int *fd);

/* Closes what is open and waits for the end. The status as a shell has it:
 * 128 and the signal, if one has killed it, with `killed` set. */
int process_end(struct process *process, bool *killed);

/* Seconds on a monotonic clock. */
double process_clock(void);

#define CHECK(condition)                                                       \
  process_check((condition), #condition, __FILE__, __LINE__)
void process_check(bool ok, const char *text, const char *file, int line);

#endif
