/* Children: processes with pipes to their standard streams. The struct belongs
 * to libuv as long as a handle of it is open; scripts have a small userdata.
 * When that is closed or collected, the pipes are closed, and the process is
 * told to end: SIGTERM, and SIGKILL when its grace is over. It is reaped in
 * any case, at the latest when the host closes. Loop thread only. */
#ifndef LUGE_MOD_PROCESS_CHILD_H
#define LUGE_MOD_PROCESS_CHILD_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "../core/host.h"
#include "../core/list.h"

/* Where a standard stream of a child leads to. */
enum luge_child_stdio {
  LUGE_CHILD_NULL,
  LUGE_CHILD_PIPE,
  LUGE_CHILD_INHERIT,
  LUGE_CHILD_STDOUT /* of standard error: where its standard output does */
};

struct luge_child_output {
  uv_pipe_t pipe; /* data: the child */
  char *bytes;    /* what has come and was not taken */
  size_t length, capacity;
  struct luge_list readers;
  int error;   /* a negative errno */
  bool exists; /* the pipe is a handle, to be closed */
  bool reads;  /* and not held back */
  bool ended;
};

struct luge_child {
  uv_process_t process;
  uv_timer_t grace_timer;
  uv_pipe_t input; /* data: the child */
  struct luge_child_output output[2];
  struct luge_list link;    /* in the list of children that live */
  struct luge_list waiters; /* for its end */
  struct luge_host *host;
  double grace; /* seconds */
  int64_t status;
  int signal;
  unsigned writes;    /* under way */
  unsigned holds;     /* open handles, and the userdata */
  bool input_open;    /* takes writes */
  bool input_closing; /* to be closed after the last of them */
  bool counted, started, exited;
};

struct luge_child_options {
  const char *file; /* to be searched in PATH if it has no slash */
  char **args;
  char **env; /* NULL: that of this process */
  const char *cwd;
  enum luge_child_stdio stdio[3];
  double grace;
};

/* Starts one; `children` is the list of those that live. 0, or a negative
 * errno. */
int luge__child_spawn(struct luge_host *host, struct luge_list *children,
                      const struct luge_child_options *options,
                      struct luge_child **result);

/* The userdata is closed. The struct may be gone afterwards. */
void luge__child_release(struct luge_child *child);

/* 0, or a negative errno; UV_ESRCH once it has ended. */
int luge__child_kill(struct luge_child *child, int signal);

/* No more writes; closes the pipe once they have ended. */
void luge__child_close_input(struct luge_child *child);

/* Nothing that it writes is read any more. */
void luge__child_close_output(struct luge_child *child);

/* A write has ended. */
void luge__child_written(struct luge_child *child);

/* There is room again for what it writes. */
void luge__child_read_on(struct luge_child_output *output);

#endif
