/* The scheduler; see sched.h. */
#include "sched.h"

#include "failure.h"
#include "host.h"
#include "interrupt.h"
#include "task.h"

/* How many passes, and nanoseconds, ready tasks may keep the loop from its
 * events; and how many tasks run between two looks at the clock. */
enum { MAX_PASSES = 64, MAX_NANOSECONDS = 1000000, CLOCK_EVERY = 16 };

/* While something is counted, the mailbox's handle keeps the loop waiting. */
void luge__ref(struct luge_host *host) {
  if (host->refs++ == 0) {
    uv_ref((uv_handle_t *)&host->mailbox.async);
  }
}

void luge__unref(struct luge_host *host) {
  if (--host->refs == 0) {
    uv_unref((uv_handle_t *)&host->mailbox.async);
  }
}

void luge__ref_listener(struct luge_host *host) {
  host->listeners++;
  luge__ref(host);
}

void luge__unref_listener(struct luge_host *host) {
  host->listeners--;
  luge__unref(host);
}

void luge__ready(struct luge_task *task) {
  struct luge_host *host = task->host;
  task->queued = true;
  task->ready = NULL;
  if (host->ready_last != NULL) {
    host->ready_last->ready = task;
  } else {
    host->ready_first = task;
    luge__driver_kick(host);
  }
  host->ready_last = task;
}

static struct luge_task *take_ready(struct luge_host *host) {
  struct luge_task *task = host->ready_first;
  host->ready_first = task->ready;
  if (task->ready == NULL) {
    host->ready_last = NULL;
  }
  task->queued = false;
  return task;
}

/* The one place that resumes tasks. */
static void resume(struct luge_host *host, struct luge_task *task) {
  lua_State *co = task->thread.co;
  struct luge_resumption here = {.co = co, .can_wait = true};
  int arguments = task->arguments, results;
  task->arguments = 0;
  task->waiting = LUGE_WAIT_NONE;
  host->inside = &here;
  host->running = co;
  if (host->watching) {
    luge__watch(host, co);
  }
  int status = lua_resume(co, host->L, arguments, &results);
  host->running = NULL;
  host->inside = NULL;
  bool suspended = status == LUA_YIELD && host->suspending;
  host->suspending = false;
  if (!suspended) {
    luge__task_ended(task, status);
  }
}

static void run(struct luge_host *host, struct luge_task *task) {
  host->current = task;
  if (task->bed == 0 || luge__task_begin(task)) {
    resume(host, task);
  }
  host->current = NULL;
}

/* Runs what was ready when the pass began; says how many tasks that were. */
static unsigned pass(struct luge_host *host) {
  const struct luge_task *last = host->ready_last;
  struct luge_task *task;
  unsigned count = 0;
  do {
    task = take_ready(host);
    run(host, task);
    count++;
  } while (task != last);
  return count;
}

void luge__passes(struct luge_host *host) {
  uint64_t start = uv_hrtime();
  unsigned count = 0;
  for (int i = 0; i < MAX_PASSES && host->ready_first != NULL; i++) {
    count += pass(host);
    if (count >= CLOCK_EVERY) {
      count = 0;
      if (uv_hrtime() - start > MAX_NANOSECONDS) {
        return;
      }
    }
  }
}

/* Whether time is virtual, and nothing but a timer is waited for. */
static bool may_jump(const struct luge_host *host) {
  return host->timers.clock.advance != NULL &&
         luge__timers_wait(&host->timers) && host->refs == host->listeners;
}

static void wait_for_events(struct luge_host *host) {
  host->driver.polling = true;
  uv_run(host->loop, UV_RUN_ONCE);
  host->driver.polling = false;
  uv_idle_stop(&host->driver.idle);
}

bool luge__poll(struct luge_host *host, bool wait) {
  struct luge_timers *timers = &host->timers;
  bool ready = host->ready_first != NULL;
  if (!ready && host->refs == 0 && !luge__timers_wait(timers)) {
    return false;
  }
  bool jump = !ready && wait && may_jump(host);
  luge__timers_arm(host);
  if (wait && !ready && !jump) {
    luge__failures_collect(host);
    luge__flush_ready(host);
    wait_for_events(host);
  } else {
    uv_run(host->loop, UV_RUN_NOWAIT);
  }
  if (jump && host->ready_first == NULL && may_jump(host)) {
    timers->clock.advance(timers->clock.data, timers->heap[1]->at);
  }
  luge__timers_fire(host);
  return true;
}
