/* Stores; see store.h. luge.native.store has one function, `open`. */
#include "store.h"

#include <errno.h>
#include <string.h>

#include "../core/args.h"
#include "../core/class.h"
#include "../core/error.h"
#include "../core/permission.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../mod/modules.h"

static const struct luge_class store_class = {"a store"};

struct box {
  struct luge_store *store; /* NULL: not open yet */
};

struct luge_store *luge__store_check(lua_State *L) {
  const struct box *box = luge__class_check(L, 1, &store_class);
  if (box->store == NULL || box->store->closing) {
    luge__raise(L, "closed", "the store is closed");
  }
  return box->store;
}

/* Calls. */

static const char *string_at(lua_State *L, int index, size_t *length) {
  *length = 0;
  return index != 0 && !lua_isnoneornil(L, index)
             ? luaL_checklstring(L, index, length)
             : NULL;
}

/* Copies a string, if there is one, to *tail, which moves on. */
static struct luge_bytes copy(lua_State *L, int index, char **tail) {
  struct luge_bytes bytes;
  bytes.bytes = string_at(L, index, &bytes.length);
  if (bytes.bytes != NULL) {
    bytes.bytes = memcpy(*tail, bytes.bytes, bytes.length);
    *tail += bytes.length + 1; /* an empty one has an address too */
  }
  return bytes;
}

struct luge_store_call *
luge__store_call(lua_State *L, struct luge_store *store,
                 const struct luge_job_kind *kind,
                 const struct luge_store_strings *args) {
  const int indexes[] = {args->key, args->end, args->value, args->expected};
  struct luge_store_call *call;
  size_t size = sizeof *call, length;
  for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++) {
    string_at(L, indexes[i], &length);
    size += length + 1;
  }
  call = luge__job_new(L, kind, size);
  char *tail = (char *)(call + 1);
  call->store = store;
  call->key = copy(L, args->key, &tail);
  call->end = copy(L, args->end, &tail);
  call->value.text = copy(L, args->value, &tail);
  call->expected.text = copy(L, args->expected, &tail);
  call->value.is_json = args->value != 0 && lua_toboolean(L, args->value + 1);
  call->expected.is_json =
      args->expected != 0 && lua_toboolean(L, args->expected + 1);
  return call;
}

int luge__store_run(lua_State *L, struct luge_store_call *call) {
  return luge__job_run_by(L, &call->job, luge__store_start);
}

void luge__store_free(struct luge_job *job) {
  luge__rows_clear(&((struct luge_store_call *)job)->rows);
}

static const char *code_name(int code) {
  return code == LUGE_STORE_FOREIGN ? "FOREIGN"
         : code == LUGE_STORE_NEWER ? "NEWER"
                                    : luge__sqlite_name(code);
}

static const char *name_of(const struct luge_store_call *call) {
  const char *path = call->store->path;
  return path != NULL ? path : "a store in memory";
}

static void raise_exhausted(lua_State *L, const struct luge_store_call *call,
                            const char *verb) {
  luge__push_error(L, "limit", "cannot %s %s: %s", verb, name_of(call),
                   call->message);
  lua_pushliteral(L, "open files");
  lua_setfield(L, -2, "what");
  lua_pushstring(L, call->store->path);
  lua_setfield(L, -2, "path");
  lua_error(L);
}

void luge__store_raise(lua_State *L, const struct luge_store_call *call,
                       const char *verb) {
  if (call->code == SQLITE_OK) {
    return;
  }
  if (call->rows.exhausted) {
    luge__raise_memory(L);
  }
  if (call->code == LUGE_STORE_DESCRIPTORS) {
    raise_exhausted(L, call, verb);
  }
  luge__push_error(L, "store", "cannot %s %s: %s", verb, name_of(call),
                   call->message);
  lua_pushstring(L, code_name(call->code));
  lua_setfield(L, -2, "code");
  lua_pushstring(L, call->store->path);
  lua_setfield(L, -2, "path");
  lua_pushboolean(L, call->code > 0 && (call->code & 0xFF) == SQLITE_BUSY);
  lua_setfield(L, -2, "retryable");
  lua_error(L);
}

/* Opening. */

static void free_open(struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  if (call->store != NULL) {
    luge__store_stop(call->store, true);
    luge__store_release(call->store);
  }
}

