-- Deadlines, and what they do not reach: `timeout` and `shield`.
local luge = require "luge"
local test = require "luge.test"
local support = dofile "tests/support/tasks.lua"
local describe, it = test.describe, test.it
local cancel, cancelled_by, forever = support.cancel, support.cancelled_by, support.forever
local near = support.near

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
