/* Cells: see cell.h. One value is kept as it is, several in a table. */
#include "cell.h"

#include <lauxlib.h>

#include "error.h"
#include "failure.h"
#include "host.h"
#include "scope.h"
#include "task.h"
#include "wait.h"

void luge__cell_init(struct luge_cell *cell) {
  luge__list_init(&cell->listeners);
  cell->state = LUGE_CELL_PENDING;
  cell->unwanted = false;
  cell->count = 0;
}

void luge__cell_listen(struct luge_cell *cell, struct luge_listener *listener,
                       void (*notify)(struct luge_listener *listener)) {
  listener->notify = notify;
  listener->watches = false;
  luge__list_append(&cell->listeners, &listener->link);
}

void luge__cell_watch(struct luge_cell *cell, struct luge_listener *listener,
                      void (*notify)(struct luge_listener *listener)) {
  luge__cell_listen(cell, listener, notify);
  listener->watches = true;
}

bool luge__cell_awaited(const struct luge_cell *cell) {
  const struct luge_list *at = cell->listeners.next;
  while (at != &cell->listeners &&
         luge__container(at, struct luge_listener, link)->watches) {
    at = at->next;
  }
  return cell->unwanted || at != &cell->listeners;
}

void luge__cell_drop_error(struct luge_cell *cell) {
  cell->unwanted = true;
}

static void settle(struct luge_cell *cell, enum luge_cell_state state) {
  cell->state = state;
  while (!luge__list_empty(&cell->listeners)) {
    struct luge_listener *listener =
        luge__container(cell->listeners.next, struct luge_listener, link);
    luge__list_remove(&listener->link);
    listener->notify(listener);
  }
}

void luge__cell_resolve(lua_State *L, int index, struct luge_cell *cell,
                        int count) {
  index = lua_absindex(L, index);
  if (count > 1) {
    lua_createtable(L, count, 0);
    lua_insert(L, -count - 1);
    for (int i = count; i >= 1; i--) {
      lua_rawseti(L, -i - 1, i);
    }
  } else if (count == 0) {
    lua_pushnil(L);
  }
  lua_setiuservalue(L, index, 1);
  cell->count = count;
  settle(cell, LUGE_CELL_RESOLVED);
}

bool luge__cell_reject(lua_State *L, int index, struct luge_cell *cell,
                       struct luge_scope *owner) {
  index = lua_absindex(L, index);
  struct luge_failure *failure = luge__failure_new(L);
  bool awaited = luge__cell_awaited(cell);
  bool fails_owner =
      !awaited && owner != NULL &&
      (owner->flags & (LUGE_SCOPE_JOINING | LUGE_SCOPE_FAIL_FAST)) != 0;
  if (fails_owner) {
    luge__failure_keep(L);
  }
  lua_setiuservalue(L, index, 1);
  if (!awaited && owner != NULL) {
    luge__list_append(&owner->failures, &failure->link);
  }
  if (cell->unwanted) {
    luge__cell_forget_error(L, index);
  }
  settle(cell, LUGE_CELL_REJECTED);
  return awaited;
}

bool luge__cell_break(struct luge_cell *cell) {
  bool awaited = luge__cell_awaited(cell);
  settle(cell, LUGE_CELL_REJECTED);
  return awaited;
}

void luge__cell_cancel(lua_State *L, int index, struct luge_cell *cell) {
  luge__failure_new(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, index, 1);
  luge__failure_push(L, -1);
  lua_pop(L, 2);
  settle(cell, LUGE_CELL_CANCELLED);
}

void luge__cell_push_error(lua_State *L, int index) {
  lua_getiuservalue(L, index, 1);
  luge__failure_push(L, -1);
  lua_remove(L, -2);
}

void luge__cell_forget_error(lua_State *L, int index) {
  lua_getiuservalue(L, index, 1);
  luge__failure_drop(L, -1);
  lua_pop(L, 1);
}

int luge__cell_push_trace(lua_State *L, int index, struct luge_cell *cell) {
  if (cell->state != LUGE_CELL_REJECTED) {
    return 0;
  }
  lua_getiuservalue(L, index, 1);
  luge__failure_push_trace(L, -1);
  return 1;
}

int luge__cell_push_values(lua_State *L, int index, struct luge_cell *cell) {
  if (cell->count == 0) {
    return 0;
  }
  lua_getiuservalue(L, index, 1);
  if (cell->count == 1) {
    return 1;
  }
  luaL_checkstack(L, cell->count + 1, "too many results");
  int table = lua_gettop(L);
  for (int i = 1; i <= cell->count; i++) {
    lua_rawgeti(L, table, i);
  }
  return cell->count;
}

int luge__cell_outcome(lua_State *L, struct luge_cell *cell) {
  if (cell->state == LUGE_CELL_RESOLVED) {
    return luge__cell_push_values(L, 1, cell);
  }
  luge__cell_push_error(L, 1);
  return lua_error(L);
}

static void on_settled(struct luge_listener *listener) {
  luge__wake(luge__container(listener, struct luge_task, wait.listener));
}

static int on_awaited(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return luge__cell_outcome(L, task->wait.data);
}

static bool stop_listening(struct luge_task *task) {
  luge__list_remove(&task->wait.listener.link);
  return true;
}

/* The cell is that of a task that has not ended. */
static void describe_task(lua_State *L, const struct luge_task *task) {
  struct luge_cell *cell = task->wait.data;
  luge__task_push(L, luge__container(cell, struct luge_task, cell));
  lua_pushfstring(L, "%s to end", luge__task_name(L, -1));
}

int luge__cell_await(lua_State *L, struct luge_cell *cell, bool of_task) {
  static const struct luge_wait_kind task_kind = {.describe = describe_task,
                                                  .cancel = stop_listening,
                                                  .finish = on_awaited};
  static const struct luge_wait_kind future_kind = {
      .name = "a future", .cancel = stop_listening, .finish = on_awaited};
  struct luge_task *task = luge__enter(L);
  if (cell->state != LUGE_CELL_PENDING) {
    return luge__cell_outcome(L, cell);
  }
  task->wait.data = cell;
  luge__cell_listen(cell, &task->wait.listener, on_settled);
  return luge__suspend(L, task, of_task ? &task_kind : &future_kind);
}