/* The userdata is below the call's box. */
static int done_open(lua_State *L, struct luge_job *job) {
  struct luge_store_call *call = (struct luge_store_call *)job;
  luge__store_raise(L, call, "open");
  struct box *box = luge__class_test(L, -2, &store_class);
  box->store = call->store;
  call->store = NULL;
  lua_pop(L, 1);
  return 1;
}

/* Besides memory it is a thread that a store needs to start. */
static int raise_start(lua_State *L, const char *path, int error) {
  if (error == UV_ENOMEM) {
    return luaL_error(L, "not enough memory");
  }
  luge__push_error(L, "limit", "cannot start a thread to open %s: %s",
                   path != NULL ? path : "a store in memory",
                   uv_strerror(error));
  lua_pushliteral(L, "threads");
  lua_setfield(L, -2, "what");
  lua_pushstring(L, path);
  lua_setfield(L, -2, "path");
  return lua_error(L);
}

static const char *check_path(lua_State *L) {
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  if (length == 0 || memchr(path, '\0', length) != NULL) {
    luge__arg_error(L, 1, "a path without zero bytes");
  }
  return luge__permit_path(L, LUGE_OP_STORE_READ, LUGE_OP_STORE_WRITE, path);
}

/* open(path or nil, seconds to wait for other processes, bytes of a value,
 * bytes of the file or 0) */
static int lib_open(lua_State *L) {
  static const struct luge_job_kind kind = {
      luge__job_wait("a store to be opened"), luge__store_open, done_open,
      free_open};
  static const struct luge_store_strings none = {0, 0, 0, 0};
  lua_settop(L, 4);
  double patience = luge__check_seconds(L, 2);
  lua_Integer max_value = luge__check_integer(L, 3, 1, "a number of bytes");
  lua_Integer max_bytes = luge__check_integer(L, 4, 0, "a number of bytes");
  const char *path = lua_isnil(L, 1) ? NULL : check_path(L);
  struct luge_host *host = luge__host(L);
  int error;
  luge__class_new(L, &store_class, sizeof(struct box), 0);
  struct luge_store_call *call = luge__store_call(L, NULL, &kind, &none);
  call->store =
      luge__store_new(host, path, path != NULL ? strlen(path) : 0, &error);
  if (call->store == NULL) {
    return raise_start(L, path, error);
  }
  call->store->patience = (uint64_t)((patience < 1e9 ? patience : 1e9) * 1e9);
  call->store->max_value = max_value;
  call->store->max_bytes = max_bytes;
  call->store->no_follow = !luge__is_trusted(host);
  return luge__store_run(L, call);
}

/* Closing. */

static bool leave(struct luge_task *task) {
  luge__unref(task->host);
  return luge__waiters_leave(task);
}

static int closed(lua_State *L, struct luge_task *task, int base) {
  (void)L;
  (void)base;
  luge__unref(task->host);
  return 0;
}

/* close(): what was asked before is done; waits for that. Again does nothing
 * but wait. */
static int store_close(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "a store to be closed", .cancel = leave, .finish = closed};
  const struct box *box = luge__class_check(L, 1, &store_class);
  struct luge_store *store = box->store;
  if (store == NULL) {
    return 0;
  }
  luge__store_stop(store, false);
  if (store->closed || !luge__can_wait(L)) {
    return 0;
  }
  struct luge_task *task = luge__enter(L);
  luge__ref(store->host);
  return luge__waiters_join(L, task, &store->closers, &kind);
}

/* Nobody waits for what is under way. */
static int store_gc(lua_State *L) {
  struct box *box = lua_touserdata(L, 1);
  if (box->store != NULL) {
    luge__store_stop(box->store, true);
    luge__store_release(box->store);
    box->store = NULL;
  }
  return 0;
}

static int store_path(lua_State *L) {
  lua_pushstring(L, luge__store_check(L)->path);
  return 1;
}

int luge__open_store(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"close", store_close}, {"path", store_path}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
      {"__gc", store_gc}, {"__close", store_close}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"open", lib_open}, {NULL, NULL}};
  luge__class_init(L, &store_class, methods, metamethods);
  luaL_newlib(L, functions);
  luaL_setfuncs(L, luge__store_functions, 0);
  return 1;
}
