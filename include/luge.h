/* luge: an embeddable scripting host for asynchronous Lua.
 *
 * A host is one Lua state on one loop, used on one thread. Nothing here exits
 * the process, prints, or installs a signal handler; the embedder ignores
 * SIGPIPE. Functions that can fail return 0 on success or one of luge_status.
 */
#ifndef LUGE_H
#define LUGE_H

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

#include <lua.h> /* not every distribution's is fit for C++ by itself */

#if defined(__GNUC__) && !defined(_WIN32)
#define LUGE_API __attribute__((visibility("default")))
#else
#define LUGE_API
#endif

#define LUGE_VERSION "0.1.0"

typedef struct luge_host luge_host;
typedef struct luge_task luge_task;

enum luge_status {
  LUGE_OK = 0,
  LUGE_ERROR = 1,     /* a script failed; on_error was told */
  LUGE_INVALID = 2,   /* a bad argument, or a call where it is not allowed */
  LUGE_MEMORY = 3,    /* out of memory */
  LUGE_CANCELLED = 4, /* the main task was cancelled */
  LUGE_EXIT = 5       /* the script called os.exit: see luge_exit_code */
};

enum luge_log_level {
  LUGE_LOG_DEBUG,
  LUGE_LOG_INFO,
  LUGE_LOG_WARN,
  LUGE_LOG_ERROR
};

enum luge_stream { LUGE_STDOUT = 1, LUGE_STDERR = 2 };

/* What a host is opened with. Zeroed fields mean the default; `size` is
 * sizeof(luge_options), so that older programs go on working. */
typedef struct luge_options {
  size_t size;
  uv_loop_t *loop;     /* borrowed; NULL: the host has its own */
  size_t memory_limit; /* bytes for Lua and luge's buffers; 0: none */
  void *user;          /* handed to the callbacks */

  /* Seconds; a task that holds the loop for longer is logged, with its
   * traceback. 0: not watched, which costs nothing. */
  double slow;

  /* Whether luge_interrupt works from other threads: up to 2 times slower in
   * tight loops. `slow` costs the same. */
  int interruptible;

  /* What scripts print. The bytes are the callee's only during the call.
   * Returns 0; or a negative errno: the stream is closed to the script. */
  int (*output)(luge_host *host, enum luge_stream stream, const char *bytes,
                size_t length, void *user);

  /* An error that nobody can handle any more: an uncaught one, or one of a
   * task that nobody awaited. `traceback` may be NULL. */
  void (*on_error)(luge_host *host, const char *message,
                   const char *traceback, void *user);

  /* What the host has to say of itself, such as a slow task. */
  void (*log)(luge_host *host, enum luge_log_level level, const char *message,
              void *user);
} luge_options;

/* Opens a host, or returns NULL: out of memory, or options from a newer luge.
 * `options` may be NULL. */
LUGE_API luge_host *luge_open(const luge_options *options);

/* Cancels what runs, lets handlers run, and frees the host. Not from inside
 * one of its callbacks: LUGE_INVALID. */
LUGE_API int luge_close(luge_host *host);

/* Runs a script as the main task until it, and what it owns, has ended. The
 * `argc` strings of `argv` are its arguments. `chunkname` as for lua_load. */
LUGE_API int luge_run_string(luge_host *host, const char *code, size_t length,
                             const char *chunkname, int argc,
                             const char *const *argv);

/* The same for a file; NULL: standard input. */
LUGE_API int luge_run_file(luge_host *host, const char *path, int argc,
                           const char *const *argv);

/* Whether an error has been reported since the host was opened. */
LUGE_API int luge_failed(const luge_host *host);

/* What os.exit was given. */
LUGE_API int luge_exit_code(const luge_host *host);

/* Cancels the main task, with `reason`, a static string. Loop thread only. */
LUGE_API void luge_cancel(luge_host *host, const char *reason);

/* Interrupts a script that runs and does not wait: its task is cancelled with
 * the reason "interrupted", and no `pcall` keeps the error. Where nothing runs
 * it does nothing. From a signal handler on the host's own thread; or from
 * another thread, if the option `interruptible` was set (else LUGE_INVALID):
 * then whatever runs next is interrupted. */
LUGE_API int luge_interrupt(luge_host *host);

/* The Lua state, for registering modules before anything runs. */
LUGE_API lua_State *luge_lua(luge_host *host);

#ifdef __cplusplus
}
#endif

#endif
