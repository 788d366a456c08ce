/* Out of memory: for each scenario the k-th allocation fails, for every k,
 * once and from then on. The script ends with an error or is refused; nothing
 * leaks; and with memory back, the next script runs. The fast tier takes every
 * STEP-th k; LUGE_OOM_ALL=1 takes all. */
#define _GNU_SOURCE 1

#include <luge.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 23 };

struct memory {
  long left; /* allocations until one fails; negative: none will */
  bool for_ever;
  bool failed;
  size_t live;
};

static void *allocate(void *data, void *ptr, size_t old_size, size_t new_size) {
  struct memory *memory = data;
  size_t old = ptr != NULL ? old_size : 0;
  if (new_size == 0) {
    free(ptr);
    memory->live -= old;
    return NULL;
  }
  if (new_size > old && memory->left >= 0 && memory->left-- == 0) {
    memory->failed = true;
    memory->left = memory->for_ever ? 0 : -1;
    return NULL;
  }
  void *block = realloc(ptr, new_size);
  memory->live += new_size - old;
  return block;
}

static const char *const scenarios[] = {
    "local x = {} for i = 1, 50 do x[i] = { i } end",
    "local luge = require 'luge'\n"
    "local t = luge.spawn(function() luge.sleep(0) return 1, 2, 3 end)\n"
    "luge.await(t)",
    "local luge = require 'luge'\n"
    "local t = luge.spawn(luge.sleep, 100) luge.sleep(0) t:cancel('x')\n"
    "pcall(t.await, t)",
    "local luge = require 'luge'\n"
    "pcall(luge.timeout, 0.0001, luge.sleep, 100)",
    "local luge = require 'luge'\n"
    "pcall(luge.scope, function(s) s:spawn(error, { 'x' }) luge.sleep(9) end)",
    "local luge = require 'luge'\n"
    "local q = luge.queue(2) luge.spawn(function() for i = 1, 9 do q:put(i) "
    "end q:close() end) for _ in q:iter() do end",
    "local luge = require 'luge'\n"
    "local s = luge.semaphore(1) for i = 1, 4 do luge.spawn(function() local _ "
    "<close> = s:hold() luge.sleep(0) end) end",
    "local luge = require 'luge'\n"
    "for v in coroutine.wrap(function() for i = 1, 3 do luge.sleep(0) "
    "coroutine.yield(i) end end) do end",
    "local luge = require 'luge'\n"
    "local f = luge.future() luge.spawn(f.reject, f, 'no') pcall(f.await, f)",
    "local luge = require 'luge'\n"
    "luge.gather { function() return 1 end, function() luge.sleep(0) end }",
    "local luge = require 'luge'\n"
    "for v in luge.stream(function(emit) emit(1) emit(2) end) do end",
    "local luge = require 'luge'\n"
    "luge.stream(function(emit) for i = 1, 9 do emit(i) end end):buffer(2)\n"
    ":map(function(x) luge.sleep(0) return x end, { concurrency = 2 })\n"
    ":chunk(2):take(3):collect()",
    "local luge = require 'luge'\n"
    "local a, b = luge.merge({ { 1, 2 }, { 3, 4 } }):tee(2)\n"
    "for x, y in luge.zip { a, b } do assert(x == y) end",
    "local luge = require 'luge'\n"
    "luge.map({ 1, 2, 3 }, function(x)\n"
    "  return luge.context.with({ x = x }, luge.retry, luge.context.get)\n"
    "end, { concurrency = 2, return_errors = true })\n"
    "for _, t in luge.as_completed { luge.now, luge.now } do t:await() end",
    "local luge = require 'luge'\n"
    "local b, l = luge.barrier(2), luge.limiter { rate = 1000000, burst = 1 }\n"
    "luge.spawn(b.wait, b) b:wait() l:acquire() l:acquire()\n"
    "local s <close> = luge.stream(function(emit) emit(1) end) s:next()",
    "local json = require 'luge.json'\n"
    "json.decode(json.encode { a = { 1, 2.5, 'x' }, b = json.null })",
    "local net = require 'luge.net'\n"
    "local s <close> = net.listen()\n"
    "local c <close> = net.connect('127.0.0.1', s.port)\n"
    "local a <close> = s:accept()\n"
    "c:write('one\\n', 'two'):shutdown() a:read_line() a:read_all()",
    "local net = require 'luge.net'\n"
    "local s <close> = net.serve { handler = function(conn)\n"
    "  for line in conn:lines() do conn:write(line) end\n"
    "end }\n"
    "local c <close> = net.connect('127.0.0.1', s.port)\n"
    "c:write(('x'):rep(300000), '\\n'):shutdown():read_all()",
    "require('luge.worker').run(function(...) return ... end, { 1, { 'x' } })",
    "require('luge').event():wait()", /* deadlock */
    "error('uncaught')",
};

enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

static int run(luge_host *host, const char *code) {
  return luge_run_string(host, code, strlen(code), "=oom", 0, NULL);
}

static void complain(int scenario, long k, bool for_ever, const char *what) {
  fprintf(stderr, "scenario %d, allocation %ld failing %s: %s\n", scenario, k,
          for_ever ? "for ever" : "once", what);
}

/* Whether the k-th allocation was reached. */
static bool try_one(int scenario, long k, bool for_ever, int *bad) {
  struct memory memory = {.left = k, .for_ever = for_ever};
  luge_options options = {
      .size = sizeof options, .alloc = allocate, .alloc_data = &memory};
  luge_host *host = luge_open(&options);
  if (host != NULL) {
    run(host, scenarios[scenario]);
    memory.left = -1;
    if (run(host, "local t = {} for i = 1, 9 do t[i] = i end") != LUGE_OK) {
      complain(scenario, k, for_ever, "the next script does not run");
      ++*bad;
    }
    luge_close(host);
  }
  if (memory.live != 0) {
    complain(scenario, k, for_ever, "memory leaks");
    ++*bad;
  }
  return memory.failed;
}

int main(void) {
  int bad = 0;
  long tried = 0, step = getenv("LUGE_OOM_ALL") != NULL ? 1 : STEP;
  for (int scenario = 0; scenario < SCENARIOS; scenario++) {
    for (int for_ever = 0; for_ever <= 1; for_ever++) {
      for (long k = scenario; try_one(scenario, k, for_ever, &bad); k += step) {
        tried++;
      }
    }
  }
  printf("%ld injections, %d bad\n", tried, bad);
  return bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
