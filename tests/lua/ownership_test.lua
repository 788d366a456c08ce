-- Who owns whom: docs/tasks.md. Errors that are reported and not raised are
-- tested in reports_test.lua.
local luge = require "luge"
local test = require "luge.test"
local support = dofile "tests/support/tasks.lua"
local describe, it = test.describe, test.it
local forever, near, settle = support.forever, support.near, support.settle

-- A value to be closed that notes it in `log`, after `seconds` in a shield.
local function note(log, text, seconds)
  return setmetatable({}, { __close = function()
    if seconds then
      luge.shield(luge.sleep, seconds)
    end
    log[#log + 1] = text
  end })
end

describe("a task", function()
  it("ends when what it has spawned has ended", function()
    local _ <close> = test.clock()
    local log = {}
    local parent = luge.spawn(function()
      luge.spawn(function()
        luge.spawn(function()
          luge.sleep(2)
          log[#log + 1] = "grandchild"
        end)
        luge.sleep(1)
        log[#log + 1] = "child"
      end)
      log[#log + 1] = "parent"
      return "result"
    end)
    settle()
    test.equal(parent:status(), "waiting")
    test.equal(parent:waiting_for(), "its tasks to end")
    test.equal(luge.await(parent), "result")
    test.same(log, { "parent", "child", "grandchild" })
  end)

  it("first runs on the next pass, first in first out", function()
    local log = {}
    for i = 1, 5 do
      luge.spawn(function(...) log[#log + 1] = ... end, i)
    end
    test.same(log, {})
    luge.sleep(0)
    test.same(log, { 1, 2, 3, 4, 5 })
  end)

  it("gives all its results, to everybody that awaits it, also later", function()
    local task = luge.spawn(function() return 1, nil, 3, nil end)
    local waiter = luge.spawn(function() return luge.await(task) end)
    for _ = 1, 2 do
      test.same(table.pack(luge.await(task)), { n = 4, 1, nil, 3 })
    end
    test.same(table.pack(luge.await(waiter)), { n = 4, 1, nil, 3 })
    test.equal(select("#", luge.await(luge.spawn(function() end))), 0)
  end)

  it("has thousands of results", function()
    local list = {}
    for i = 1, 5000 do
      list[i] = i
    end
    local task = luge.spawn(table.unpack, list)
    test.equal(select("#", luge.await(task)), 5000)
  end)

  it("raises its error in everybody that awaits it", function()
    local err = { "an error" }
    local task = luge.spawn(function() error(err) end)
    for _ = 1, 3 do
      local ok, got = pcall(luge.await, task)
      test.ok(not ok)
      test.equal(got, err)
    end
  end)

  it("tells its status", function()
    local task
    task = luge.spawn(function()
      test.equal(task:status(), "running")
      luge.sleep(0.001)
    end)
    test.equal(task:status(), "ready")
    luge.sleep(0)
    test.equal(task:status(), "waiting")
    test.equal(task:waiting_for(), "sleep")
    task:await()
    test.equal(task:status(), "done")
    test.equal(task:waiting_for(), nil)
    local failed = luge.spawn(error, "x")
    pcall(luge.await, failed)
    test.equal(failed:status(), "failed")
    local cancelled = luge.spawn(forever)
    cancelled:cancel()
    settle()
    test.equal(cancelled:status(), "cancelled")
    test.equal(luge.current():status(), "running")
  end)

  it("has a name", function()
    local task = luge.spawn(function() end)
    test.matches(task:name(), "^task %d+$")
    test.equal(task:name("the worker"), "the worker")
    test.matches(tostring(task), "the worker %(ready%)")
    test.raises("invalid", task.name, task, {})
  end)
end)

describe("a cancelled task", function()
  it("goes on when its children have ended", function()
    local _ <close> = test.clock()
    local log, start = {}, luge.now()
    local parent = luge.spawn(function()
      luge.spawn(function()
        local _ <close> = note(log, "slow child", 2)
        forever()
      end)
      luge.spawn(function()
        local _ <close> = note(log, "child")
        luge.spawn(function()
          local _ <close> = note(log, "grandchild", 1)
          forever()
        end)
        forever()
      end)
      local ok, err = pcall(forever)
      log[#log + 1] = "parent"
      test.ok(not ok and err.kind == "cancelled")
      near(luge.now() - start, 2.0)
      error(err)
    end)
    settle()
    parent:cancel()
    pcall(luge.await, parent)
    test.same(log, { "grandchild", "child", "slow child", "parent" })
    test.equal(parent:status(), "cancelled")
  end)

  it("spawns only what never runs", function()
    local child
    local parent = luge.spawn(function()
      pcall(forever)
      child = luge.spawn(error, "it ran")
    end)
    luge.sleep(0)
    parent:cancel()
    test.raises("cancelled", luge.await, parent)
    test.equal(child:status(), "cancelled")
  end)

  it("fails nobody", function()
    local parent = luge.spawn(function()
      local child = luge.spawn(forever)
      luge.sleep(0)
      child:cancel()
      luge.sleep(0)
      return "fine"
    end)
    test.equal(parent:await(), "fine")
  end)
end)

describe("a failing task", function()
  it("cancels its children at the moment of the error", function()
    local _ <close> = test.clock()
    local log = {}
    local parent = luge.spawn(function()
      local child = luge.spawn(function()
        local _ <close> = note(log, "child")
        forever()
      end)
      local _ <close> = setmetatable({}, { __close = function()
        settle()
        log[#log + 1] = "handler, child is " .. child:status()
      end })
      luge.sleep(1)
      error("the first error", 0)
    end)
    local ok, err = pcall(luge.await, parent)
    test.ok(not ok)
    test.equal(err, "the first error")
    test.same(log, { "child", "handler, child is cancelled" })
  end)

  it("waits for them, however long", function()
    local _ <close> = test.clock()
    local log, start = {}, luge.now()
    local parent = luge.spawn(function()
      luge.spawn(function()
        local _ <close> = note(log, "child", 4)
        forever()
      end)
      luge.sleep(0)
      error("e", 0)
    end)
    test.ok(not pcall(luge.await, parent))
    test.same(log, { "child" })
    near(luge.now() - start, 4.0)
  end)

  it("does not cancel them for an error that is caught", function()
    local parent = luge.spawn(function()
      local child = luge.spawn(function()
        luge.sleep(0.001)
        return "alive"
      end)
      pcall(error, "caught")
      return child:await()
    end)
    test.equal(parent:await(), "alive")
  end)
end)

describe("a child's error", function()
  it("is kept for whoever awaits it", function()
    local parent = luge.spawn(function()
      local child = luge.spawn(error, "kept", 0)
      settle()
      test.equal(child:status(), "failed")
      local ok, err = pcall(luge.await, child)
      test.ok(not ok)
      return err
    end)
    test.equal(parent:await(), "kept")
  end)

  it("fails the owner that returns without awaiting it", function()
    local held
    local parent = luge.spawn(function()
      held = luge.spawn(error, "unawaited", 0)
      settle()
      return "the result is lost"
    end)
    local ok, err = pcall(luge.await, parent)
    test.ok(not ok)
    test.equal(err, "unawaited")
    test.equal(held:status(), "failed")
  end)

  it("cancels the siblings at once when the owner has returned", function()
    local _ <close> = test.clock()
    local start, sibling = luge.now(), nil
    local parent = luge.spawn(function()
      luge.spawn(function()
        luge.sleep(1)
        error("late", 0)
      end)
      sibling = luge.spawn(forever)
    end)
    local ok, err = pcall(luge.await, parent)
    test.ok(not ok)
    test.equal(err, "late")
    test.equal(sibling:status(), "cancelled")
    near(luge.now() - start, 1.0)
  end)

  it("leaves the siblings alone while the owner runs", function()
    local _ <close> = test.clock()
    local parent = luge.spawn(function()
      local failing = luge.spawn(error, "e", 0)
      local sibling = luge.spawn(function()
        luge.sleep(5)
        return "done"
      end)
      luge.sleep(1)
      pcall(failing.await, failing)
      return sibling:await()
    end)
    test.equal(parent:await(), "done")
  end)

  it("counts as awaited when a third task awaits it", function()
    local child, waiter
    local parent = luge.spawn(function()
      child = luge.spawn(function()
        luge.sleep(0)
        luge.sleep(0)
        error("e", 0)
      end)
      luge.sleep(0)
      luge.sleep(0)
      luge.sleep(0)
      luge.sleep(0)
      return "fine"
    end)
    luge.sleep(0)
    waiter = luge.spawn(pcall, luge.await, child)
    test.equal(parent:await(), "fine")
    test.same({ waiter:await() }, { false, "e" })
  end)

  it("of a grandchild passes through both owners", function()
    local parent = luge.spawn(function()
      luge.spawn(function()
        luge.spawn(error, "deep", 0)
      end)
    end)
    local ok, err = pcall(luge.await, parent)
    test.ok(not ok)
    test.equal(err, "deep")
  end)

  it("does not take the place of the owner's own", function()
    -- The child's error is reported, for nobody can await it any more: that
    -- is seen in reports_test.lua. Here it is awaited.
    local child
    local parent = luge.spawn(function()
      child = luge.spawn(error, "child's", 0)
      luge.sleep(0)
      luge.sleep(0)
      pcall(child.await, child)
      error("own", 0)
    end)
    local ok, err = pcall(luge.await, parent)
    test.ok(not ok)
    test.equal(err, "own")
  end)
end)

describe("an ended child", function()
  it("leaves nothing with its owner", function()
    for _ = 1, 1000 do
      luge.await(luge.spawn(function() end))
    end
    collectgarbage()
    local before = collectgarbage "count"
    for _ = 1, 5000 do
      luge.await(luge.spawn(function() end))
    end
    collectgarbage()
    test.ok(collectgarbage "count" - before < 50, "kilobytes left")
  end)

  it("is garbage when nobody holds it", function()
    local weak = setmetatable({}, { __mode = "v" })
    weak[1] = luge.spawn(function() end)
    settle()
    collectgarbage()
    test.equal(weak[1], nil)
  end)

  it("stays while it lives, though nobody holds it", function()
    local ran
    luge.spawn(function()
      luge.sleep(0.001)
      ran = true
    end)
    collectgarbage()
    luge.sleep(0.003)
    test.ok(ran)
  end)
end)

describe("luge.detach", function()
  it("gives the task to the host", function()
    local task
    luge.await(luge.spawn(function()
      task = luge.detach(function(...)
        luge.sleep(0.002)
        return ...
      end, 1, 2)
    end))
    test.ok(not task:done())
    test.same({ task:await() }, { 1, 2 })
  end)

  it("is out of reach of a cancellation", function()
    local task
    local parent = luge.spawn(function()
      task = luge.detach(function() luge.sleep(0.002) return "lives" end)
      forever()
    end)
    luge.sleep(0)
    parent:cancel()
    test.equal(task:await(), "lives")
  end)
end)

describe("luge.tasks", function()
  it("lists what lives", function()
    local function count()
      return #luge.tasks()
    end
    local before = count()
    local task = luge.spawn(forever)
    local found = false
    for _, other in ipairs(luge.tasks()) do
      found = found or other == task
    end
    test.ok(found)
    test.equal(count(), before + 1)
    task:cancel()
    settle()
    test.equal(count(), before)
  end)
end)

describe("awaiting", function()
  it("takes what can be awaited", function()
    for _, value in ipairs { 1, "x", true, {}, luge.queue() } do
      test.raises("invalid", luge.await, value)
    end
    test.matches(test.raises("invalid", luge.await).message, "a Task, a Future")
    test.raises("invalid", luge.await, nil)
  end)

  it("refuses a task that awaits itself", function()
    test.raises("invalid", luge.await, luge.current())
    test.raises("invalid", luge.current().await, luge.current())
  end)

  it("calls __await, which may wait", function()
    local awaitable = setmetatable({ 7 }, { __await = function(self)
      luge.sleep(0)
      return self[1], nil, nil
    end })
    test.same(table.pack(luge.await(awaitable)), { n = 3, 7 })
  end)

  it("takes a function that spawns", function()
    local double = luge.async(function(n)
      luge.sleep(0)
      return n * 2
    end)
    local a, b = double(2), double(3)
    test.equal(luge.await(a) + luge.await(b), 10)
    test.raises("invalid", luge.async, nil)
    test.raises("invalid", luge.spawn, 3)
    test.raises("invalid", luge.detach, {})
  end)

  it("spawns what has __call", function()
    local callable = setmetatable({}, { __call = function(_, n) return n + 1 end })
    test.equal(luge.await(luge.spawn(callable, 1)), 2)
  end)
end)
