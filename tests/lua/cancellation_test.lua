-- Cancellation as a state, and the blocks that it ends: DESIGN.md,
-- "Cancellation". Each wait in turn: cancel_points_test.lua.
local luge = require "luge"
local test = require "luge.test"
local support = dofile "tests/support/tasks.lua"
local describe, it = test.describe, test.it
local closing, forever = support.closing, support.forever
local near, settle = support.near, support.settle

-- Builds for finding bugs are slow.
local slow = require "luge.native.testrun".patience > 1

local function cancelled_by(fn, ...)
  return test.raises("cancelled", fn, ...)
end

-- A task that waits, cancelled; returns it when it has ended.
local function cancel(fn, reason)
  local task = luge.spawn(fn)
  luge.sleep(0)
  task:cancel(reason)
  pcall(luge.await, task)
  return task
end

describe("a cancelled task", function()
  it("raises in the wait that it is in, with the reason", function()
    local err
    cancel(function()
      err = cancelled_by(forever)
    end, "enough")
    test.equal(err.reason, "enough")
    test.matches(err.message, "enough")
    test.equal(err.retryable, false)
  end)

  it("takes any value as the reason, and keeps the first", function()
    local reason, err = { code = 7 }, nil
    local task = luge.spawn(function() err = cancelled_by(forever) end)
    luge.sleep(0)
    task:cancel(reason)
    task:cancel("another")
    task:await()
    test.equal(err.reason, reason)
    cancel(function() err = cancelled_by(forever) end, nil)
    test.equal(err.reason, nil)
  end)

  it("is `cancelled` though the reason cannot be shown", function()
    for _, reason in ipairs { {}, setmetatable({}, { __tostring = function() error "no" end }),
      setmetatable({}, { __tostring = function() luge.sleep(0) end }),
      setmetatable({}, { __tostring = function() return {} end }), print, true } do
      local err
      cancel(function() err = cancelled_by(forever) end, reason)
      test.equal(err.reason, reason)
      test.equal(type(err.message), "string")
    end
  end)

  it("raises in every further wait: pcall does not swallow it", function()
    local count, err = 0, nil
    local task = cancel(function()
      for _ = 1, 5 do
        err = cancelled_by(forever)
        count = count + 1
      end
      cancelled_by(luge.sleep, 0)
      cancelled_by(luge.await, luge.future())
      cancelled_by(luge.timeout, 1, luge.sleep, 0)
      luge.sleep(0)
    end, "why")
    test.equal(count, 5)
    test.equal(err.reason, "why")
    test.equal(task:status(), "cancelled")
  end)

  it("is done, with its results, if it does not wait again", function()
    local task = luge.spawn(function()
      pcall(forever)
      return "rescued", 2
    end)
    luge.sleep(0)
    task:cancel()
    test.same({ task:await() }, { "rescued", 2 })
    test.equal(task:status(), "done")
  end)

  it("fails if it raises something else", function()
    local task = luge.spawn(function()
      pcall(forever)
      error("something else", 0)
    end)
    luge.sleep(0)
    task:cancel()
    local ok, err = pcall(luge.await, task)
    test.same({ ok, err, task:status() }, { false, "something else", "failed" })
  end)

  it("never runs if it has not begun", function()
    local ran = false
    local task = luge.spawn(function() ran = true end)
    task:cancel("too early")
    test.equal(cancelled_by(luge.await, task).reason, "too early")
    test.ok(not ran)
    test.equal(task:status(), "cancelled")
  end)

  it("raises at its next wait if it cancels itself", function()
    local log = {}
    local task = luge.spawn(function()
      luge.current():cancel("self")
      log[#log + 1] = "goes on"
      local err = cancelled_by(luge.sleep, 0)
      log[#log + 1] = err.reason
      error(err)
    end)
    pcall(luge.await, task)
    test.same(log, { "goes on", "self" })
    test.equal(task:status(), "cancelled")
  end)

  it("may cancel itself and end", function()
    local task = luge.spawn(function()
      luge.current():cancel()
      return "result"
    end)
    test.equal(task:await(), "result")
  end)

  it("runs its handlers once, the last opened first, and they do not wait", function()
    local log = {}
    cancel(function()
      local _ <close> = closing(function(_, err)
        log[#log + 1] = "first " .. err.kind
      end)
      local _ <close> = closing(function()
        log[#log + 1] = "second " .. cancelled_by(luge.sleep, 1).kind
      end)
      local _ <close> = closing(function()
        luge.shield(luge.sleep, 0.001)
        log[#log + 1] = "third"
      end)
      forever()
    end)
    test.same(log, { "third", "second cancelled", "first cancelled" })
  end)

  it("leaves alone what it awaits", function()
    local shared = luge.spawn(function()
      luge.sleep(0.002)
      return "shared"
    end)
    cancel(function() luge.await(shared) end)
    test.equal(shared:await(), "shared")
  end)

  it("leaves alone who awaits it", function()
    local task = luge.spawn(forever)
    local waiter = luge.spawn(function()
      local err = cancelled_by(luge.await, task)
      luge.sleep(0)
      return err.reason
    end)
    settle()
    task:cancel("gone")
    test.equal(waiter:await(), "gone")
  end)

  it("may be cancelled when it has ended", function()
    local task = luge.spawn(function() return "ended" end)
    settle()
    task:cancel()
    test.equal(task:status(), "done")
    test.equal(task:await(), "ended")
    local failed = luge.spawn(error, "e", 0)
    settle()
    failed:cancel()
    test.equal(failed:status(), "failed")
    pcall(luge.await, failed)
  end)

  it("may be cancelled while it waits for its children", function()
    local child
    local task = luge.spawn(function()
      child = luge.spawn(forever)
      return "lost"
    end)
    settle()
    task:cancel("late")
    test.equal(cancelled_by(luge.await, task).reason, "late")
    test.equal(child:status(), "cancelled")
    test.equal(task:status(), "cancelled")
  end)

  it("may be cancelled by its child, which is cancelled with it", function()
    local log = {}
    local parent = luge.spawn(function()
      local self = luge.current()
      luge.spawn(function()
        self:cancel("from below")
        local err = cancelled_by(luge.sleep, 0)
        log[#log + 1] = "child: " .. err.reason
      end)
      local err = cancelled_by(forever)
      log[#log + 1] = "parent: " .. err.reason
    end)
    parent:await()
    test.same(log, { "child: from below", "parent: from below" })
  end)

  it("keeps what was handed to it: the cancellation counts for the next wait", function()
    local queue, got = luge.queue(), nil
    local task = luge.spawn(function()
      got = queue:get()
      cancelled_by(luge.sleep, 0)
    end)
    luge.sleep(0)
    queue:put "item"
    task:cancel()
    task:await()
    test.equal(got, "item")
    test.equal(queue:len(), 0)
  end)

  it("takes what it waited for with it, and no other waiter", function()
    local event = luge.event()
    local woken = 0
    local function wait()
      event:wait()
      woken = woken + 1
    end
    local a, b, c = luge.spawn(wait), luge.spawn(wait), luge.spawn(wait)
    settle()
    b:cancel()
    settle()
    event:set()
    a:await()
    c:await()
    test.equal(woken, 2)
    test.equal(b:status(), "cancelled")
  end)

  it("ends in order of a deep tree, leaves first", function()
    local deepest, log = slow and 300 or 2000, {}
    local function nest(depth)
      local _ <close> = closing(function() log[#log + 1] = depth end)
      if depth < deepest then
        luge.spawn(nest, depth + 1)
      end
      forever()
    end
    local root = luge.spawn(nest, 1)
    for _ = 1, deepest + 5 do
      luge.sleep(0)
    end
    root:cancel()
    pcall(luge.await, root)
    test.equal(#log, deepest)
    for i = 1, deepest do
      test.equal(log[i], deepest + 1 - i)
    end
  end, { timeout = 20 })

  it("has one outcome, among ten thousand", function()
    local count = slow and 500 or 10000
    local queue, outcomes = luge.queue(1), {}
    local tasks = {}
    for i = 1, count do
      tasks[i] = luge.spawn(function()
        queue:put(i)
        return "put"
      end)
    end
    settle()
    local received = 0
    for i = 1, count, 2 do
      tasks[i]:cancel()
      if queue:try_get() then
        received = received + 1
      end
    end
    repeat
      local got = queue:try_get()
      received = received + (got and 1 or 0)
    until not got
    local put, cancelled = 0, 0
    for i = 1, count do
      local ok = pcall(luge.await, tasks[i])
      outcomes[tasks[i]:status()] = (outcomes[tasks[i]:status()] or 0) + 1
      put, cancelled = put + (ok and 1 or 0), cancelled + (ok and 0 or 1)
    end
    test.equal(put, received)
    test.equal(put + cancelled, count)
    test.equal((outcomes.done or 0) + (outcomes.cancelled or 0), count)
  end, { timeout = 20 })
end)

describe("timeout", function()
  it("returns what the function returns", function()
    test.same(table.pack(luge.timeout(1, function(...)
      luge.sleep(0)
      return ...
    end, 1, nil, 3)), { n = 3, 1, nil, 3 })
    test.equal(select("#", luge.timeout(1, function() end)), 0)
  end)

  it("raises what the function raises", function()
    local err = {}
    local ok, got = pcall(luge.timeout, 1, error, err)
    test.ok(not ok)
    test.equal(got, err)
  end)

  it("raises `timeout`, with the seconds; inside it is `cancelled`", function()
    local _ <close> = test.clock()
    local start, inside = luge.now(), nil
    local err = test.raises("timeout", luge.timeout, 1.5, function()
      inside = cancelled_by(forever)
      error(inside)
    end)
    test.equal(err.seconds, 1.5)
    test.ok(err.retryable)
    test.equal(inside.reason, "deadline")
    near(luge.now() - start, 1.5)
  end)

  it("returns what the function returned though the time was over", function()
    local _ <close> = test.clock()
    test.equal(luge.timeout(1, function()
      pcall(forever)
      return "late, but here"
    end), "late, but here")
  end)

  it("goes on raising inside until the function has left", function()
    local _ <close> = test.clock()
    test.raises("timeout", luge.timeout, 1, function()
      for _ = 1, 3 do
        cancelled_by(forever)
      end
      luge.sleep(0)
    end)
    luge.sleep(0)
  end)

  it("nests: the earliest deadline wins", function()
    local _ <close> = test.clock()
    local start, log = luge.now(), {}
    local outer = test.raises("timeout", luge.timeout, 1, function()
      local err = cancelled_by(luge.timeout, 5, forever)
      log[#log + 1] = luge.now() - start
      error(err)
    end)
    test.equal(outer.seconds, 1)
    near(log[1], 1)
    local result = luge.timeout(5, function()
      local err = test.raises("timeout", luge.timeout, 1, forever)
      luge.sleep(1)
      return err.seconds
    end)
    test.equal(result, 1)
    near(luge.now() - start, 3)
  end)

  it("is the outer one's if both are over at once", function()
    local _ <close> = test.clock()
    local err = test.raises("timeout", luge.timeout, 1, function()
      luge.timeout(1, forever)
    end)
    test.equal(err.seconds, 1)
  end)

  it("lets a block inside one that is over end nothing else", function()
    local _ <close> = test.clock()
    local task = luge.spawn(function()
      test.raises("timeout", luge.timeout, 1, function()
        pcall(forever)
        cancelled_by(luge.timeout, 100, luge.sleep, 0)
        cancelled_by(luge.scope, function() luge.sleep(0) end)
        luge.sleep(0)
      end)
      luge.sleep(1)
      return "unharmed"
    end)
    test.equal(task:await(), "unharmed")
  end)

  it("owns what is spawned inside", function()
    local _ <close> = test.clock()
    local start, child = luge.now(), nil
    luge.timeout(10, function()
      child = luge.spawn(luge.sleep, 2)
    end)
    test.equal(child:status(), "done")
    near(luge.now() - start, 2)
    test.raises("timeout", luge.timeout, 1, function()
      child = luge.spawn(forever)
    end)
    test.equal(child:status(), "cancelled")
  end)

  it("raises the error of a child that nobody awaited", function()
    local ok, err = pcall(luge.timeout, 10, function()
      luge.spawn(error, "from inside", 0)
    end)
    test.same({ ok, err }, { false, "from inside" })
  end)

  it("passes a cancellation from outside", function()
    local err
    local task = cancel(function()
      local ok
      ok, err = pcall(luge.timeout, 3600, forever)
      test.ok(not ok)
      luge.sleep(0)
    end, "outside")
    test.equal(err.kind, "cancelled")
    test.equal(err.reason, "outside")
    test.equal(task:status(), "cancelled")
  end)

  it("of zero seconds ends the first wait, and nothing that does not wait", function()
    test.equal(luge.timeout(0, function() return "at once" end), "at once")
    test.raises("timeout", luge.timeout, 0, luge.sleep, 0)
    test.raises("timeout", luge.timeout, 0, function() luge.future():await() end)
    test.raises("timeout", luge.timeout, 10, luge.timeout, 0, luge.sleep, 0)
    test.raises("timeout", luge.timeout, 0, forever)
  end)

  it("takes any number of seconds, but no less than none", function()
    test.equal(luge.timeout(math.huge, function() luge.sleep(0) return 1 end), 1)
    for _, seconds in ipairs { -1, -math.huge, 0 / 0, "1", {} } do
      test.raises("invalid", luge.timeout, seconds, forever)
      test.raises("invalid", luge.sleep, seconds)
    end
    test.raises("invalid", luge.timeout, 1, nil)
    test.raises("invalid", luge.timeout)
  end)

  it("ends a sleep without end", function()
    local _ <close> = test.clock()
    test.raises("timeout", luge.timeout, 1, luge.sleep, math.huge)
  end)
end)

describe("shield", function()
  it("keeps a cancellation from outside away, until it is left", function()
    local log = {}
    local task = luge.spawn(function()
      local result = luge.shield(function(...)
        luge.sleep(0.002)
        log[#log + 1] = "inside"
        return ...
      end, "result")
      log[#log + 1] = result
      log[#log + 1] = cancelled_by(luge.sleep, 0).reason
    end)
    luge.sleep(0)
    task:cancel("outside")
    task:await()
    test.same(log, { "inside", "result", "outside" })
  end)

  it("keeps it away from what is spawned inside", function()
    local child
    local task = luge.spawn(function()
      luge.shield(function()
        child = luge.spawn(function()
          luge.sleep(0.002)
          return "whole"
        end)
      end)
    end)
    luge.sleep(0)
    task:cancel()
    pcall(luge.await, task)
    test.equal(child:await(), "whole")
  end)

  it("begins in a task that is cancelled already", function()
    local result
    cancel(function()
      pcall(forever)
      result = luge.shield(function()
        luge.sleep(0.001)
        return luge.spawn(function()
          luge.sleep(0.001)
          return "spawned"
        end):await()
      end)
    end)
    test.equal(result, "spawned")
  end)

  it("does not stop a deadline inside", function()
    local _ <close> = test.clock()
    test.raises("timeout", luge.shield, luge.timeout, 1, forever)
    local task = luge.spawn(function()
      pcall(forever)
      return luge.shield(pcall, luge.timeout, 1, forever)
    end)
    luge.sleep(0)
    task:cancel()
    local ok, err = task:await()
    test.same({ ok, err.kind }, { false, "timeout" })
  end)

  it("outlasts a deadline outside, which counts when it is left", function()
    local _ <close> = test.clock()
    local start, log = luge.now(), {}
    test.raises("timeout", luge.timeout, 1, function()
      luge.shield(luge.sleep, 5)
      log[1] = luge.now() - start
      luge.sleep(0)
    end)
    near(log[1], 5)
  end)

  it("raises what is raised inside", function()
    local ok, err = pcall(luge.shield, error, "e", 0)
    test.same({ ok, err }, { false, "e" })
    test.raises("invalid", luge.shield, 1)
  end)

  it("nests, in tasks too", function()
    local log = {}
    local task = luge.spawn(function()
      luge.shield(function()
        local child = luge.spawn(function()
          luge.shield(luge.sleep, 0.002)
          luge.sleep(0.001)
          log[#log + 1] = "child"
        end)
        luge.shield(luge.sleep, 0.001)
        child:await()
        log[#log + 1] = "task"
      end)
      luge.sleep(0)
    end)
    luge.sleep(0)
    task:cancel()
    pcall(luge.await, task)
    test.same(log, { "child", "task" })
    test.equal(task:status(), "cancelled")
  end)
end)

describe("scope", function()
  it("returns when its tasks have ended, with the function's results", function()
    local _ <close> = test.clock()
    local start = luge.now()
    test.same({ luge.scope(function(scope)
      scope:spawn(luge.sleep, 2)
      luge.spawn(luge.sleep, 3)
      return 1, 2
    end) }, { 1, 2 })
    near(luge.now() - start, 3)
  end)

  it("is cancelled by the first error, which it raises", function()
    local _ <close> = test.clock()
    local start, sibling, seen = luge.now(), nil, nil
    local ok, err = pcall(luge.scope, function(scope)
      seen = scope
      sibling = scope:spawn(forever)
      scope:spawn(function()
        luge.sleep(1)
        error("first", 0)
      end)
      scope:spawn(function()
        local _ <close> = closing(function() error("second", 0) end)
        forever()
      end)
      forever()
    end)
    test.same({ ok, err }, { false, "first" })
    near(luge.now() - start, 1)
    test.equal(sibling:status(), "cancelled")
    test.same(seen.errors, { "first", "second" })
  end)

  it("cancels its tasks when its own function fails", function()
    local sibling
    local ok, err = pcall(luge.scope, function(scope)
      sibling = scope:spawn(forever)
      luge.sleep(0)
      error("own", 0)
    end)
    test.same({ ok, err }, { false, "own" })
    test.equal(sibling:status(), "cancelled")
  end)

  it("ends without an error when it is cancelled from inside", function()
    local sibling
    test.equal(select("#", luge.scope(function(scope)
      sibling = scope:spawn(forever)
      scope:spawn(function()
        luge.sleep(0)
        scope:cancel("enough")
      end)
      test.equal(cancelled_by(forever).reason, "enough")
      luge.sleep(0)
    end)), 0)
    test.equal(sibling:status(), "cancelled")
    luge.sleep(0)
  end)

  it("gives its results if it was cancelled and did not wait again", function()
    test.equal(luge.scope(function(scope)
      scope:cancel()
      return "result"
    end), "result")
  end)

  it("passes a cancellation from outside", function()
    local err
    local task = cancel(function()
      err = cancelled_by(luge.scope, function(scope)
        scope:spawn(forever)
        forever()
      end)
      luge.sleep(0)
    end, "outside")
    test.equal(err.reason, "outside")
    test.equal(task:status(), "cancelled")
  end)

  it("spawns until it has ended", function()
    local kept
    luge.scope(function(scope)
      kept = scope
    end)
    test.raises("invalid", kept.spawn, kept, forever)
    kept:cancel()
    test.same(kept.errors, {})
  end)

  it("is spawned into from another task", function()
    local _ <close> = test.clock()
    local start = luge.now()
    luge.scope(function(scope)
      scope:spawn(function()
        luge.sleep(1)
        scope:spawn(luge.sleep, 4)
      end)
    end)
    near(luge.now() - start, 5)
  end)

  it("does not fail by an error that was awaited", function()
    test.equal(luge.scope(function(scope)
      local failing = scope:spawn(error, "e", 0)
      pcall(failing.await, failing)
      luge.sleep(0)
      test.same(scope.errors, {})
      return "goes on"
    end), "goes on")
  end)

  it("has an error that passes through its function once", function()
    local seen
    local ok, err = pcall(luge.scope, function(scope)
      seen = scope
      scope:spawn(error, "e", 0):await()
    end)
    test.same({ ok, err }, { false, "e" })
    test.same(seen.errors, { "e" })
  end)

  it("has each error once, also those that came when its function had returned", function()
    local _ <close> = test.clock()
    local seen
    local ok, err = pcall(luge.scope, function(scope)
      seen = scope
      for _, text in ipairs { "first", "second" } do
        scope:spawn(function()
          local _ <close> = closing(function() error(text, 0) end)
          luge.sleep(text == "first" and 1 or 2)
        end)
      end
      return "results"
    end)
    test.same({ ok, err, seen.errors }, { false, "first", { "first", "second" } })
  end)

  it("has them in the order in which they came, and raises the first", function()
    local seen
    local function fails(with, fn)
      local ok, err = pcall(luge.scope, function(scope)
        seen = scope
        fn(scope)
      end)
      test.same({ ok, err }, { false, with })
    end
    fails("own", function(scope)
      scope:spawn(function()
        local _ <close> = closing(function() error("of a handler", 0) end)
        forever()
      end)
      luge.sleep(0)
      error("own", 0)
    end)
    test.same(seen.errors, { "own", "of a handler" })
    fails("of a task", function(scope)
      scope:spawn(error, "of a task", 0)
      pcall(forever)
      error("own", 0)
    end)
    test.same(seen.errors, { "of a task", "own" })
  end)

  it("nests: an inner failure is the outer one's only if it passes", function()
    test.equal(luge.scope(function(outer)
      local alive = outer:spawn(function()
        luge.sleep(0.002)
        return "alive"
      end)
      local ok = pcall(luge.scope, function(inner)
        inner:spawn(error, "inner", 0)
        forever()
      end)
      test.ok(not ok)
      return alive:await()
    end), "alive")
  end)

  it("raises `cancelled` of an outer scope, not of itself", function()
    test.equal(select("#", luge.scope(function(outer)
      cancelled_by(luge.scope, function()
        outer:cancel()
        luge.sleep(0)
      end)
      luge.sleep(0)
    end)), 0)
  end)

  it("takes a function", function()
    test.raises("invalid", luge.scope)
    test.raises("invalid", luge.scope, {})
  end)
end)

describe("a block in a coroutine", function()
  it("is left while the coroutine is suspended by a yield", function()
    local _ <close> = test.clock()
    local co = coroutine.create(function()
      luge.timeout(1, function()
        coroutine.yield "inside"
        luge.sleep(0)
      end)
      return "after"
    end)
    test.same({ coroutine.resume(co) }, { true, "inside" })
    luge.sleep(2)
    local ok, err = coroutine.resume(co)
    test.equal(ok, false)
    test.equal(err.kind, "timeout")
    luge.sleep(0)
  end)

  it("ends with the coroutine", function()
    local child
    do
      local co = coroutine.wrap(function()
        luge.timeout(3600, function()
          child = luge.spawn(forever)
          coroutine.yield()
        end)
      end)
      co()
    end
    collectgarbage()
    collectgarbage()
    settle()
    test.equal(child:status(), "cancelled")
  end)

  it("ends when the coroutine is closed", function()
    local child
    local co = coroutine.create(function()
      luge.scope(function(scope)
        child = scope:spawn(forever)
        coroutine.yield()
      end)
    end)
    coroutine.resume(co)
    test.ok(coroutine.close(co))
    settle()
    test.equal(child:status(), "cancelled")
    luge.sleep(0)
  end)
end)
