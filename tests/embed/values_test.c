/* What an embedder gives to scripts and gets from them: modules in C and in
 * Lua, module paths, values on the stack and as JSON, figures of use. */
#define _GNU_SOURCE 1 /* for uv.h */

#include "embed.h"

#include <unistd.h>

static int open_probe(lua_State *L) {
  lua_newtable(L);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "name");
  return 1;
}

static void preload(luge_host *host, const char *name, const char *code) {
  CHECK(luge_preload(host, name, code, strlen(code)) == LUGE_OK);
}

static void test_modules(void) {
  luge_host *host = open_host(NULL);
  CHECK(luge_register(host, "my.probe", open_probe) == LUGE_OK);
  RUNS(host, "assert(require('my.probe').name == 'my.probe')");
  preload(host, "my.slow",
          "local name, from = ...\n"
          "require('luge').sleep(0.001)\n"
          "return { answer = 42, name = name, from = from }");
  RUNS(host, "local m = require 'my.slow'\n"
             "assert(m.answer == 42 and m.name == 'my.slow')\n"
             "assert(require 'my.slow' == m)");
  preload(host, "my.other", "return 1");
  preload(host, "my.other", "return 2");
  RUNS(host, "assert(require 'my.other' == 2)");
  preload(host, "my.broken", "return return");
  RUNS(host, "local ok, e = pcall(require, 'my.broken')\n"
             "assert(not ok and e:find('my.broken:1:', 1, true), e)");
  CHECK(luge_preload(host, "my.bytes", LUA_SIGNATURE "xxx", 7) == LUGE_OK);
  RUNS(host, "local ok, e = pcall(require, 'my.bytes')\n"
             "assert(not ok and e:find('binary chunk', 1, true), e)");
  RUNS(host, "local ok, e = pcall(require, 'my.absent')\n"
             "assert(not ok and e:find(\"no module 'my.absent' was "
             "preloaded\", 1, true), e)");
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_module_path(void) {
  char directory[] = "/tmp/luge-path-XXXXXX", path[64], templates[64];
  CHECK(mkdtemp(directory) != NULL);
  snprintf(path, sizeof path, "%s/found.lua", directory);
  snprintf(templates, sizeof templates, "%s/?.lua", directory);
  FILE *file = fopen(path, "w");
  CHECK(file != NULL && fputs("return 'found'", file) >= 0);
  fclose(file);
  luge_options options = {.size = sizeof options,
                          .on_error = on_error,
                          .module_path = templates,
                          .c_module_path = ""};
  luge_host *host = luge_open(&options);
  memset(templates, 'x', sizeof templates);
  RUNS(host, "assert(require 'found' == 'found' and package.cpath == '')");
  CHECK(luge_close(host) == LUGE_OK);
  options.module_path = "";
  host = luge_open(&options);
  RUNS(host, "assert(not pcall(require, 'found') and package.path == '')");
  CHECK(luge_close(host) == LUGE_OK);
  unlink(path);
  rmdir(directory);
}

/* Values. */

static void load(lua_State *L, const char *code) {
  CHECK(luaL_loadstring(L, code) == LUA_OK);
}

static void test_run_function(void) {
  luge_host *host = open_host(NULL);
  lua_State *L = luge_lua(host);
  lua_pushliteral(L, "below");
  load(L, "require('luge').sleep(0.001) return ..., 'and', 'more'");
  lua_pushinteger(L, 7);
  CHECK(luge_run_function(host, 1, LUA_MULTRET) == LUGE_OK);
  CHECK(lua_gettop(L) == 4 && lua_tointeger(L, 2) == 7);
  lua_settop(L, 1);
  load(L, "return 1");
  CHECK(luge_run_function(host, 0, 3) == LUGE_OK);
  CHECK(lua_gettop(L) == 4 && lua_tointeger(L, 2) == 1 && lua_isnil(L, 4));
  lua_settop(L, 1);
  load(L, "return 1, 2");
  CHECK(luge_run_function(host, 0, 0) == LUGE_OK && lua_gettop(L) == 1);
  load(L, "error('boom')");
  reported.count = 0;
  CHECK(luge_run_function(host, 0, 2) == LUGE_ERROR && lua_gettop(L) == 1);
  CHECK(reported.count == 1 && strstr(reported.message, "boom") != NULL);
  load(L, "os.exit(3)");
  CHECK(luge_run_function(host, 0, 2) == LUGE_EXIT && lua_gettop(L) == 1);
  CHECK(luge_exit_code(host) == 3);
  RUNS(host, "");
  CHECK(luge_exit_code(host) == 0);
  CHECK(strcmp(lua_tostring(L, 1), "below") == 0);
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_start_function(void) {
  luge_host *host = open_host(NULL);
  lua_State *L = luge_lua(host);
  struct outcome sum, exited;
  load(L, "require('luge').sleep(0.001) local a, b = ... return a + b");
  lua_pushinteger(L, 40);
  lua_pushinteger(L, 2);
  CHECK(luge_start_function(host, 2, on_done, memset(&sum, 0, sizeof sum)) !=
        NULL);
  CHECK(lua_gettop(L) == 0);
  step_until_done(host);
  CHECK(sum.calls == 1 && sum.status == LUGE_OK && sum.number == 42);
  start(host, "os.exit(4)", &exited);
  step_until_done(host);
  CHECK(exited.status == LUGE_EXIT && luge_exit_code(host) == 4);
  CHECK(luge_close(host) == LUGE_OK);
}

static void step_until_told(luge_host *host, const struct outcome *outcome) {
  while (outcome->calls == 0) {
    CHECK(luge_step(host) >= 0);
  }
}

/* os.exit ends the script that calls it, from any of its tasks, and no other:
 * neither those that live on nor those that come after. */
static void test_exit_among_others(void) {
  luge_host *host = open_host(NULL);
  lua_State *L = luge_lua(host);
  struct outcome others, exited;
  start(host, "require('luge').sleep(3600)", &others);
  start(host,
        "local luge = require 'luge'\n"
        "local function exit() pcall(os.exit, 6) luge.sleep(3600) end\n"
        "luge.spawn(function() luge.spawn(exit) end) luge.sleep(3600)",
        &exited);
  step_until_told(host, &exited);
  CHECK(exited.status == LUGE_EXIT && luge_exit_code(host) == 6);
  CHECK(others.calls == 0);
  CHECK(run(host, "os.exit(7)") == LUGE_EXIT && luge_exit_code(host) == 7);
  load(L, "return ...");
  lua_pushinteger(L, 42);
  CHECK(luge_run_function(host, 1, 1) == LUGE_OK);
  CHECK(lua_tointeger(L, -1) == 42);
  struct outcome cancelled;
  luge_task *task = start(host, "require('luge').sleep(3600)", &cancelled);
  CHECK(luge_task_cancel(task, "enough") == LUGE_OK);
  step_until_told(host, &cancelled);
  CHECK(cancelled.status == LUGE_CANCELLED);
  CHECK(luge_close(host) == LUGE_OK);
  CHECK(others.status == LUGE_CANCELLED);
}

static int decode(lua_State *L, const char *json) {
  return luge_json_decode(L, json, strlen(json));
}

static void test_json(void) {
  luge_host *host = open_host(NULL);
  lua_State *L = luge_lua(host);
  load(L, "local v = ... v.list[3] = v.n + 1 v.none = nil return v");
  CHECK(decode(L, "{\"n\": 9007199254740993, \"list\": [1, null], \"none\": "
                  "[]}") == LUGE_OK);
  CHECK(luge_run_function(host, 1, 1) == LUGE_OK);
  CHECK(luge_json_encode(L, -1) == LUGE_OK && lua_gettop(L) == 2);
  CHECK(strstr(lua_tostring(L, -1), "[1,null,9007199254740994]") != NULL);
  lua_settop(L, 0);
  CHECK(decode(L, "[1,") == LUGE_ERROR && lua_gettop(L) == 1);
  CHECK(strstr(luaL_tolstring(L, -1, NULL), "at byte 4") != NULL);
  lua_settop(L, 0);
  lua_pushcfunction(L, open_probe);
  CHECK(luge_json_encode(L, 1) == LUGE_ERROR && lua_gettop(L) == 2);
  CHECK(luge_json_encode(L, 7) == LUGE_INVALID && lua_gettop(L) == 2);
  CHECK(luge_json_decode(L, NULL, 0) == LUGE_INVALID && lua_gettop(L) == 2);
  CHECK(luge_json_decode(NULL, "1", 1) == LUGE_INVALID);
  CHECK(luge_close(host) == LUGE_OK);
}

static void test_json_memory(void) {
  luge_options options = {.size = sizeof options, .memory_limit = 1 << 20};
  luge_host *host = luge_open(&options);
  size_t length = 1 << 20;
  char *json = malloc(length);
  memset(json, ' ', length);
  json[0] = json[length - 1] = '"';
  CHECK(luge_json_decode(luge_lua(host), json, length) == LUGE_MEMORY);
  CHECK(lua_gettop(luge_lua(host)) == 1);
  free(json);
  CHECK(luge_close(host) == LUGE_OK);
}

/* Figures. */

static luge_pending *kept;

static int wait_for_ever(lua_State *L) {
  kept = luge_wait_begin(L);
  return luge_wait(L, kept, NULL, NULL);
}

static void test_usage(void) {
  luge_options options = {.size = sizeof options, .memory_limit = 1 << 24};
  luge_host *host = luge_open(&options);
  struct luge_usage usage = {.size = sizeof usage};
  struct outcome outcome;
  CHECK(luge_usage(host, &usage) == LUGE_OK);
  CHECK(usage.size == sizeof usage && usage.memory > 10000);
  CHECK(usage.memory_limit == 1 << 24 && usage.tasks == 0);
  CHECK(usage.operations == 0 && usage.timers == 0);
  size_t memory = usage.memory;
  lua_register(luge_lua(host), "wait_for_ever", wait_for_ever);
  start(host,
        "local luge = require 'luge'\n"
        "kept = ('x'):rep(100000)\n"
        "luge.spawn(luge.sleep, 100) luge.spawn(luge.sleep, 100)\n"
        "wait_for_ever()",
        &outcome);
  luge_step(host);
  CHECK(luge_usage(host, &usage) == LUGE_OK && usage.tasks == 3);
  CHECK(usage.memory > memory + 100000);
  CHECK(usage.operations == 1 && usage.timers == 2);
  struct luge_usage older = {.size = offsetof(struct luge_usage, tasks),
                             .tasks = 77};
  CHECK(luge_usage(host, &older) == LUGE_OK && older.tasks == 77);
  CHECK(older.memory == usage.memory);
  CHECK(luge_usage(host, NULL) == LUGE_INVALID);
  older.size = 0;
  CHECK(luge_usage(host, &older) == LUGE_INVALID);
  CHECK(luge_close(host) == LUGE_OK);
}

int main(void) {
  test_modules();
  test_module_path();
  test_run_function();
  test_start_function();
  test_exit_among_others();
  test_json();
  test_json_memory();
  test_usage();
  return verdict();
}
