/* luge.native.queue: queues between tasks. The items are a ring in a table, the
 * queue's user value, that grows by doubling. The items of putters that wait
 * are in it too, behind `capacity` others and in the order of the putters:
 * whoever takes one lets the first putter go on, and no item is ever handed
 * over twice. While putters wait, the registry holds the ring too, by the
 * queue's address, in case one of them is cancelled. */
#include <lauxlib.h>

#include "../core/args.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "modules.h"

struct queue {
  lua_Integer capacity; /* of accepted items; 0: no limit */
  lua_Integer size;     /* of the ring */
  lua_Integer head;     /* the place of the first, from 0 */
  lua_Integer count;    /* of items, those of waiting putters included */
  lua_Integer putting;  /* of these, those of waiting putters */
  lua_Integer undone;   /* put, and not yet task_done */
  struct luge_list getters, putters, joiners;
  bool closed;
};

static const struct luge_class queue_class = {"a queue"};

/* Methods have the metatable as their upvalue: cheaper than the registry. */
static struct queue *check(lua_State *L) {
  struct queue *queue = lua_touserdata(L, 1);
  if (queue == NULL || !lua_getmetatable(L, 1)) {
    luge__class_refuse(L, 1, &queue_class);
  }
  if (!lua_rawequal(L, -1, lua_upvalueindex(1))) {
    luge__class_refuse(L, 1, &queue_class);
  }
  lua_pop(L, 1);
  return queue;
}

static int raise_closed(lua_State *L) {
  return luge__raise(L, "closed", "the queue is closed");
}

static lua_Integer place(const struct queue *queue, lua_Integer i) {
  lua_Integer at = queue->head + i;
  return (at < queue->size ? at : at - queue->size) + 1;
}

/* Lets the ring, on top of the stack, be found while putters wait. */
static void anchor(lua_State *L, const struct queue *queue) {
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, queue);
}

static void unanchor(lua_State *L, const struct queue *queue) {
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, queue);
}

/* Doubles the ring, whose table is on top of the stack: replaces it there. */
static void grow(lua_State *L, struct queue *queue) {
  lua_Integer size = queue->size * 2;
  lua_createtable(L, (int)size, 0);
  for (lua_Integer i = 0; i < queue->count; i++) {
    lua_rawgeti(L, -2, place(queue, i));
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, 1);
  lua_replace(L, -2);
  if (queue->putting > 0) {
    anchor(L, queue);
  }
  queue->size = size;
  queue->head = 0;
}

/* Appends the item at index 2. */
static void push(lua_State *L, struct queue *queue) {
  lua_getiuservalue(L, 1, 1);
  if (queue->count == queue->size) {
    grow(L, queue);
  }
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, place(queue, queue->count));
  lua_pop(L, 1);
  queue->count++;
}

/* Pushes the first item; the first putter that waits may go on. */
static void shift(lua_State *L, struct queue *queue) {
  lua_Integer at = queue->head + 1;
  lua_getiuservalue(L, 1, 1);
  lua_rawgeti(L, -1, at);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -3, at);
  lua_remove(L, -2);
  queue->head = at == queue->size ? 0 : at;
  queue->count--;
  if (luge__waiters_wake_one(&queue->putters)) {
    queue->undone++;
    if (--queue->putting == 0) {
      unanchor(L, queue);
    }
  }
}

static bool is_full(const struct queue *queue) {
  return queue->capacity != 0 && queue->count >= queue->capacity;
}

/* Hands the item at index 2 to the first getter that waits. */
static bool hand_over(lua_State *L, struct queue *queue) {
  struct luge_task *getter = luge__waiters_first(&queue->getters);
  if (getter == NULL) {
    return false;
  }
  if (!luge__wake_room(getter, 1)) {
    luge__raise_memory(L);
  }
  luge__list_remove(&getter->wait.link);
  lua_pushvalue(L, 2);
  luge__wake_with(getter, L, 1);
  return true;
}

static void check_item(lua_State *L, const struct queue *queue) {
  if (lua_isnoneornil(L, 2)) {
    luge__arg_error(L, 2, "an item other than nil");
  }
  if (queue->closed) {
    raise_closed(L);
  }
}

static void admit(lua_State *L, struct queue *queue) {
  if (!hand_over(L, queue)) {
    push(L, queue);
  }
  queue->undone++;
}

/* A putter gives up: takes its item out of the ring. The k-th of the `putting`
 * putters has the k-th of the last `putting` items. */
static bool withdraw(struct luge_task *task) {
  struct queue *queue = task->wait.data;
  lua_Integer k = 0;
  for (struct luge_list *at = queue->putters.next; at != &task->wait.link;
       at = at->next) {
    k++;
  }
  lua_State *store = task->host->store;
  lua_rawgetp(store, LUA_REGISTRYINDEX, queue);
  for (lua_Integer i = queue->count - queue->putting + k; i < queue->count - 1;
       i++) {
    lua_rawgeti(store, -1, place(queue, i + 1));
    lua_rawseti(store, -2, place(queue, i));
  }
  lua_pushboolean(store, 0);
  lua_rawseti(store, -2, place(queue, queue->count - 1));
  lua_pop(store, 1);
  queue->count--;
  if (--queue->putting == 0) {
    unanchor(store, queue);
  }
  return luge__waiters_leave(task);
}

static int put_done(lua_State *L, struct luge_task *task, int base) {
  (void)task;
  (void)base;
  if (lua_toboolean(L, 3)) { /* woken by `close` */
    return raise_closed(L);
  }
  return 0;
}

