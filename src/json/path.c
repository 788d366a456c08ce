/* `invalid` errors of the encoder: which value it was, as a path that a Lua
 * programmer would write, `value.messages[2]["a key"]`. */
#include "../core/error.h"
#include "encode.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>

/* Of a long path the first and the last steps are named. */
#define STEPS     8
#define STEP_SIZE 160

struct path {
  char text[(2 * STEPS + 1) * STEP_SIZE];
  size_t length;
};

static int is_name(const char *text, size_t length) {
  if (length == 0 || length > 40 || isdigit((unsigned char)text[0])) {
    return 0;
  }
  for (size_t i = 0; i < length; i++) {
    if (!isalnum((unsigned char)text[i]) && text[i] != '_') {
      return 0;
    }
  }
  return 1;
}

static void add_key(struct path *path, const char *text, size_t length) {
  char *out = path->text + path->length;
  if (is_name(text, length)) {
    path->length += (size_t)sprintf(out, ".%s", text);
    return;
  }
  char visible[STEP_SIZE - 8];
  luge__json_visible(visible, sizeof visible, text, text + length);
  path->length += (size_t)sprintf(out, "[\"%s\"]", visible);
}

/* The step from a frame's table to its element that is being written. */
static void add_step(lua_State *L, struct path *path,
                     const struct json_frame *frame) {
  if (frame->kind == JSON_SEQUENCE || frame->kind == JSON_INDEXED) {
    path->length += (size_t)sprintf(path->text + path->length, "[%lld]",
                                    (long long)frame->index);
    return;
  }
  if (frame->kind == JSON_SORTED) {
    luge__json_push_key(L, frame);
  } else {
    lua_pushvalue(L, frame->table + 1);
  }
  size_t length;
  const char *text = luaL_tolstring(L, -1, &length);
  add_key(path, text, length);
  lua_pop(L, 2);
}

static void write_path(struct json_encoder *e, struct path *path) {
  path->length = (size_t)sprintf(path->text, "value");
  for (int i = 0; i < e->depth; i++) {
    if (e->depth > 2 * STEPS && i == STEPS) {
      path->length += (size_t)sprintf(path->text + path->length, "...");
      i = e->depth - STEPS;
    }
    add_step(e->L, path, &e->frames[i]);
  }
}

int luge__json_refuse(struct json_encoder *e, const char *fmt, ...) {
  lua_State *L = e->L;
  luaL_checkstack(L, 16, NULL);
  va_list args;
  va_start(args, fmt);
  const char *what = lua_pushvfstring(L, fmt, args);
  va_end(args);
  struct path path;
  write_path(e, &path);
  luge__json_buffer_free(&e->out);
  return luge__raise(L, "invalid", "json.encode: %s %s", path.text, what);
}

int luge__json_refuse_depth(struct json_encoder *e) {
  for (int i = 0; i < e->depth; i++) {
    if (lua_rawequal(e->L, -1, e->frames[i].table)) {
      e->depth = i;
      return luge__json_refuse(e, "contains itself: a cycle");
    }
  }
  return luge__json_refuse(e, "is nested more than %d deep (max_depth)",
                           e->options->max_depth);
}
