-- `scope`, and blocks in coroutines that are left in other ways.
local luge = require "luge"
local test = require "luge.test"
local support = dofile "tests/support/tasks.lua"
local describe, it = test.describe, test.it
local cancel, cancelled_by, closing = support.cancel, support.cancelled_by, support.closing
local forever, near, settle = support.forever, support.near, support.settle

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

describe("a recursion through blocks", function()
  it("ends in an error that says so", function()
    local depth, closed = 0, 0
    local function recurse()
      depth = depth + 1
      luge.sleep(0) -- Lua has a limit of its own where nothing waits
      local _ <close> = setmetatable({}, { __close = function()
        luge.shield(luge.timeout, 1, luge.sleep, 0)
        closed = closed + 1
      end })
      return (luge.scope(recurse))
    end
    local err = test.raises("limit", recurse)
    test.equal(err.what, "blocks")
    test.matches(err.message, "recursion")
    test.equal(err.limit, depth - 1)
    test.equal(closed, depth)
  end)
end)
