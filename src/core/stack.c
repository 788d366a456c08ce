/* The stack of a coroutine in words; see stack.h. Lua's own text has a line
 * for each frame, the innermost first: lines are taken out of it. A module
 * that was read from disk (LUGE_LUA_DIR) keeps its frames. C functions are
 * found by their private names, and shown by the public ones. */
#include "stack.h"

#include <lauxlib.h>
#include <string.h>

/* Lines of Lua's text at most: it leaves out the middle of a deep stack. */
enum { MAX_LINES = 64 };

struct line {
  const char *text;
  size_t length;
  bool kept;
};

static bool begins(const struct line *line, const char *prefix) {
  size_t length = strlen(prefix);
  return line->length >= length && memcmp(line->text, prefix, length) == 0;
}

static int split(const char *text, struct line *lines) {
  int count = 0;
  while (*text != '\0' && count < MAX_LINES) {
    const char *end = strchr(text, '\n');
    size_t length = end != NULL ? (size_t)(end - text) : strlen(text);
    lines[count++] = (struct line){text, length, true};
    text += length + (end != NULL ? 1 : 0);
  }
  return count;
}

bool luge__stack_is_own(const lua_Debug *ar) {
  return strncmp(ar->source, "=luge.", 6) == 0 ||
         strcmp(ar->source, "=luge") == 0;
}

static bool is_bottom(const struct line *line) {
  return begins(line, "\t[C]: in ?");
}

/* "luge" and "luge.http" are modules, luge.lua and luge.http.lua scripts. */
static bool is_luge(const struct line *line) {
  if (!begins(line, "\tluge.") && !begins(line, "\tluge:")) {
    return false;
  }
  const char *colon = memchr(line->text, ':', line->length);
  return colon != NULL && memcmp(colon - 4, ".lua", 4) != 0;
}

/* From the outermost frame in: whatever a frame that is left out calls in C is
 * left out with it, and the mark of the tail calls behind it. */
static void choose(struct line *lines, int count) {
  if (count > 0 && is_bottom(&lines[count - 1])) {
    lines[--count].kept = false;
  }
  bool below_is_kept = true;
  for (int i = count - 1; i > 0; i--) {
    struct line *line = &lines[i];
    bool is_c = begins(line, "\t[C]");
    line->kept = !is_luge(line) && (!is_c || below_is_kept);
    if (!begins(line, "\t(...tail")) {
      below_is_kept = line->kept;
    }
  }
  for (int i = 1; i < count; i++) {
    if (begins(&lines[i], "\t(...tail") && !lines[i - 1].kept) {
      lines[i].kept = false;
    }
  }
}

void luge__stack_push(lua_State *L, lua_State *L1, int level) {
  struct line lines[MAX_LINES];
  luaL_traceback(L, L1, NULL, level);
  luaL_gsub(L, lua_tostring(L, -1), "'luge.native.task.", "'luge.");
  luaL_gsub(L, lua_tostring(L, -1), "'luge.native.", "'luge.");
  lua_replace(L, -3);
  lua_pop(L, 1);
  int count = split(lua_tostring(L, -1), lines);
  choose(lines, count);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (int i = 0; i < count; i++) {
    if (lines[i].kept) {
      if (i > 0) {
        luaL_addchar(&text, '\n');
      }
      luaL_addlstring(&text, lines[i].text, lines[i].length);
    }
  }
  luaL_pushresult(&text);
  lua_remove(L, -2);
}
