/* Bodies that come piece by piece; see transfer_upload.h. */
#include "transfer_upload.h"

#include <lauxlib.h>
#include <string.h>

#include "../core/class.h"
#include "../core/error.h"
#include "../core/sched.h"
#include "transfer.h"

/* A writer waits when libcurl has not yet taken so many bytes. */
enum { HIGH_WATER = 64 * 1024 };

static const struct luge_class upload_class = {"an upload"};

struct luge__upload *luge__upload_test(lua_State *L, int index) {
  return luge__class_test(L, index, &upload_class);
}

static void wake_writer(struct luge__upload *upload) {
  struct luge_task *writer = upload->writer;
  if (writer != NULL) {
    upload->writer = NULL;
    luge__unref(writer->host);
    luge__wake(writer);
  }
}

size_t luge__upload_take(struct luge__upload *upload, char *bytes,
                         size_t room) {
  if (upload == NULL) {
    return CURL_READFUNC_ABORT;
  }
  size_t left = upload->bytes.len - upload->taken;
  if (left == 0) {
    upload->paused = !upload->ended;
    return upload->ended ? 0 : CURL_READFUNC_PAUSE;
  }
  size_t n = left < room ? left : room;
  memcpy(bytes, upload->bytes.ptr + upload->taken, n);
  upload->taken += n;
  if (n == left) {
    upload->bytes.len = upload->taken = 0;
    wake_writer(upload);
  }
  return n;
}

void luge__upload_end(struct luge__upload *upload) {
  upload->transfer = NULL;
  upload->over = true;
  luge__bytes_free(&upload->bytes, &upload->memory);
  upload->taken = 0;
  wake_writer(upload);
}

static void go_on(struct luge__upload *upload) {
  if (upload->paused && upload->transfer != NULL) {
    upload->paused = false;
    luge__client_unpause(upload->transfer->client, upload->transfer->easy);
  }
}

static struct luge__upload *check(lua_State *L) {
  return luge__class_check(L, 1, &upload_class);
}

static bool leave(struct luge_task *task) {
  struct luge__upload *upload = task->wait.data;
  upload->writer = NULL;
  luge__unref(task->host);
  return true;
}

static int written(lua_State *L, struct luge_task *task, int base) {
  const struct luge__upload *upload = task->wait.data;
  (void)base;
  lua_pushboolean(L, !upload->over);
  return 1;
}

static int upload_write(lua_State *L) {
  static const struct luge_wait_kind kind = {
      .name = "room in an HTTP request's body",
      .cancel = leave,
      .finish = written};
  struct luge__upload *upload = check(L);
  struct luge_task *task = luge__enter(L);
  size_t length;
  const char *text = lua_tolstring(L, 2, &length);
  if (text == NULL) {
    return luge__arg_error(L, 2, "a string");
  }
  task->wait.data = upload;
  if (!upload->over) {
    if (!luge__bytes_append(&upload->bytes, &upload->memory, text, length)) {
      return luge__raise_memory(L);
    }
    if (length > 0) {
      go_on(upload);
    }
  }
  if (upload->over || upload->bytes.len < HIGH_WATER) {
    return written(L, task, 0);
  }
  upload->writer = task;
  luge__ref(task->host);
  return luge__suspend(L, task, &kind);
}

static int upload_finish(lua_State *L) {
  struct luge__upload *upload = check(L);
  upload->ended = true;
  go_on(upload);
  return 0;
}

/* abort(error): the source has failed; so does the request, with its error. */
static int upload_abort(lua_State *L) {
  struct luge__upload *upload = check(L);
  if (upload->transfer != NULL) {
    lua_settop(L, 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, upload->transfer);
    luge__transfer_fail(upload->transfer, LUGE_FAILURE_SOURCE);
  }
  return 0;
}

static int upload_gc(lua_State *L) {
  struct luge__upload *upload = check(L);
  luge__bytes_free(&upload->bytes, &upload->memory);
  return 0;
}

int luge__upload_new(lua_State *L) {
  struct luge__upload *upload =
      luge__class_new(L, &upload_class, sizeof *upload, 0);
  upload->memory.fn = lua_getallocf(L, &upload->memory.ud);
  upload->length = luaL_optinteger(L, 1, -1);
  return 1;
}

void luge__upload_init(lua_State *L) {
  static const luaL_Reg methods[] = {{"write", upload_write},
                                     {"finish", upload_finish},
                                     {"abort", upload_abort},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", upload_gc}, {NULL, NULL}};
  luge__class_init(L, &upload_class, methods, metamethods);
}
