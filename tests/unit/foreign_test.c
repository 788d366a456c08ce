/* Tasks and C libraries that know nothing of them: one that yields from a task,
 * and one that resumes coroutines by itself. Each gets a named error; the host
 * goes on. */
#include <luge.h>

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../support/check.h"

static char reported[4096];

static void on_error(luge_host *host, const char *message,
                     const char *traceback, void *user) {
  (void)host;
  (void)traceback;
  (void)user;
  snprintf(reported, sizeof reported, "%s", message);
}

static int foreign_yield(lua_State *L) {
  return lua_yield(L, lua_gettop(L));
}

static int resumed(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L);
}

static int foreign_yieldk(lua_State *L) {
  return lua_yieldk(L, 0, 0, resumed);
}

/* foreign_resume(fn) -> status, what it yielded, returned or raised */
static int foreign_resume(lua_State *L) {
  int results;
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushinteger(L, lua_resume(co, L, 0, &results));
  lua_xmove(co, L, 1);
  return 2;
}

static int foreign_call(lua_State *L) {
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

struct scenario {
  const char *name, *code, *error; /* error: "" none */
};

static const struct scenario scenarios[] = {
    {"a yield from a task fails it", "foreign_yield(1, 2)",
     "a C library yielded from a task"},
    {"with a continuation too", "foreign_yieldk()",
     "a C library yielded from a task"},
    {"behind pcall too", "pcall(foreign_yield)",
     "a C library yielded from a task"},
    {"whoever awaits it hears of it, and goes on",
     "local ok, err = pcall(luge.await, luge.spawn(foreign_yield))\n"
     "assert(not ok and err:find 'a C library yielded', err)\n"
     "luge.sleep(0)",
     ""},
    {"its children are cancelled",
     "local child\n"
     "local task = luge.spawn(function()\n"
     "  child = luge.spawn(luge.sleep, 3600) luge.sleep(0) foreign_yield()\n"
     "end)\n"
     "assert(not pcall(luge.await, task))\n"
     "luge.sleep(0) luge.sleep(0)\n"
     "assert(child:status() == 'cancelled', child:status())",
     ""},
    {"its permits stay with it, unless they are closed",
     "local n = 0\n"
     "local task = luge.spawn(function()\n"
     "  local _ <close> = setmetatable({}, { __close = function() n = n + 1 "
     "end })\n"
     "  foreign_yield()\n"
     "end)\n"
     "assert(not pcall(luge.await, task)) assert(n == 1, n)",
     ""},
    {"a yield from a coroutine goes to its resumer",
     "local co = coroutine.wrap(function() foreign_yield(7) luge.sleep(0)\n"
     "  return 8 end)\n"
     "assert(co() == 7) assert(co() == 8)",
     ""},
    {"a coroutine that C resumed cannot wait",
     "local status, err = foreign_resume(function() luge.sleep(0) end)\n"
     "assert(status == 2 and err.kind == 'invalid')\n"
     "assert(err.message:find 'a C library resumed', err.message)\n"
     "luge.sleep(0)",
     ""},
    {"nor open a block that waits",
     "local status, err = foreign_resume(function()\n"
     "  return luge.timeout(1, luge.sleep, 0) end)\n"
     "assert(status == 2 and err.kind == 'invalid', tostring(err))",
     ""},
    {"but may yield, and spawn",
     "local task\n"
     "local status, value = foreign_resume(function()\n"
     "  task = luge.spawn(function() return 'spawned' end)\n"
     "  coroutine.yield 'mine' end)\n"
     "assert(status == 1 and value == 'mine')\n"
     "assert(task:await() == 'spawned')",
     ""},
    {"a coroutine of luge's inside one of C's cannot wait",
     "local status, ok, err = foreign_resume(function()\n"
     "  local ok, err = coroutine.resume(coroutine.create(luge.sleep), 0)\n"
     "  assert(not ok and err.kind == 'invalid', tostring(err))\n"
     "  return 'done' end)\n"
     "assert(status == 0 and ok == 'done', tostring(ok))",
     ""},
    {"a function that C calls cannot wait",
     "local ok, err = pcall(foreign_call, luge.sleep, 0)\n"
     "assert(not ok and err.kind == 'invalid')\n"
     "assert(err.message:find 'foreign_call', err.message)",
     ""},
};

static void check(const struct scenario *scenario, const char *expected,
                  int status) {
  bool fails = expected[0] != '\0';
  EXPECT((status != LUGE_OK) == fails && (reported[0] != '\0') == fails &&
             strstr(reported, expected) != NULL,
         "%s: status %d, reported: %s", scenario->name, status, reported);
}

static int run(luge_host *host, const char *code) {
  char text[2048];
  snprintf(text, sizeof text, "local luge = require 'luge' %s", code);
  return luge_run_string(host, text, strlen(text), "=scenario", 0, NULL);
}

static void play(const struct scenario *scenario) {
  luge_options options = {.size = sizeof options, .on_error = on_error};
  luge_host *host = luge_open(&options);
  lua_State *L = luge_lua(host);
  lua_register(L, "foreign_yield", foreign_yield);
  lua_register(L, "foreign_yieldk", foreign_yieldk);
  lua_register(L, "foreign_resume", foreign_resume);
  lua_register(L, "foreign_call", foreign_call);
  reported[0] = '\0';
  check(scenario, scenario->error, run(host, scenario->code));
  reported[0] = '\0';
  check(scenario, "", run(host, "luge.sleep(0)"));
  luge_close(host);
}

int main(void) {
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    play(&scenarios[i]);
  }
  return verdict();
}
