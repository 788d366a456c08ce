/* Reading what has come on standard input: the formats of Lua's own
 * `file:read`, and luge.stdin's. A read looks whether all that it asked for is
 * there, waits until it is, and takes it then. */
#include "stdio_read.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "../core/error.h"
#include "../core/task.h"
#include "../core/wait.h"
#include "stdio_input.h"

/* What to do with the values on the stack. */

struct request {
  const struct luge_wait_kind *kind;
  bool (*format)(lua_State *L, int index, struct luge_format *format);
  int (*failed)(lua_State *L, const struct luge_input *input);
  bool limited; /* one format, and a limit on the stack behind it */
};

static struct luge_text text_of(const struct luge_input *input) {
  return (struct luge_text){
      .bytes = input->bytes != NULL ? input->bytes + input->begin : "",
      .length = input->end - input->begin,
      .ended = input->error == UV_EOF};
}

/* Whether all that was asked for is there. `size` is how much the last of it
 * takes, or has taken so far. */
static bool is_complete(lua_State *L, struct luge_input *input,
                        const struct request *request, int formats,
                        size_t *size) {
  struct luge_text text = text_of(input);
  struct luge_span span = {.found = true};
  for (int i = 1; i <= formats && span.found; i++) {
    struct luge_format format;
    size_t from = span.next;
    request->format(L, i, &format);
    if (!luge__scan(&text, from, &format, &input->clean, &span)) {
      *size = text.length - from;
      return false;
    }
  }
  *size = span.length;
  return true;
}

/* Pushes what a span holds; says whether that is a value and not nil. */
static bool push_span(lua_State *L, const struct luge_text *text,
                      const struct luge_format *format,
                      const struct luge_span *span) {
  if (!span->found) {
    lua_pushnil(L);
    return false;
  }
  lua_pushlstring(L, text->bytes + span->begin, span->length);
  if (format->kind == LUGE_READ_NUMBER) {
    if (lua_stringtonumber(L, lua_tostring(L, -1)) != 0) {
      lua_remove(L, -2);
    } else {
      lua_pop(L, 1);
      lua_pushnil(L);
    }
  }
  return !lua_isnil(L, -1);
}

/* Pushes what is_complete has found, and then, when nothing can raise any more,
 * takes it. As in Lua's own `read`, the first nil is the last result. */
static int push_all(lua_State *L, struct luge_input *input,
                    const struct request *request, int formats) {
  struct luge_text text = text_of(input);
  struct luge_span span = {.found = true};
  int base = lua_gettop(L);
  bool go_on = true;
  luaL_checkstack(L, formats + 4, "too many formats");
  for (int i = 1; i <= formats && go_on; i++) {
    struct luge_format format;
    request->format(L, i, &format);
    luge__scan(&text, span.next, &format, &input->clean, &span);
    go_on = push_span(L, &text, &format, &span);
  }
  luge__input_consume(input, span.next);
  return lua_gettop(L) - base;
}

static int count_formats(lua_State *L, const struct request *request) {
  return request->limited ? 1 : lua_gettop(L);
}

static void check_limit(lua_State *L, const struct request *request,
                        size_t size) {
  if (!request->limited || lua_type(L, 2) != LUA_TNUMBER ||
      size <= (size_t)lua_tointeger(L, 2)) {
    return;
  }
  luge__push_error(L, "limit",
                   "standard input has more than the %I bytes that are "
                   "allowed for %s",
                   (LUAI_UACINT)lua_tointeger(L, 2),
                   strcmp(lua_tostring(L, 1), "line") == 0 ? "a line"
                                                           : "all of it");
  lua_pushliteral(L, "stdin");
  lua_setfield(L, -2, "what");
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "limit");
  lua_error(L);
}

/* It is the task's turn: takes what it asked for; or starts a read, and returns
 * -1. Before this raises or the task is done, the next one is woken. */
static int attempt(lua_State *L, struct luge_task *task,
                   struct luge_input *input, const struct request *request) {
  int formats = count_formats(L, request);
  size_t size = 0;
  bool complete = is_complete(L, input, request, formats, &size);
  while (!complete && input->error == 0) {
    check_limit(L, request, size);
    luge__turns_check(L, task, &input->turns);
    luge__input_start(L, input);
    if (input->reading) {
      return -1;
    }
    complete = is_complete(L, input, request, formats, &size);
  }
  luge__turns_wake(&input->turns);
  if (!complete) {
    return request->failed(L, input);
  }
  check_limit(L, request, size);
  return push_all(L, input, request, formats);
}

static int read_input(lua_State *L, const struct request *request) {
  struct luge_input *input = luge__input(L);
  struct luge_task *task = luge__enter(L);
  bool busy = luge__turns_busy(&input->turns);
  int results = busy ? -1 : attempt(L, task, input, request);
  return results >= 0
             ? results
             : luge__turns_join(L, task, &input->turns, request->kind, input);
}

