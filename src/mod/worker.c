/* luge.native.worker: pools of workers as scripts have them; see worker_crew.h,
 * and lua/luge/worker.lua for options and defaults. */
#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/args.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/host.h"
#include "../core/task.h"
#include "../core/trace.h"
#include "../core/wait.h"
#include "function.h"
#include "modules.h"
#include "worker_crew.h"

struct box {
  struct luge_crew *crew;
};

/* The crews of a host: their threads end before it does. */
struct crews {
  struct luge_service service;
  struct luge_host *host;
  struct luge_list list;
};

static const struct luge_class pool_class = {"a worker pool"};
static const struct luge_class call_class = {"a call"};

/* The string of a function is its user value, out of the scripts' reach: it is
 * bytecode, and they might change it. */
static const struct luge_class code_class = {"a function for workers"};

/* pool:run(code, ...): waits for the results of the function that `dump` has
 * made this of, or of the one that is named so, with these arguments. */

static struct luge_call *push_call(lua_State *L, struct luge_host *host) {
  struct luge_call_box *box = luge__class_new(L, &call_class, sizeof *box, 0);
  struct luge_call *call = luge__alloc_zeroed(L, sizeof *call);
  luge__list_init(&call->link);
  call->host = host;
  call->box = box;
  box->call = call;
  return call;
}

static int call_gc(lua_State *L) {
  struct luge_call_box *box = lua_touserdata(L, 1);
  if (box->call != NULL) {
    luge__call_abandon(box->call);
  }
  return 0;
}

static int raise_outcome(lua_State *L, const struct luge_crew *crew,
                         enum luge_outcome outcome) {
  if (outcome == LUGE_OUTCOME_CLOSED) {
    return luge__raise(L, "closed", "the worker pool was closed");
  }
  if (outcome == LUGE_OUTCOME_THREAD) {
    luge__push_error(L, "limit", "cannot start a worker: %s",
                     uv_strerror(crew->error));
    lua_pushliteral(L, "threads");
  } else if (outcome == LUGE_OUTCOME_FILES) {
    luge__push_error(L, "limit", "cannot start a worker: too many open files");
    lua_pushliteral(L, "open files");
  } else {
    luge__push_error(L, "limit", "not enough memory in a worker");
    lua_pushliteral(L, "memory");
  }
  lua_setfield(L, -2, "what");
  return lua_error(L);
}

static struct luge_crew *check(lua_State *L) {
  const struct box *box = luge__class_check(L, 1, &pool_class);
  if (box->crew == NULL) { /* finalized */
    luge__raise(L, "closed", "the worker pool was closed");
  }
  return box->crew;
}

/* The error and its traceback, as the worker has packed them, are on top. */
static int raise_error(lua_State *L) {
  if (lua_type(L, -1) == LUA_TSTRING) {
    lua_pushliteral(L, "\n\t[in a worker]");
    lua_concat(L, 2);
    if (luge__is_error(L, -2, NULL)) {
      lua_pushvalue(L, -1);
      lua_setfield(L, -3, "traceback");
    }
    luge__trace_set(L, -2);
  } else {
    lua_pop(L, 1);
  }
  return lua_error(L);
}

static int on_outcome(lua_State *L, struct luge_task *task, int base) {
  struct luge_call *call = task->wait.data;
  (void)base;
  enum luge_outcome outcome =
      call != NULL ? call->outcome : LUGE_OUTCOME_CLOSED;
  int count =
      outcome <= LUGE_OUTCOME_ERROR ? luge__parcel_unpack(L, &call->out) : 0;
  if (call != NULL) {
    luge__call_free(call);
  }
  if (outcome > LUGE_OUTCOME_ERROR) {
    return raise_outcome(L, check(L), outcome);
  }
  return outcome == LUGE_OUTCOME_RESULTS ? count : raise_error(L);
}

static bool leave(struct luge_task *task) {
  luge__call_abandon(task->wait.data);
  return true;
}

/* The code at 3, whether it is a function's, and the arguments. */
static void pack(lua_State *L, struct luge_parcel *parcel, size_t limit) {
  bool is_function = luge__class_test(L, 3, &code_class) != NULL;
  parcel->limit = limit;
  if (is_function) {
    lua_getiuservalue(L, 3, 1);
  } else {
    lua_pushvalue(L, 3);
  }
  lua_pushboolean(L, is_function);
  luge__parcel_pack(L, parcel, lua_gettop(L) - 1, "code");
  lua_pop(L, 2);
  luge__parcel_pack(L, parcel, 4, "argument");
}