static int queue_put(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "room in a queue", .cancel = withdraw, .finish = put_done};
  struct queue *queue = check(L);
  struct luge_task *task = luge__enter(L);
  check_item(L, queue);
  lua_settop(L, 2);
  if (!is_full(queue)) {
    admit(L, queue);
    return 0;
  }
  push(L, queue);
  if (queue->putting++ == 0) {
    lua_getiuservalue(L, 1, 1);
    anchor(L, queue);
    lua_pop(L, 1);
  }
  task->wait.data = queue;
  return luge__waiters_join(L, task, &queue->putters, &kind);
}

static int queue_try_put(lua_State *L) {
  struct queue *queue = check(L);
  check_item(L, queue);
  bool room = !is_full(queue);
  if (room) {
    lua_settop(L, 2);
    admit(L, queue);
  }
  lua_pushboolean(L, room);
  return 1;
}

static int got(lua_State *L, struct luge_task *task, int base) {
  (void)task;
  return lua_gettop(L) > base ? 1 : raise_closed(L);
}

static int queue_get(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "an item in a queue",
                                             .cancel = luge__waiters_leave,
                                             .finish = got};
  struct queue *queue = check(L);
  struct luge_task *task = luge__enter(L);
  if (queue->count > 0) {
    shift(L, queue);
    return 1;
  }
  if (queue->closed) {
    return raise_closed(L);
  }
  return luge__waiters_join(L, task, &queue->getters, &kind);
}

static int queue_try_get(lua_State *L) {
  struct queue *queue = check(L);
  if (queue->count == 0) {
    if (queue->closed) {
      return raise_closed(L);
    }
    lua_pushboolean(L, 0);
    return 1;
  }
  lua_pushboolean(L, 1);
  shift(L, queue);
  return 2;
}

/* The iterator of q:iter(): ends where `get` would raise `closed`. */
static int next_got(lua_State *L, struct luge_task *task, int base) {
  (void)task;
  return lua_gettop(L) > base ? 1 : 0;
}

static int queue_next(lua_State *L) {
  static const struct luge_wait_kind kind = {.name = "an item in a queue",
                                             .cancel = luge__waiters_leave,
                                             .finish = next_got};
  if (lua_isnoneornil(L, 1)) { /* map(q:iter(), fn) passes no queue on */
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_replace(L, 1);
  }
  struct queue *queue = check(L);
  struct luge_task *task = luge__enter(L);
  if (queue->count > 0) {
    shift(L, queue);
    return 1;
  }
  if (queue->closed) {
    return 0;
  }
  return luge__waiters_join(L, task, &queue->getters, &kind);
}

static int queue_iter(lua_State *L) {
  check(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, queue_next, 2);
  lua_pushvalue(L, 1);
  return 2;
}

static int queue_task_done(lua_State *L) {
  struct queue *queue = check(L);
  if (queue->undone == 0) {
    return luge__raise(L, "invalid",
                       "task_done was called more often than there were items");
  }
  if (--queue->undone == 0) {
    luge__waiters_wake_all(&queue->joiners);
  }
  return 0;
}

static int queue_join(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "a queue's items to be done", .cancel = luge__waiters_leave};
  struct queue *queue = check(L);
  struct luge_task *task = luge__enter(L);
  if (queue->undone == 0) {
    return 0;
  }
  return luge__waiters_join(L, task, &queue->joiners, &kind);
}

/* Closes the queue: getters still get what was accepted; putters that wait get
 * an error. */
static int queue_close(lua_State *L) {
  struct queue *queue = check(L);
  if (queue->closed) {
    return 0;
  }
  queue->closed = true;
  struct luge_task *putter;
  while ((putter = luge__waiters_first(&queue->putters)) != NULL) {
    withdraw(putter);
    lua_pushboolean(L, 1);
    luge__wake_with(putter, L, 1);
  }
  luge__waiters_wake_all(&queue->getters);
  return 0;
}

static int queue_len(lua_State *L) {
  const struct queue *queue = check(L);
  lua_pushinteger(L, queue->count - queue->putting);
  return 1;
}

static int lib_queue(lua_State *L) {
  lua_Integer capacity = 0;
  if (!lua_isnoneornil(L, 1)) {
    capacity = luge__check_integer(L, 1, 1, "a capacity, from 1, or none");
  }
  struct queue *queue = luge__class_new(L, &queue_class, sizeof *queue, 1);
  queue->capacity = capacity;
  queue->size = capacity > 0 && capacity < 1024 ? capacity + 1 : 16;
  luge__list_init(&queue->getters);
  luge__list_init(&queue->putters);
  luge__list_init(&queue->joiners);
  lua_createtable(L, (int)queue->size, 0);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

static void init_class(lua_State *L) {
  static const luaL_Reg methods[] = {{"put", queue_put},
                                     {"get", queue_get},
                                     {"try_put", queue_try_put},
                                     {"try_get", queue_try_get},
                                     {"task_done", queue_task_done},
                                     {"join", queue_join},
                                     {"close", queue_close},
                                     {"len", queue_len},
                                     {"iter", queue_iter},
                                     {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  luge__class_init(L, &queue_class, none, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &queue_class);
  lua_newtable(L);
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, methods, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

int luge__open_queue(lua_State *L) {
  init_class(L);
  lua_newtable(L);
  lua_pushcfunction(L, lib_queue);
  lua_setfield(L, -2, "queue");
  return 1;
}
