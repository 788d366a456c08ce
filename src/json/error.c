/* `parse` errors: where a document is broken, and what stands there, in a
 * form that is safe to print. */
#include "../core/error.h"
#include "json.h"
#include "scan.h"

#include <lauxlib.h>
#include <stdio.h>

#define BEFORE 12
#define AFTER  20

/* Characters that a terminal or a reader would not show as they are:
 * controls, and the invisible ones that change how others are shown. */
static int is_hidden(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD ||
         (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

static uint32_t code_point(const char *p, int length) {
  static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  uint32_t code = (unsigned char)p[0] & masks[length];
  for (int i = 1; i < length; i++) {
    code = code << 6 | ((unsigned char)p[i] & 0x3F);
  }
  return code;
}

/* Writes the character at `*p` visibly and goes on to the next; how long it
 * has become, 10 bytes at most. */
static size_t show(char *out, const char **p, const char *end) {
  const char *at = *p;
  int length = json_utf8(at, end);
  if (length == 0) {
    *p += 1;
    return (size_t)sprintf(out, "\\x%02X", (unsigned char)*at);
  }
  *p += length;
  uint32_t code = code_point(at, length);
  if (code == '\n' || code == '\r' || code == '\t') {
    out[0] = '\\';
    out[1] = code == '\n' ? 'n' : code == '\r' ? 'r' : 't';
    return 2;
  }
  if (is_hidden(code)) {
    return (size_t)sprintf(out, "\\u{%X}", (unsigned)code);
  }
  memcpy(out, at, (size_t)length);
  return (size_t)length;
}

size_t luge__json_visible(char *out, size_t size, const char *text,
                          const char *end) {
  size_t used = 0;
  while (text < end && used + 11 < size) {
    used += show(out + used, &text, end);
  }
  out[used] = '\0';
  return used;
}

/* Pushes a few characters from both sides of `p`. */
static void push_near(lua_State *L, const char *text, const char *p,
                      const char *end) {
  char out[(BEFORE + AFTER + 4) * 10];
  const char *from = p - text > BEFORE ? p - BEFORE : text;
  while (from > text && from < p && json_is_cont((unsigned char)*from)) {
    from++;
  }
  const char *to = end - p > AFTER ? p + AFTER : end;
  while (to < end && json_is_cont((unsigned char)*to) && to - p < AFTER + 3) {
    to++;
  }
  lua_pushlstring(L, out, luge__json_visible(out, sizeof out, from, to));
}

void luge__json_push_parse_error(lua_State *L, const char *text, const char *p,
                                 const char *end, uint64_t before,
                                 const char *what) {
  lua_Integer offset = (lua_Integer)(before + (uint64_t)(p - text) + 1);
  luaL_checkstack(L, 8, NULL);
  push_near(L, text, p, end);
  const char *near = lua_tostring(L, -1);
  luge__push_error(L, "parse", "JSON: %s at byte %I%s%s", what,
                   (LUAI_UACINT)offset, *near != '\0' ? ", near " : "", near);
  lua_pushinteger(L, offset);
  lua_setfield(L, -2, "offset");
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "near");
  lua_remove(L, -2);
}
