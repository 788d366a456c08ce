/* Turns; see turns.h. */
#include "turns.h"

#include "task.h"
#include "wait.h"

void luge__turns_init(struct luge_turns *turns) {
  luge__list_init(&turns->waiters);
  turns->woken = false;
}

bool luge__turns_busy(const struct luge_turns *turns) {
  return turns->woken || !luge__list_empty(&turns->waiters);
}

int luge__turns_join(lua_State *L, struct luge_task *task,
                     struct luge_turns *turns,
                     const struct luge_wait_kind *kind, void *data) {
  task->wait.data = data;
  return luge__waiters_join(L, task, &turns->waiters, kind);
}

void luge__turns_check(lua_State *L, struct luge_task *task,
                       struct luge_turns *turns) {
  if (task->scope->flags & LUGE_SCOPE_CANCELLED) {
    luge__turns_wake(turns);
    luge__enter(L); /* raises */
  }
}

int luge__turns_rejoin(lua_State *L, struct luge_task *task,
                       struct luge_turns *turns,
                       const struct luge_wait_kind *kind, void *data) {
  task->wait.data = data;
  luge__list_append(turns->waiters.next, &task->wait.link);
  return luge__suspend(L, task, kind);
}

bool luge__turns_leave(struct luge_task *task) {
  return luge__waiters_leave(task);
}

void luge__turns_wake(struct luge_turns *turns) {
  if (!turns->woken) {
    turns->woken = luge__waiters_wake_one(&turns->waiters);
  }
}

void luge__turns_resumed(struct luge_turns *turns) {
  turns->woken = false;
}
