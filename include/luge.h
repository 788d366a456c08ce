/* luge: an embeddable scripting host for asynchronous Lua.
 *
 * A host is one Lua state on one loop. There may be many, on one loop or on
 * several; each belongs to the thread that opened it. Unless stated otherwise,
 * functions are called on that thread, between luge_open and luge_close; the
 * embedder's callbacks, and C functions that a script calls, may call them too.
 * Called elsewhere, or with NULL for a required argument, they do nothing and
 * return LUGE_INVALID. So do the functions that turn the loop (luge_run_*,
 * luge_step, luge_close) in callbacks and C functions.
 *
 * Functions that can fail return 0 (LUGE_OK) or one of luge_status. Strings are
 * NUL-terminated unless a length is passed, and stay the caller's: what is
 * needed for longer is copied, except where a static string is asked for.
 *
 * Nothing here exits the process, prints, or installs a signal handler (but
 * libuv does for SIGCHLD, once a script starts a program). The embedder ignores
 * SIGPIPE. */
#ifndef LUGE_H
#define LUGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

struct uv_loop_s; /* uv_loop_t of <uv.h> */

typedef struct luge_host luge_host;
typedef struct luge_task luge_task;

enum luge_status {
  LUGE_OK = 0,
  LUGE_ERROR = 1,     /* a script failed; on_error was told */
  LUGE_INVALID = 2,   /* a bad argument, or a call where it is not allowed;
                         nothing has happened */
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

/* Capabilities: what the scripts of a host may do to the world outside of it.
 * "read" and "write" are about files, by the real path of what is opened; "net"
 * about hosts, before their names are looked up, and each address after it;
 * "env" about environment variables; "run" about programs. Every function that
 * reaches outside asks first, Lua's own too; what is denied raises `permission`
 * (its fields: `capability`, `resource`). docs/permissions.md has the details.
 *
 * Rules are lists separated by commas (",," stands for a comma); "*" means
 * everything, NULL nothing. `deny` wins over `allow`.
 *
 *   read, write   PATH: the file, or all that is below the directory
 *   net           HOST, *.HOST, an address or ADDRESS/BITS; all also with :PORT
 *                 (IPv6 then in brackets), and *:PORT
 *   env           NAME, PREFIX*
 *   run           PROGRAM: a path, or a name to be found in PATH; at once */
typedef struct luge_rules {
  const char *allow, *deny;
} luge_rules;

/* A decision about one access. The strings are valid during the callback. */
typedef struct luge_access {
  const char *operation;  /* such as "fs.read" */
  const char *capability; /* "net", "read", "write", "env", "run"; or "host":
                             what no rule allows */
  const char *resource;   /* the real path, "host:port", the name */
  const char *rule;       /* what decided: "--allow-read=/srv"; "": nothing
                             allows it; "authorize" */
  int allowed;
} luge_access;

/* Made by luge_sandboxed or luge_trusted, then changed. Read by luge_open or
 * luge_restrict, and copied. The callbacks are called on the host's thread,
 * with the `user` of luge_options; see there. */
typedef struct luge_capabilities {
  size_t size;
  int trusted; /* the rules do not count: all is allowed */
  luge_rules net, read, write, env, run;

  /* Directories that `require` may load Lua modules from, beside what `read`
   * allows: a list as above. They are found by package.path. */
  const char *modules;

  /* Asked about each operation that the rules allow; returning 0 denies it. It
   * can only deny: to decide alone, let the rules allow all. NULL: they
   * decide. */
  int (*authorize)(luge_host *host, const luge_access *access, void *user);

  /* Told of each decision, before the operation is done. */
  void (*audit)(luge_host *host, const luge_access *access, void *user);
} luge_capabilities;

/* Allows nothing until rules are added: no files, no network, no variables, no
 * programs, no bytecode, no C modules, and of `debug` only traceback and
 * getinfo. Scripts can still print and log to the callbacks of luge_options. */
static inline luge_capabilities luge_sandboxed(void) {
  luge_capabilities capabilities;
  memset(&capabilities, 0, sizeof capabilities);
  capabilities.size = sizeof capabilities;
  return capabilities;
}

/* Allows all that the process may do; without callbacks nothing is checked. */
static inline luge_capabilities luge_trusted(void) {
  luge_capabilities capabilities = luge_sandboxed();
  capabilities.trusted = 1;
  return capabilities;
}

/* What a host is opened with. Zeroed fields mean the default; `size` is
 * sizeof(luge_options), so that older programs go on working.
 *
 * The callbacks are called on the host's thread; they return promptly, raise no
 * Lua error and do not wait. Strings passed to them are valid during the
 * call. */
typedef struct luge_options {
  size_t size;
  struct uv_loop_s *loop; /* borrowed; NULL: the host has its own */
  size_t memory_limit;    /* bytes for Lua and luge's buffers; 0: none */
  lua_Alloc alloc;        /* their allocator, which calls nothing of luge's or
                             Lua's; NULL: realloc and free */
  void *alloc_data;       /* its first argument */
  void *user;             /* handed to the callbacks */

  /* Where `require` looks for Lua modules and for C modules, as Lua's
   * package.path and package.cpath are written. "": nowhere; NULL: as Lua
   * itself does, the environment's LUA_PATH and LUA_CPATH included. */
  const char *module_path, *c_module_path;

  /* Seconds; a task that holds the loop for longer is logged, with its
   * traceback. 0: not watched, which costs nothing. */
  double slow;

  /* Whether luge_interrupt works from other threads: up to 2 times slower in
   * tight loops. `slow` costs the same. */
  int interruptible;

  /* Takes what scripts print. Returns 0; or a negative errno, which closes the
   * stream to the script. NULL: output is dropped. */
  int (*output)(luge_host *host, enum luge_stream stream, const char *bytes,
                size_t length, void *user);

  /* How many bytes `output` can take now without blocking. After 0, call
   * luge_output_ready once it can take some. NULL: it never blocks for long; if
   * it waits for a slow reader all the same, that holds up the whole host. */
  size_t (*output_room)(luge_host *host, enum luge_stream stream, void *user);

  /* Whether what is printed on LUGE_STDOUT is handed over at the end of each
   * line, as is usual for a terminal, and not only before the loop blocks. */
  int line_buffered;

  /* Whether scripts may handle signals of the process (luge.signal), and
   * luge.worker interrupt its threads by SIGURG, which it then handles. */
  int signals;

  /* An error that nobody can handle any more: an uncaught one, or one of a
   * task that nobody awaited. `traceback` may be NULL. */
  void (*on_error)(luge_host *host, const char *message, const char *traceback,
                   void *user);

  /* Every task waits, but for nothing that luge knows to be coming (for an
   * event that no task will set, say): only the embedder can tell whether it
   * will. Called for started scripts only, since luge_run_* raise `deadlock`;
   * and once, until a task has run again. luge_describe_tasks says who
   * waits. */
  void (*on_deadlock)(luge_host *host, void *user);

  /* Messages of the host itself, about a slow task for example. */
  void (*log)(luge_host *host, enum luge_log_level level, const char *message,
              void *user);

  /* What scripts log (luge.log): `text` is the message and its fields for
   * people to read, `json` the same, with time and level, as a JSON object on
   * one line. Both are UTF-8. NULL: `log` is given the text. */
  void (*record)(luge_host *host, enum luge_log_level level, const char *text,
                 const char *json, void *user);

  /* What scripts may do. NULL: luge_trusted(). */
  const luge_capabilities *capabilities;
} luge_options;

/* Opens a host, which belongs to the calling thread. `options` may be NULL.
 * Returns NULL if memory or descriptors have run out, if the options have no
 * size or are of a newer luge, or if luge_restrict would refuse the
 * capabilities. */
LUGE_API luge_host *luge_open(const luge_options *options);

/* Cancels all tasks and turns the loop until their handlers have run (those
 * behind a shield have 5 seconds), completes what is at work, and frees the
 * host. A borrowed loop is left as it was found. Like uv_run, not to be called
 * from a callback of that loop. */
LUGE_API int luge_close(luge_host *host);

/* luge_close frees the host, unless it was retained: then all functions return
 * LUGE_INVALID until the last luge_release. For other threads that may still
 * call luge_post or luge_interrupt. From any thread, by whoever opened the host
 * or has retained it; NULL is allowed. */
LUGE_API void luge_retain(luge_host *host);
LUGE_API void luge_release(luge_host *host);

/* Restricts, for ever, a host that was opened without capabilities: so scripts
 * that prepare it may do everything. Once, while no script runs; else
 * LUGE_INVALID, as for a malformed rule, of which `log` is told. */
LUGE_API int luge_restrict(luge_host *host,
                           const luge_capabilities *capabilities);

/* Runs a script, which is text and not bytecode, as the main task until it, and
 * what it owns, has ended. The `argc` strings of `argv` are its arguments.
 * `chunkname` as for lua_load; NULL: "=(string)". */
LUGE_API int luge_run_string(luge_host *host, const char *code, size_t length,
                             const char *chunkname, int argc,
                             const char *const *argv);

/* The same for a file; NULL: standard input. */
LUGE_API int luge_run_file(luge_host *host, const char *path, int argc,
                           const char *const *argv);

/* The same for a function below `nargs` arguments on top of the stack of
 * luge_lua(host), as for lua_call: they are popped, and on LUGE_OK its results
 * pushed, `nresults` of them, or all for LUA_MULTRET. On LUGE_INVALID the stack
 * is as it was. */
LUGE_API int luge_run_function(luge_host *host, int nargs, int nresults);

/* Whether an error has been reported since the host was opened; negative:
 * -LUGE_INVALID. */
LUGE_API int luge_failed(const luge_host *host);

/* What os.exit was last given; 0 if it was not called. */
LUGE_API int luge_exit_code(const luge_host *host);

/* Cancels the main task, if one runs, with `reason`, a static string. */
LUGE_API int luge_cancel(luge_host *host, const char *reason);

/* Interrupts a script that runs and does not wait: its task is cancelled with
 * the reason "interrupted", and no `pcall` can keep the error. Does nothing if
 * nothing runs. From a signal handler on the host's own thread; or from another
 * thread, if the option `interruptible` was set (else LUGE_INVALID): then
 * whatever runs next is interrupted. */
LUGE_API int luge_interrupt(luge_host *host);

/* A script as a task that goes on while the embedder does: on a borrowed loop
 * as that turns, else by luge_step. `done` is called once, when the task has
 * ended, with the results on top of L's stack, or the error alone; it must
 * leave the stack as it was. If `done` is NULL, an error is reported. Returns
 * the task, which is valid until `done` returns; or NULL: a bad argument or
 * call, or an error (it did not parse, say) that was reported. Scripts,
 * functions and arguments as for luge_run_*. */
typedef void (*luge_done_fn)(luge_host *host, enum luge_status status,
                             lua_State *L, int results, void *data);
LUGE_API luge_task *luge_start_string(luge_host *host, const char *code,
                                      size_t length, const char *chunkname,
                                      int argc, const char *const *argv,
                                      luge_done_fn done, void *data);
LUGE_API luge_task *luge_start_file(luge_host *host, const char *path, int argc,
                                    const char *const *argv, luge_done_fn done,
                                    void *data);
LUGE_API luge_task *luge_start_function(luge_host *host, int nargs,
                                        luge_done_fn done, void *data);

/* Cancels a started task, with `reason`, a static string. */
LUGE_API int luge_task_cancel(luge_task *task, const char *reason);

/* Driving a host with a loop of its own from another: watch luge_fd (-1: none)
 * for reading, wait at most luge_timeout_ms (milliseconds; -1: for ever), then
 * luge_step, which runs what is ready and never waits. It returns 1 while tasks
 * live, 0 when none is left, or -LUGE_INVALID. */
LUGE_API int luge_fd(const luge_host *host);
LUGE_API int luge_timeout_ms(luge_host *host);
LUGE_API int luge_step(luge_host *host);

/* Asynchronous C functions. A lua_CFunction that waits is written so:
 *
 *   1. check the arguments;
 *   2. pending = luge_wait_begin(L): may raise, so that nothing must be owned
 *      yet;
 *   3. start the operation; nothing may raise any more: if it cannot be
 *      started, luge_resolve with a `push` that raises, and go on;
 *   4. return luge_wait(L, pending, cancel, data).
 *
 * The operation ends with exactly one luge_resolve, before or after step 4;
 * even if the task was cancelled: then it returns LUGE_CANCELLED and has no
 * other effect. `push` (NULL: no results) runs in the task: it pushes the
 * results of the C function and returns their number, or raises. `cancel` (may
 * be NULL) is called, outside of the task, when nobody waits any more; it may
 * call luge_resolve. A pending wait belongs to luge: it is freed when it was
 * resolved and the function has its results; by luge_resolve, if nobody waits;
 * or else by luge_close. */
typedef struct luge_pending luge_pending;
typedef void (*luge_cancel_fn)(luge_pending *pending, void *data);
typedef int (*luge_push_fn)(lua_State *L, void *data);
LUGE_API luge_pending *luge_wait_begin(lua_State *L);
LUGE_API int luge_wait(lua_State *L, luge_pending *pending,
                       luge_cancel_fn cancel, void *data);
LUGE_API int luge_resolve(luge_pending *pending, luge_push_fn push, void *data);

/* Calls `fn` on the host's thread when its loop turns next, in the order of the
 * calls. From any thread, but not from a signal handler. LUGE_INVALID once
 * luge_close has begun, which calls what was posted before; see luge_retain. */
typedef void (*luge_post_fn)(luge_host *host, void *data);
LUGE_API int luge_post(luge_host *host, luge_post_fn fn, void *data);

/* A whole asynchronous C function: `return luge_offload(...)` runs `work` on
 * libuv's thread pool, then `done` in the task, as the `push` above. If the
 * task is cancelled `freed` (may be NULL) is called instead, on the host's
 * thread, when the work has ended. Raises before anything has started: then
 * `data` is still the caller's. */
typedef void (*luge_work_fn)(void *data);
typedef void (*luge_free_fn)(void *data);
LUGE_API int luge_offload(lua_State *L, luge_work_fn work, luge_push_fn done,
                          luge_free_fn freed, void *data);

/* `output` takes bytes again, after output_room had said 0. Not from the
 * callbacks. */
LUGE_API int luge_output_ready(luge_host *host, enum luge_stream stream);

/* Calls `each` with a line of text for every live task: its name, what it
 * waits for, and where it is. Not while a script runs. */
LUGE_API int luge_describe_tasks(luge_host *host,
                                 void (*each)(const char *line, void *user),
                                 void *user);

/* What a host uses now. `size` is set by the caller, as in luge_options. */
struct luge_usage {
  size_t size;
  size_t memory, memory_limit; /* bytes, of Lua and luge's buffers; 0: none */
  size_t tasks;                /* that have not ended */
  size_t operations;           /* begun and not completed: waits of C functions,
                                  I/O, programs, listeners */
  size_t timers;
};
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* of the struct's name */
#endif
LUGE_API int luge_usage(const luge_host *host, struct luge_usage *usage);
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/* Modules for `require`: a C module by its opener, as `luaopen_cjson`; and Lua
 * source, which is text, compiled when it is first required, and may wait. The
 * last one of a name counts. */
LUGE_API int luge_register(luge_host *host, const char *name,
                           lua_CFunction open);
LUGE_API int luge_preload(luge_host *host, const char *name, const char *code,
                          size_t length);

/* Values as JSON, to and from the stack of any coroutine of a host. Both push
 * one value: what was asked for, or else the error (LUGE_ERROR, LUGE_MEMORY),
 * as lua_pcall does; nothing on LUGE_INVALID. They raise nothing. As luge.json:
 * null is the light userdata NULL, and an empty table an object, unless it came
 * from an array. */
LUGE_API int luge_json_decode(lua_State *L, const char *json, size_t length);
LUGE_API int luge_json_encode(lua_State *L, int index);

/* The loop that the host runs on. Handles that an embedder puts on it are
 * closed before luge_close; a referenced one does not prevent a deadlock. NULL
 * instead of LUGE_INVALID. */
LUGE_API struct uv_loop_s *luge_loop(luge_host *host);

/* The Lua state, to set globals, or to put functions and arguments on its stack
 * for luge_run_function; what raises there is to be protected by lua_pcall. In
 * callbacks and C functions the stack is to be left as it was found. NULL
 * instead of LUGE_INVALID. */
LUGE_API lua_State *luge_lua(luge_host *host);

#ifdef __cplusplus
}
#endif

#endif
