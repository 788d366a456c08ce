/* Opening and closing a host; see host.h. Teardown has one order: cancel all
 * tasks and let them end, stop the services, let the loop close what is ours,
 * close Lua, let the loop finish. */
#include "host.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "async.h"
#include "block.h"
#include "coroutine.h"
#include "descriptors.h"
#include "error.h"
#include "failure.h"
#include "interrupt.h"
#include "permission.h"
#include "require.h"
#include "sched.h"
#include "scope_object.h"
#include "task.h"

void luge__weak_table(lua_State *L, const char *mode) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

void luge__log(struct luge_host *host, enum luge_log_level level,
               const char *message) {
  if (host->options.log != NULL) {
    luge__flush(host);
    host->calling++;
    host->options.log(host, level, message, host->options.user);
    host->calling--;
  }
}

void luge__report_text(struct luge_host *host, const char *message,
                       const char *traceback) {
  host->failed = true;
  if (host->options.on_error != NULL) {
    luge__flush(host);
    host->calling++;
    host->options.on_error(host, message, traceback, host->options.user);
    host->calling--;
  }
}

void luge__log_record(struct luge_host *host, enum luge_log_level level,
                      const char *text, const char *json) {
  if (host->options.record == NULL) {
    luge__log(host, level, text);
    return;
  }
  luge__flush(host);
  host->calling++;
  host->options.record(host, level, text, json, host->options.user);
  host->calling--;
}

void luge__service_start(struct luge_host *host, struct luge_service *service) {
  service->next = host->services;
  host->services = service;
}

static void open_store(lua_State *L, struct luge_host *host) {
  static const char store_key = 0;
  lua_State *store = lua_newthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &store_key);
  luaL_checkstack(store, 64, NULL);
  lua_newtable(store); /* LUGE_THREADS */
  lua_newtable(store); /* LUGE_CONTEXTS */
  host->store = store;
}

/* Everything that may fail, protected. */
static int open_lua(lua_State *L) {
  struct luge_host *host = lua_touserdata(L, 1);
  luaL_openlibs(L);
  luge__error_init(L);
  open_store(L, host);
  luge__scope_setup(L);
  luge__trace_init(L);
  luge__failure_init(L);
  luge__block_init(L);
  luge__scope_object_init(L);
  luge__task_init(L);
  luge__coroutine_open(L);
  luge__protect_open(L);
  luge__require_open(L);
  return 0;
}

/* Checks for free descriptors first: without any, libuv leaks one on each
 * attempt, or aborts the process. */
static int init_own_loop(struct luge_host *host) {
  return luge__descriptors_are_left() ? uv_loop_init(&host->own_loop)
                                      : UV_EMFILE;
}

static int open_loop(struct luge_host *host) {
  host->loop = host->options.loop;
  if (host->loop == NULL) {
    int status = init_own_loop(host);
    if (status != 0) {
      return status;
    }
    host->loop = &host->own_loop;
    host->owns_loop = true;
  }
  int status = luge__mailbox_init(host);
  if (status != 0) {
    if (host->owns_loop) {
      uv_loop_close(host->loop);
    }
    return status;
  }
  luge__timers_init(host);
  luge__driver_start(host);
  return 0;
}

/* Frees all but the struct and its mailbox: other threads may still ask. */
static void free_host(struct luge_host *host) {
  luge__waits_free(host);
  luge__timers_free(host);
  luge__pool_free(host);
  luge__output_free(host);
  luge__permission_free(host);
  luge__memory_free(&host->memory); /* the last: it holds the others' */
  atomic_store(&host->closed, true);
  luge_release(host);
}

static void on_closed(uv_handle_t *handle) {
  struct luge_host *host = handle->data;
  host->handles--;
}

static void close_handle(struct luge_host *host, void *handle) {
  ((uv_handle_t *)handle)->data = host;
  host->handles++;
  uv_close(handle, on_closed);
}

/* Closes our handles and lets the loop finish with them, and with what is at
 * work on the thread pool: with nothing else, if it is borrowed. */
static void drain(struct luge_host *host) {
  close_handle(host, &host->timers.wakeup);
  close_handle(host, &host->mailbox.async);
  close_handle(host, &host->driver.idle);
  if (!host->owns_loop) {
    close_handle(host, &host->driver.prepare);
  }
  while (host->handles > 0 || host->offloads > 0) {
    uv_run(host->loop, UV_RUN_ONCE);
  }
  if (host->owns_loop) {
    uv_run(host->loop, UV_RUN_DEFAULT);
    uv_loop_close(host->loop);
  }
}