static int pool_run(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "a worker", .cancel = leave, .finish = on_outcome};
  struct luge_crew *crew = check(L);
  if (luge__class_test(L, 2, &code_class) == NULL) {
    luaL_checkstring(L, 2);
  }
  if (crew->closed) {
    return raise_outcome(L, crew, LUGE_OUTCOME_CLOSED);
  }
  struct luge_call *call = push_call(L, crew->host);
  lua_insert(L, 2);
  pack(L, &call->in, crew->max_bytes);
  struct luge_task *task = luge__enter(L);
  lua_settop(L, 2);
  if (!luge__crew_take(crew, call)) {
    return raise_outcome(L, crew, LUGE_OUTCOME_THREAD);
  }
  luge__call_wait(call, task);
  task->wait.data = call;
  return luge__suspend(L, task, &kind);
}

/* pool:close(): ends what is being done; its calls raise `closed`. */
static int pool_close(lua_State *L) {
  luge__crew_close(check(L));
  return 0;
}

static int pool_gc(lua_State *L) {
  struct box *box = lua_touserdata(L, 1);
  if (box->crew != NULL) {
    luge__crew_release(box->crew);
    box->crew = NULL;
  }
  return 0;
}

/* pool(size, memory_limit or 0, max_bytes) */

static void stop_crews(struct luge_service *service) {
  luge__crews_stop(&luge__container(service, struct crews, service)->list);
}

static void free_crews(struct luge_service *service) {
  struct crews *crews = luge__container(service, struct crews, service);
  luge__realloc(crews->host, crews, sizeof *crews, 0);
}

static int lib_pool(lua_State *L) {
  struct crews *crews = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer size = luge__check_integer(L, 1, 1, "a number of workers");
  lua_Integer memory = luge__check_integer(L, 2, 0, "a number of bytes");
  lua_Integer bytes = luge__check_integer(L, 3, 1, "a number of bytes");
  struct box *box = luge__class_new(L, &pool_class, sizeof *box, 0);
  box->crew = luge__crew_new(crews->host, &crews->list, (unsigned)size);
  if (box->crew == NULL) {
    return luge__raise_memory(L);
  }
  box->crew->memory_limit = (size_t)memory;
  box->crew->max_bytes = (size_t)bytes;
  luge__worker_setup(L, &box->crew->setup);
  return 1;
}

/* dump(fn) -> what `run` takes for it */
static int lib_dump(lua_State *L) {
  luge__function_dump(L, 1);
  luge__class_new(L, &code_class, 1, 1);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* cores() -> how many threads compute at the same time */
static int lib_cores(lua_State *L) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  lua_pushinteger(L, cores > 0 ? cores : 1);
  return 1;
}

/* memory_limit() -> that of the host, in bytes; 0: none */
static int lib_memory_limit(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)luge__host(L)->memory.limit);
  return 1;
}

/* A light userdata that serves `pool` as its upvalue. */
static void push_crews(lua_State *L) {
  struct luge_host *host = luge__host(L);
  struct crews *crews = luge__alloc_zeroed(L, sizeof *crews);
  crews->host = host;
  crews->service.stop = stop_crews;
  crews->service.freed = free_crews;
  luge__list_init(&crews->list);
  luge__service_start(host, &crews->service);
  lua_pushlightuserdata(L, crews);
}

int luge__open_worker(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"run", pool_run}, {"close", pool_close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", pool_gc}, {NULL, NULL}};
  static const luaL_Reg no_methods[] = {{NULL, NULL}};
  static const luaL_Reg call_metamethods[] = {{"__gc", call_gc}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"dump", lib_dump},
                                       {"cores", lib_cores},
                                       {"memory_limit", lib_memory_limit},
                                       {NULL, NULL}};
  luge__class_init(L, &pool_class, methods, metamethods);
  luge__class_init(L, &call_class, no_methods, call_metamethods);
  luge__class_init(L, &code_class, no_methods, NULL);
  luaL_newlib(L, functions);
  push_crews(L);
  lua_pushcclosure(L, lib_pool, 1);
  lua_setfield(L, -2, "pool");
  return 1;
}
