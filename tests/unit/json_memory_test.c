/* The codec when memory runs out: each allocation fails in turn, once or from
 * then on. Every failure is an error, nothing leaks, and the state is good for
 * the next document. */
#include "core/error.h"
#include "mod/modules.h"
#include "json/json.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heap {
  size_t live;     /* bytes */
  long countdown;  /* allocations until one fails; negative: none does */
  int forever;     /* whether all later ones fail too */
  size_t limit;    /* bytes; 0 for none */
  long injections; /* failures so far */
};

static int must_fail(struct heap *heap, size_t more) {
  if (heap->limit > 0 && heap->live + more > heap->limit) {
    return 1;
  }
  if (heap->countdown < 0) {
    return 0;
  }
  if (heap->countdown > 0) {
    heap->countdown--;
    return 0;
  }
  heap->countdown = heap->forever ? 0 : -1;
  heap->injections++;
  return 1;
}

static void *allocate(void *ud, void *block, size_t old, size_t size) {
  struct heap *heap = ud;
  old = block != NULL ? old : 0;
  if (size == 0) {
    heap->live -= old;
    free(block);
    return NULL;
  }
  if (size > old && must_fail(heap, size - old)) {
    return NULL;
  }
  void *moved = realloc(block, size);
  if (moved != NULL) {
    heap->live += size;
    heap->live -= old;
  }
  return moved;
}

static const char script[] =
    "local json = ...\n"
    "local long = ('x'):rep(3000) .. '\\n'\n"
    "local value = { list = json.array(), n = 1.5, [long] = { long, long } }\n"
    "for i = 1, 300 do value.list[i] = { i, k = nil } end\n"
    "local deep = {}\n"
    "for i = 1, 150 do deep = { deep } end\n"
    "value.deep = deep\n"
    "local options = { sort_keys = true, indent = 1, max_depth = 200 }\n"
    "local text = json.encode(value, options)\n"
    "local back = json.decode(text, { max_depth = 200 })\n"
    "assert(json.encode(back, options) == text)\n"
    "assert(not pcall(json.encode, { long, { print } }))\n"
    "assert(not pcall(json.decode, '[\"' .. long:rep(2)))\n"
    "local reader = json.reader { max_depth = 200 }\n"
    "for i = 1, #text, 997 do\n"
    "  reader:feed(text:sub(i, i + 996))\n"
    "  reader:value()\n"
    "end\n"
    "assert(json.encode(reader:finish(), options) == text)\n";

static lua_State *open_state(struct heap *heap) {
  lua_State *L = lua_newstate(allocate, heap);
  luaL_requiref(L, "_G", luaopen_base, 1);
  luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
  /* Lua's own buffers do not survive a failure in their first use. */
  if (luaL_dostring(L, "return ('x'):rep(10000)") != LUA_OK) {
    abort();
  }
  luge__error_init(L);
  luge__open_json(L);
  lua_replace(L, 1);
  lua_settop(L, 1);
  return L;
}

static int run(lua_State *L, const char *code) {
  int status = luaL_loadstring(L, code);
  if (status == LUA_OK) {
    lua_pushvalue(L, 1);
    status = lua_pcall(L, 1, 0, 0);
  }
  return status;
}

/* Whether the script ran to its end although an allocation failed or, where
 * none did, that it did. -1: something is wrong. */
static int try_failure(long at, int forever, long *injections) {
  struct heap heap = {0, -1, 0, 0, 0};
  lua_State *L = open_state(&heap);
  heap.countdown = at;
  heap.forever = forever;
  int status = run(L, script);
  *injections += heap.injections;
  int failed = heap.injections > 0;
  heap.countdown = -1;
  if (status != LUA_OK && !failed) {
    printf("no allocation failed: %s\n", lua_tostring(L, -1));
    return -1;
  }
  lua_settop(L, 1);
  if (run(L, script) != LUA_OK) {
    printf("after failure %ld: %s\n", at, lua_tostring(L, -1));
    return -1;
  }
  lua_close(L);
  if (heap.live != 0) {
    printf("after failure %ld: %zu bytes live\n", at, heap.live);
    return -1;
  }
  return !failed;
}

static int test_failures(int forever) {
  long injections = 0;
  for (long at = 0;; at += at < 400 ? 1 : 19) {
    int done = try_failure(at, forever, &injections);
    if (done != 0) {
      return done > 0 && injections > 100 ? 0 : 1;
    }
  }
}

static int run_limited(const char *code) {
  struct heap heap = {0, -1, 0, 64u << 20, 0};
  lua_State *L = open_state(&heap);
  int status = run(L, code);
  if (status != LUA_OK) {
    printf("under a limit: %s\n", lua_tostring(L, -1));
  }
  lua_close(L);
  return status != LUA_OK || heap.live != 0;
}

/* Escapes make text six times as long; the buffer for it counts too. */
static int test_limit(void) {
  return run_limited(
      "local json = ...\n"
      "local text = ('\\1'):rep(5 * 1024 * 1024)\n"
      "local ok, err = pcall(json.encode, { text, text, text })\n"
      "assert(not ok and err == 'not enough memory', err)\n"
      "collectgarbage()\n"
      "assert(#json.encode(text:sub(1, 1024 * 1024)) == 6 * 1024 * 1024 + 2)");
}

/* Garbage makes room before the buffer gives up. */
static int test_garbage(void) {
  return run_limited("local json = ...\n"
                     "collectgarbage('stop')\n"
                     "local text = ('\\1'):rep(1024 * 1024)\n"
                     "for i = 1, 55 do text:upper() end\n"
                     "json.encode(text)");
}

int main(void) {
  return test_failures(0) | test_failures(1) | test_limit() | test_garbage();
}
