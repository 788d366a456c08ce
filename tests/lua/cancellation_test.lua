-- Cancellation as a state: docs/tasks.md. Each wait in turn:
-- cancel_points_test.lua; blocks that are cancelled: timeout_test.lua,
-- scope_test.lua.
local luge = require "luge"
local test = require "luge.test"
local support = dofile "tests/support/tasks.lua"
local describe, it = test.describe, test.it
local cancel, cancelled_by, closing = support.cancel, support.cancelled_by, support.closing
local forever, settle = support.forever, support.settle

-- Builds for finding bugs are slow.
local slow = require "luge.native.testrun".patience > 1

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

  it("ends a loop around a pcall, too", function()
    local function poll(wait, ...)
      while true do pcall(wait, ...) end
    end
    local closed = false
    local task = cancel(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      poll(luge.timeout, 5, luge.sleep, 5)
    end)
    test.equal(task:status(), "cancelled")
    test.ok(closed)
    local resumes = cancel(function()
      while true do coroutine.resume(coroutine.create(forever)) end
    end)
    test.equal(resumes:status(), "cancelled")
    -- A block that is left so leaves its task as it was.
    test.raises("timeout", luge.timeout, 0.01, poll, xpcall, forever, tostring)
    test.equal(pcall(luge.timeout, 0, forever), false)
    luge.scope(function(scope)
      scope:spawn(poll, luge.scope, forever)
      luge.sleep(0)
      scope:cancel()
      for _ = 1, 6000 do luge.shield(pcall, luge.timeout, 0, forever) end
    end)
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
