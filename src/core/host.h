/* The host: everything that one luge_open owns. One Lua state, one loop, one
 * thread. The modules above keep their own state in the registry or in the
 * host's `services`, which are stopped in reverse order of their start. */
#ifndef LUGE_CORE_HOST_H
#define LUGE_CORE_HOST_H

#include <lua.h>
#include <luge.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "drive.h"
#include "memory.h"
#include "output.h"
#include "post.h"
#include "scope.h"
#include "thread.h"
#include "timer.h"
#include "trace.h"
#include "warn.h"

struct luge_task;

/* Tables on the stack of the host's store, indexed by a thread's slot. */
enum {
  LUGE_THREADS = 1, /* the thread, for as long as it is used */
  LUGE_CONTEXTS     /* the context table of its task, if that has one */
};

/* Something that a module keeps for the host's whole life, such as the
 * libcurl handle: stopped at close, before Lua is, freed with the host. */
struct luge_service {
  struct luge_service *next;
  void (*stop)(struct luge_service *service);  /* closes its uv handles */
  void (*freed)(struct luge_service *service); /* after they have closed */
};

struct luge_permission;

struct luge_host {
  luge_options options;
  struct luge_permission *permission; /* NULL: scripts are trusted */
  lua_State *L;                       /* the main state: runs no script */
  lua_State *store; /* a thread that runs nothing, and holds the tables */
  uv_loop_t *loop;
  uv_loop_t own_loop;
  bool owns_loop;

  struct luge_task *current;   /* the task that runs, or NULL */
  lua_State *volatile running; /* the coroutine that runs, or NULL */
  atomic_bool interrupted;     /* luge_interrupt was called */
  volatile bool watching;      /* luge__watch is to be called */
  uv_thread_t thread;
  struct luge_resumption *inside; /* the chain of coroutines */
  bool suspending;                /* a wait is on its way to the scheduler */

  struct luge_task *ready_first, *ready_last;
  unsigned passes;    /* since the loop last had its turn */
  unsigned refs;      /* what may wake a task, beside timers */
  unsigned listeners; /* of these, what only listens */

  struct luge_timers timers;
  struct luge_mailbox mailbox;
  struct luge_driver driver; /* on a borrowed loop */
  bool driving;              /* the host itself turns the loop */
  unsigned calling;          /* callbacks of the embedder that are running */
  bool deadlock_told;        /* on_deadlock: nothing has run since */
  unsigned handles;          /* of the host's own, not yet closed */
  unsigned offloads;         /* at work on the thread pool */
  struct luge_list waits;    /* luge_pending.link */
  struct luge_pool pool;
  struct luge_thread cradle; /* see newborn.h; co may be NULL */
  struct luge_traces trace;
  struct luge_scope top; /* owns the main tasks and the detached ones */
  struct luge_service *services;
  bool parked_scopes; /* a coroutine was suspended inside a block */

  uint32_t task_ids;
  unsigned live; /* tasks */
  bool failed;   /* an error was reported */

  unsigned unclaimed; /* failures that nobody has awaited */
  bool collect_due;   /* there are new ones */
  uint64_t collected_at;
  bool stopping;
  bool deadlocked; /* the main task was told, in its last wait */
  bool stopped;    /* luge_cancel was called */
  bool exiting;    /* os.exit was called, since there were no tasks */
  int exit_code;
  struct luge_task *main;
  uint64_t resumed_at; /* for `slow`: when the running task was resumed */
  bool slow_reported;

  struct luge_memory memory;
  struct luge_output output[2]; /* by stream: see luge__output */
  struct luge_warning warning;

  atomic_uint references; /* to this struct: luge_retain */
  atomic_bool closed;     /* only `references` and the mailbox are left */
};

/* Whether luge.h's functions may be called here: on the host's own thread,
 * while it is open. NULL is no host. */
bool luge__usable(const struct luge_host *host);

/* Whether the loop may be turned, or the host closed: not by anything that is
 * called from inside. */
bool luge__may_turn(const struct luge_host *host);

/* luge_open, without the modules that are not core's. */
struct luge_host *luge__host_open(const luge_options *options);

/* Hands a message to the host's log. */
void luge__log(struct luge_host *host, enum luge_log_level level,
               const char *message);

/* Tells the host of an error that nobody can handle: `traceback` may be NULL.
 * For who has no Lua at hand; else see luge__report. */
void luge__report_text(struct luge_host *host, const char *message,
                       const char *traceback);

/* Hands what a script logs to the host: see luge_options.record. */
void luge__log_record(struct luge_host *host, enum luge_log_level level,
                      const char *text, const char *json);

/* Pushes a table with weak keys ("k") or values ("v"). */
void luge__weak_table(lua_State *L, const char *mode);

/* Registers a service; `service` stays the module's. */
void luge__service_start(struct luge_host *host, struct luge_service *service);

#endif