/* Reads the options of a program that may have been compiled against an older
 * luge, whose struct is the beginning of ours. A size of 0 is refused: whatever
 * the program asked for would be ignored. */
static bool read_options(luge_options *options, const luge_options *given) {
  *options = (luge_options){.size = sizeof *options};
  if (given == NULL) {
    return true;
  }
  if (given->size < sizeof given->size || given->size > sizeof *options) {
    return false;
  }
  memcpy(options, given, given->size);
  return true;
}

/* The struct itself, with what needs no loop. It is malloc'ed: the embedder's
 * allocator belongs to the host's thread, luge_release to any. */
static struct luge_host *create(const luge_options *given) {
  luge_options options;
  if (!read_options(&options, given)) {
    return NULL;
  }
  struct luge_host *host = calloc(1, sizeof *host);
  if (host != NULL) {
    host->options = options;
    luge__memory_init(&host->memory, options.alloc, options.alloc_data,
                      options.memory_limit);
    atomic_init(&host->references, 1);
    luge__list_init(&host->waits);
    luge__scope_init(&host->top, NULL, NULL, 0);
    luge__watch_init(host);
    luge__output_init(host);
  }
  return host;
}

struct luge_host *luge__host_open(const luge_options *options) {
  struct luge_host *host = create(options);
  if (host == NULL) {
    return NULL;
  }
  if (open_loop(host) != 0) {
    free(host);
    return NULL;
  }
  lua_State *L = lua_newstate(luge__memory_alloc, &host->memory);
  if (L != NULL) {
    host->L = L;
    *luge__thread_word(L) = (uintptr_t)host;
    luge__warn_open(L);
    lua_pushcfunction(L, open_lua);
    lua_pushlightuserdata(L, host);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) {
      return host;
    }
    lua_close(L);
  }
  drain(host);
  free_host(host);
  return NULL;
}

/* Tasks end by being cancelled; one that goes on waiting behind a shield is
 * given a few seconds. */
static void end_tasks(struct luge_host *host) {
  uint64_t until = uv_hrtime() + 5000000000;
  host->stopping = true;
  luge__scope_cancel(NULL, &host->top, "the host closes");
  while (host->live > 0 && uv_hrtime() < until) {
    luge__passes(host);
    if (host->live > 0 && !luge__poll(host, true)) {
      break;
    }
  }
}

static int report_failures(lua_State *L) {
  luge__failures_report(L, &luge__host(L)->top.failures);
  return 0;
}

bool luge__usable(const struct luge_host *host) {
  return host != NULL && luge__on_thread(host) && !atomic_load(&host->closed);
}

bool luge__may_turn(const struct luge_host *host) {
  return luge__usable(host) && host->current == NULL && !host->driving &&
         host->calling == 0;
}

int luge_close(luge_host *host) {
  if (!luge__may_turn(host)) {
    return LUGE_INVALID;
  }
  host->driving = true;
  end_tasks(host);
  luge__mailbox_close(host);
  lua_pushcfunction(host->L, report_failures);
  if (lua_pcall(host->L, 0, 0, 0) != LUA_OK) {
    lua_pop(host->L, 1);
  }
  luge__flush(host);
  struct luge_service *service;
  for (service = host->services; service != NULL; service = service->next) {
    service->stop(service);
  }
  luge__waits_orphan(host);
  lua_close(host->L);
  luge__flush(host);
  drain(host);
  while ((service = host->services) != NULL) {
    host->services = service->next;
    service->freed(service);
  }
  free_host(host);
  return LUGE_OK;
}

void luge_retain(luge_host *host) {
  if (host != NULL) {
    atomic_fetch_add(&host->references, 1);
  }
}

void luge_release(luge_host *host) {
  if (host != NULL && atomic_fetch_sub(&host->references, 1) == 1) {
    luge__mailbox_free(host);
    free(host);
  }
}

uv_loop_t *luge_loop(luge_host *host) {
  return luge__usable(host) ? host->loop : NULL;
}

lua_State *luge_lua(luge_host *host) {
  return luge__usable(host) ? host->L : NULL;
}

int luge_failed(const luge_host *host) {
  return luge__usable(host) ? host->failed : -LUGE_INVALID;
}
