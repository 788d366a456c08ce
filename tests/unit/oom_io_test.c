/* Out of memory in what reaches outside, and in what embedders call: requests
 * and their servers, streams, files, programs, offloaded work, values; and in
 * hosts that are closed in the middle. See oom.h. */
#define _GNU_SOURCE 1

#include "oom.h"

#include <lauxlib.h>

/* Completed at once, then by the pool. */
static void work(void *data) {
  (void)data;
}

static int offloaded(lua_State *L) {
  luge_pending *pending = luge_wait_begin(L);
  luge_resolve(pending, NULL, NULL);
  luge_wait(L, pending, NULL, NULL);
  return luge_offload(L, work, NULL, NULL, NULL);
}

static int never(lua_State *L) {
  return luge_wait(L, luge_wait_begin(L), NULL, NULL);
}

static int add_functions(lua_State *L) {
  lua_register(L, "offloaded", offloaded);
  lua_register(L, "never", never);
  return 0;
}

static bool prepare(luge_host *host) {
  lua_State *L = luge_lua(host);
  lua_pushcfunction(L, add_functions);
  bool good = lua_pcall(L, 0, 0, 0) == LUA_OK;
  lua_settop(L, 0);
  return good;
}

static void use_functions(luge_host *host, const char *code) {
  if (prepare(host)) {
    run(host, code);
  }
}

/* `done` is called once, whatever there is no memory for. */
static void on_done(luge_host *host, enum luge_status status, lua_State *L,
                    int results, void *data) {
  (void)host;
  (void)status;
  (void)L;
  (void)results;
  ++*(int *)data;
}

/* Closes the host while the script is at work. */
static void close_in_the_middle(luge_host *host, const char *code) {
  static int done;
  done = 0;
  if (!prepare(host)) {
    return;
  }
  luge_task *task = luge_start_string(host, code, strlen(code), "=oom", 0, NULL,
                                      on_done, &done);
  for (int i = 0; i < 3; i++) {
    luge_step(host);
  }
  if (task != NULL && done == 0) {
    luge_task_cancel(task, "enough");
    while (luge_step(host) > 0 && done == 0) {
    }
  }
  if (task != NULL && done != 1) {
    complain("the end of a task was not told once");
  }
}

static int load(lua_State *L) {
  if (luaL_loadstring(L, "return require 'given' .. (...).list[1]") != LUA_OK) {
    return lua_error(L);
  }
  return 1;
}

static void use_values(luge_host *host, const char *code) {
  static const char json[] = "{\"list\": [1, 2, {\"a\": [\"b\", null]}]}";
  lua_State *L = luge_lua(host);
  luge_preload(host, "given", code, strlen(code));
  luge_register(host, "c.given", offloaded);
  lua_pushcfunction(L, load);
  if (lua_pcall(L, 0, 1, 0) == LUA_OK &&
      luge_json_decode(L, json, sizeof json - 1) == LUGE_OK &&
      luge_run_function(host, 1, 1) == LUGE_OK) {
    luge_json_encode(L, -1);
  }
  lua_settop(L, 0);
}

static const struct scenario scenarios[] = {
    {"offloaded() local t = require('luge').spawn(never)\n"
     "require('luge').sleep(0) t:cancel()",
     use_functions},
    {"return 'x'", use_values},
    {"local luge = require 'luge'\n"
     "luge.spawn(never) luge.spawn(luge.sleep, 100)\n"
     "for i = 1, 4 do luge.spawn(offloaded) end\n"
     "local x <close> = setmetatable({}, { __close = function()\n"
     "  luge.sleep(0) end })\n"
     "luge.sleep(100)",
     close_in_the_middle},
    {"local fs = require 'luge.fs'\n"
     "for line in fs.open('/proc/self/status'):lines() do break end\n"
     "fs.stat('/') fs.list('/proc/self/task')",
     NULL},
    {"local process = require 'luge.process'\n"
     "process.run { 'cat', input = 'x' }",
     NULL},
    {"local luge = require 'luge'\n"
     "local process = require 'luge.process'\n"
     "luge.spawn(process.run, { 'sleep', '100' })\n"
     "local child = process.spawn { 'cat' }\n"
     "luge.sleep(100)",
     close_in_the_middle},
    {"local http = require 'luge.http'\n"
     "local server <close> = http.server { handler = function(req)\n"
     "  return { json = { text = req:text() } } end }\n"
     "http.post(server.url, { body = 'hello', timeout = 1 }):json()",
     NULL},
    {"local http = require 'luge.http'\n"
     "local server <close> = http.server { handler = function()\n"
     "  return { events = function(emit) for i = 1, 3 do emit { data = i } "
     "end\n"
     "    end } end }\n"
     "local answer <close> = http.get(server.url, { stream = true,\n"
     "  timeout = 1 })\n"
     "for event in answer:events() do end",
     NULL},
    /* Without a time limit: the request is answered, or broken off. */
    {"local http = require 'luge.http'\n"
     "local server <close> = http.server { handler = function() end }\n"
     "http.get(server.url)",
     NULL},
    {"local http = require 'luge.http'\n"
     "local luge = require 'luge'\n"
     "local server <close> = http.server { handler = never }\n"
     "luge.spawn(http.get, server.url)\n"
     "luge.sleep(100)",
     close_in_the_middle},
    {"local chain = require 'luge.chain'\n"
     "local step = chain.lambda(function(x) return x + 1 end)\n"
     "  | chain.lambda(function(x) require('luge').sleep(0) return x end)\n"
     "step:batch({ 1, 2, 3, 4 }, { concurrency = 2 })\n"
     "for _ in step:stream(1) do end",
     NULL},
    {"local http = require 'luge.http'\n"
     "local llm = require 'luge.llm'\n"
     "local piece = '{\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}'\n"
     "local server <close> = http.server { handler = function()\n"
     "  return { events = function(emit)\n"
     "    emit { data = piece } emit { data = '[DONE]' } end } end }\n"
     "local chain = llm.prompt 'Say {x}' | llm.model { model = 'm',\n"
     "  base_url = server.url, api_key = 'k', max_retries = 0, timeout = 1 }\n"
     "  | llm.text()\n"
     "for piece in chain:stream { x = 'tides' } do end",
     NULL},
    {"local net = require 'luge.net'\n"
     "local s <close> = net.listen()\n"
     "local c <close> = net.connect('127.0.0.1', s.port)\n"
     "local a <close> = s:accept()\n"
     "c:write('one\\n', 'two'):shutdown() a:read_line() a:read_all()",
     NULL},
    {"local net = require 'luge.net'\n"
     "local s <close> = net.serve { handler = function(conn)\n"
     "  for line in conn:lines() do conn:write(line) end\n"
     "end }\n"
     "local c <close> = net.connect('127.0.0.1', s.port)\n"
     "c:write(('x'):rep(300000), '\\n'):shutdown():read_all()",
     NULL},
    {"local s <close> = require 'luge.store'.memory()\n"
     "s:set('a', { 1, 'x' }) s:get 'a'",
     NULL},
    {"require('luge.worker').run(function(...) return ... end, { 1, { 'x' } })",
     NULL},
    {"local log = require 'luge.log'\n"
     "log.info('x', { a = 1 })\n"
     "print 'x' io.stderr:write 'y'",
     NULL},
};

int main(void) {
  return try_all(scenarios, sizeof scenarios / sizeof *scenarios, 149);
}
