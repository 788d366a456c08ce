/* Jobs: blocking work on libuv's thread pool, for which a task waits. A job is
 * a block of the host's memory, begun by the kind's own fields. Lua holds it
 * by a box, a userdata on the stack of the function that waits, so that it is
 * freed whatever is raised; while the work runs it belongs to the pool. A task
 * that is cancelled goes on at once: its job ends by itself and is freed. */
#ifndef LUGE_MOD_JOB_H
#define LUGE_MOD_JOB_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "../core/host.h"
#include "../core/wait.h"

struct luge_job;

struct luge_job_kind {
  struct luge_wait_kind wait; /* by luge__job_wait(name) */
  /* On a thread of the pool: no Lua, and none of the host's memory. */
  void (*work)(struct luge_job *job);
  /* In the task: pushes the results and returns their number, or raises; then
   * the job is freed. Or returns what luge__job_run does, for more work. */
  int (*done)(lua_State *L, struct luge_job *job);
  /* Frees what the job owns, on the loop's thread, perhaps after Lua has been
   * closed. May be NULL. */
  void (*free)(struct luge_job *job);
};

struct luge_job_box {
  struct luge_job *job; /* NULL: freed */
};

struct luge_job {
  uv_work_t request;
  const struct luge_job_kind *kind;
  struct luge_host *host;
  struct luge_task *task; /* who waits, or NULL */
  struct luge_job_box *box;
  size_t size;
  bool running;
  atomic_bool abandoned; /* nobody waits: the work may stop early */
};

bool luge__job_cancel(struct luge_task *task);
int luge__job_finish(lua_State *L, struct luge_task *task, int base);

/* Initializes `wait` of a kind: what task:waiting_for() says. */
#define luge__job_wait(text)                                                   \
  { .name = (text), .cancel = luge__job_cancel, .finish = luge__job_finish }

/* Pushes the box of a new job of `size` bytes, zeroed. */
void *luge__job_new(lua_State *L, const struct luge_job_kind *kind,
                    size_t size);

/* The same without a box: it is the caller's to free. */
void *luge__job_alloc(lua_State *L, const struct luge_job_kind *kind,
                      size_t size);

/* Waits for its work, then returns what `done` does. */
int luge__job_run(lua_State *L, struct luge_job *job);

/* The same for work that is done elsewhere than on the pool: `start` hands the
 * job over, and once the work is done luge__job_ended is called, on the loop's
 * thread. */
int luge__job_run_by(lua_State *L, struct luge_job *job,
                     void (*start)(struct luge_job *job));
void luge__job_ended(struct luge_job *job);

/* Runs the job although nobody waits for it, and then frees it. Never
 * raises. */
void luge__job_post(struct luge_job *job);

/* Frees one that does not run. */
void luge__job_free(struct luge_job *job);

#endif
