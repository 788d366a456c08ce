/* Out of memory in what is done with tasks; see oom.h. */
#define _GNU_SOURCE 1

#include "oom.h"

static const struct scenario scenarios[] = {
    {"local x = {} for i = 1, 50 do x[i] = { i } end", NULL},
    {"local luge = require 'luge'\n"
     "local t = luge.spawn(function() luge.sleep(0) return 1, 2, 3 end)\n"
     "luge.await(t)",
     NULL},
    {"local luge = require 'luge'\n"
     "local t = luge.spawn(luge.sleep, 100) luge.sleep(0) t:cancel('x')\n"
     "pcall(t.await, t)",
     NULL},
    {"local luge = require 'luge'\n"
     "pcall(luge.timeout, 0.0001, luge.sleep, 100)",
     NULL},
    {"local luge = require 'luge'\n"
     "pcall(luge.scope, function(s) s:spawn(error, { 'x' }) luge.sleep(9) end)",
     NULL},
    {"local luge = require 'luge'\n"
     "local q = luge.queue(2) luge.spawn(function() for i = 1, 9 do q:put(i) "
     "end q:close() end) for _ in q:iter() do end",
     NULL},
    {"local luge = require 'luge'\n"
     "local s = luge.semaphore(1) for i = 1, 4 do luge.spawn(function() local "
     "_ "
     "<close> = s:hold() luge.sleep(0) end) end",
     NULL},
    {"local luge = require 'luge'\n"
     "for v in coroutine.wrap(function() for i = 1, 3 do luge.sleep(0) "
     "coroutine.yield(i) end end) do end",
     NULL},
    {"local luge = require 'luge'\n"
     "local f = luge.future() luge.spawn(f.reject, f, 'no') pcall(f.await, f)",
     NULL},
    {"local luge = require 'luge'\n"
     "luge.gather { function() return 1 end, function() luge.sleep(0) end }",
     NULL},
    {"local luge = require 'luge'\n"
     "for v in luge.stream(function(emit) emit(1) emit(2) end) do end",
     NULL},
    {"local luge = require 'luge'\n"
     "luge.stream(function(emit) for i = 1, 9 do emit(i) end end):buffer(2)\n"
     ":map(function(x) luge.sleep(0) return x end, { concurrency = 2 })\n"
     ":chunk(2):take(3):collect()",
     NULL},
    {"local luge = require 'luge'\n"
     "local a, b = luge.merge({ { 1, 2 }, { 3, 4 } }):tee(2)\n"
     "for x, y in luge.zip { a, b } do assert(x == y) end",
     NULL},
    {"local luge = require 'luge'\n"
     "luge.map({ 1, 2, 3 }, function(x)\n"
     "  return luge.context.with({ x = x }, luge.retry, luge.context.get)\n"
     "end, { concurrency = 2, return_errors = true })\n"
     "for _, t in luge.as_completed { luge.now, luge.now } do t:await() end",
     NULL},
    {"local luge = require 'luge'\n"
     "local b, l = luge.barrier(2), luge.limiter { rate = 1000000, burst = 1 "
     "}\n"
     "luge.spawn(b.wait, b) b:wait() l:acquire() l:acquire()\n"
     "local s <close> = luge.stream(function(emit) emit(1) end) s:next()",
     NULL},
    {"local json = require 'luge.json'\n"
     "json.decode(json.encode { a = { 1, 2.5, 'x' }, b = json.null })",
     NULL},
    {"require('luge').event():wait()", NULL},
    {"error('uncaught')", NULL},
};

int main(void) {
  return try_all(scenarios, sizeof scenarios / sizeof *scenarios, 23);
}