static int go_on(lua_State *L, struct luge_task *task, int base,
                 const struct request *request) {
  struct luge_input *input = task->wait.data;
  lua_settop(L, base);
  luge__turns_resumed(&input->turns);
  int results = attempt(L, task, input, request);
  return results >= 0
             ? results
             : luge__turns_rejoin(L, task, &input->turns, request->kind, input);
}

/* file:read and file:lines. */

static bool lua_format(lua_State *L, int index, struct luge_format *format) {
  static const char letters[] = {'l', 'L', 'n', 'a', '\0'};
  static const enum luge_format_kind kinds[] = {
      LUGE_READ_LINE, LUGE_READ_WHOLE, LUGE_READ_NUMBER, LUGE_READ_ALL};
  if (lua_type(L, index) == LUA_TNUMBER) {
    format->kind = LUGE_READ_COUNT;
    format->count = (size_t)lua_tointeger(L, index);
    return true;
  }
  const char *text =
      lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  const char *letter = strchr(letters, text[text[0] == '*']);
  if (letter == NULL || *letter == '\0') {
    return false;
  }
  format->kind = kinds[letter - letters];
  return true;
}

void luge__stdin_check_formats(lua_State *L, int first) {
  struct luge_format format;
  for (int i = first; i <= lua_gettop(L); i++) {
    if (lua_type(L, i) == LUA_TNUMBER) {
      luaL_argcheck(L, luaL_checkinteger(L, i) >= 0, i, "negative count");
    } else if (!lua_format(L, i, &format)) {
      luaL_argerror(L, i, "invalid format");
    }
  }
}

static int return_error(lua_State *L, const struct luge_input *input) {
  errno = -input->error;
  return luaL_fileresult(L, 0, NULL);
}

static int raise_error(lua_State *L, const struct luge_input *input) {
  return luaL_error(L, "%s", uv_strerror(input->error));
}

static int read_done(lua_State *L, struct luge_task *task, int base);
static int next_done(lua_State *L, struct luge_task *task, int base);

static const struct luge_wait_kind read_kind = {
    .name = "standard input", .cancel = luge__input_leave, .finish = read_done};
static const struct luge_wait_kind next_kind = {
    .name = "standard input", .cancel = luge__input_leave, .finish = next_done};
static const struct request read_request = {
    .kind = &read_kind, .format = lua_format, .failed = return_error};
static const struct request next_request = {
    .kind = &next_kind, .format = lua_format, .failed = raise_error};

static int read_done(lua_State *L, struct luge_task *task, int base) {
  return go_on(L, task, base, &read_request);
}

static int next_done(lua_State *L, struct luge_task *task, int base) {
  return go_on(L, task, base, &next_request);
}

static void default_format(lua_State *L) {
  if (lua_gettop(L) == 0) {
    lua_pushliteral(L, "l");
  }
  luge__stdin_check_formats(L, 1);
}

int luge__stdin_read(lua_State *L) {
  default_format(L);
  return read_input(L, &read_request);
}

int luge__stdin_next(lua_State *L) {
  default_format(L);
  return read_input(L, &next_request);
}

/* take(what, limit) */

static bool take_format(lua_State *L, int index, struct luge_format *format) {
  static const char *const names[] = {"line", "whole", "all", "chunk", NULL};
  static const enum luge_format_kind kinds[] = {LUGE_READ_LINE, LUGE_READ_WHOLE,
                                                LUGE_READ_ALL, LUGE_READ_CHUNK};
  if (lua_type(L, index) == LUA_TNUMBER) {
    format->kind = LUGE_READ_COUNT;
    format->count = (size_t)luaL_checkinteger(L, index);
  } else {
    format->kind = kinds[luaL_checkoption(L, index, NULL, names)];
  }
  return true;
}

static int raise_io(lua_State *L, const struct luge_input *input) {
  luge__push_error(L, "io", "cannot read standard input: %s",
                   uv_strerror(input->error));
  lua_pushstring(L, uv_err_name(input->error));
  lua_setfield(L, -2, "errno");
  return lua_error(L);
}

static int take_done(lua_State *L, struct luge_task *task, int base);

static const struct luge_wait_kind take_kind = {
    .name = "standard input", .cancel = luge__input_leave, .finish = take_done};
static const struct request take_request = {.kind = &take_kind,
                                            .format = take_format,
                                            .failed = raise_io,
                                            .limited = true};

static int take_done(lua_State *L, struct luge_task *task, int base) {
  return go_on(L, task, base, &take_request);
}

int luge__stdin_take(lua_State *L) {
  struct luge_format format;
  take_format(L, 1, &format);
  lua_settop(L, 2);
  return read_input(L, &take_request);
}
