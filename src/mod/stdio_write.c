/* Printing, in two ways: `print` and `file:write` block the thread when the
 * reader is slow and the buffer full; luge.stdout and luge.stderr let their
 * task wait, in turns, until the host's embedder says that there is room. */
#include "stdio_write.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "../core/error.h"
#include "../core/host.h"
#include "../core/output.h"
#include "../core/sched.h"
#include "../core/task.h"
#include "../core/turns.h"
#include "../core/wait.h"

int luge__stdio_print(lua_State *L) {
  struct luge_host *host = luge__host(L);
  int count = lua_gettop(L);
  for (int i = 1; i <= count; i++) {
    size_t length;
    const char *text = luaL_tolstring(L, i, &length);
    if (i > 1) {
      luge__print(host, LUGE_STDOUT, "\t", 1);
    }
    luge__print(host, LUGE_STDOUT, text, length);
    lua_pop(L, 1);
  }
  luge__print(host, LUGE_STDOUT, "\n", 1);
  return 0;
}

/* The text of the value at `index`; a number as Lua's own `write` has it. */
static const char *text_at(lua_State *L, int index, char *buffer, size_t size,
                           size_t *length) {
  if (lua_type(L, index) != LUA_TNUMBER) {
    return luaL_checklstring(L, index, length);
  }
  int n = lua_isinteger(L, index)
              ? lua_integer2str(buffer, size, lua_tointeger(L, index))
              : lua_number2str(buffer, size, lua_tonumber(L, index));
  *length = (size_t)n;
  return buffer;
}

int luge__stdio_write(lua_State *L, enum luge_stream stream, int first) {
  struct luge_host *host = luge__host(L);
  int count = lua_gettop(L), status = 0;
  for (int i = first; i <= count; i++) {
    char buffer[64];
    size_t length;
    const char *text = text_at(L, i, buffer, sizeof buffer, &length);
    status = luge__print(host, stream, text, length);
  }
  return status;
}

/* write(stream, text) and flush(stream): 3 on the stack is how much of the
 * text has been taken. */

static enum luge_stream stream_at(lua_State *L, int index) {
  return (enum luge_stream)lua_tointeger(L, index);
}

static int raise_closed(lua_State *L, enum luge_stream stream, int error) {
  const char *name =
      stream == LUGE_STDOUT ? "standard output" : "standard error";
  if (error == -EPIPE) {
    return luge__raise(L, "closed", "%s was closed by its reader", name);
  }
  luge__push_error(L, "io", "cannot write to %s: %s", name, uv_strerror(error));
  lua_pushstring(L, uv_err_name(error));
  lua_setfield(L, -2, "errno");
  return lua_error(L);
}

/* Says whether all has been taken, or the stream is closed. */
static bool offer(lua_State *L, struct luge_host *host) {
  enum luge_stream stream = stream_at(L, 1);
  size_t length, taken = (size_t)lua_tointeger(L, 3);
  const char *text = lua_tolstring(L, 2, &length);
  taken += luge__offer(host, stream, text + taken, length - taken);
  lua_pushinteger(L, (lua_Integer)taken);
  lua_replace(L, 3);
  return taken == length || luge__output(host, stream)->error != 0;
}

static bool is_flushed(lua_State *L, struct luge_host *host) {
  const struct luge_output *output = luge__output(host, stream_at(L, 1));
  luge__flush_ready(host);
  return output->begin == output->end;
}

static bool leave(struct luge_task *task) {
  luge__unref(task->host);
  return luge__turns_leave(task);
}

/* Who has cancelled the task because of the error wants no other one. */
static int ended(lua_State *L, struct luge_task *task) {
  enum luge_stream stream = stream_at(L, 1);
  struct luge_output *output = luge__output(task->host, stream);
  luge__turns_wake(&output->writers);
  if (output->error == 0) {
    return 0;
  }
  luge__turns_check(L, task, &output->writers);
  return raise_closed(L, stream, output->error);
}

static int go_on(lua_State *L, struct luge_task *task,
                 const struct luge_wait_kind *kind,
                 bool (*attempt)(lua_State *L, struct luge_host *host)) {
  struct luge_host *host = task->host;
  struct luge_turns *turns = task->wait.data;
  luge__unref(host);
  luge__turns_resumed(turns);
  lua_settop(L, 3);
  if (attempt(L, host)) {
    return ended(L, task);
  }
  luge__turns_check(L, task, turns);
  luge__ref(host);
  return luge__turns_rejoin(L, task, turns, kind, turns);
}

static int begin(lua_State *L, const struct luge_wait_kind *kind,
                 bool (*attempt)(lua_State *L, struct luge_host *host)) {
  struct luge_task *task = luge__enter(L);
  struct luge_host *host = task->host;
  struct luge_turns *turns = &luge__output(host, stream_at(L, 1))->writers;
  if (!luge__turns_busy(turns) && attempt(L, host)) {
    return ended(L, task);
  }
  luge__ref(host);
  return luge__turns_join(L, task, turns, kind, turns);
}

static int write_done(lua_State *L, struct luge_task *task, int base);
static int flush_done(lua_State *L, struct luge_task *task, int base);

static const struct luge_wait_kind write_kind = {
    .name = "room to write", .cancel = leave, .finish = write_done};
static const struct luge_wait_kind flush_kind = {
    .name = "its output to be read", .cancel = leave, .finish = flush_done};

static int write_done(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return go_on(L, task, &write_kind, offer);
}

static int flush_done(lua_State *L, struct luge_task *task, int base) {
  (void)base;
  return go_on(L, task, &flush_kind, is_flushed);
}

static void check_stream(lua_State *L) {
  lua_Integer stream = luaL_checkinteger(L, 1);
  luaL_argcheck(L, stream == LUGE_STDOUT || stream == LUGE_STDERR, 1,
                "not a stream");
}

int luge__stdio_wait_write(lua_State *L) {
  check_stream(L);
  luaL_checkstring(L, 2);
  lua_settop(L, 2);
  lua_pushinteger(L, 0);
  return begin(L, &write_kind, offer);
}

int luge__stdio_wait_flush(lua_State *L) {
  check_stream(L);
  lua_settop(L, 3);
  return begin(L, &flush_kind, is_flushed);
}
