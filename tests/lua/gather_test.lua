-- gather, race, as_completed: docs/tasks.md.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it
local closing = dofile("tests/support/tasks.lua").closing

local function after(seconds, ...)
  local values = table.pack(...)
  return function()
    luge.sleep(seconds)
    return table.unpack(values, 1, values.n)
  end
end

local function failing(seconds, err)
  return function()
    luge.sleep(seconds)
    error(err, 0)
  end
end

-- A function that waits for ever, and says how it ended.
local function sleeper(log, name, handler_seconds)
  return function()
    local _ <close> = closing(function()
      luge.shield(luge.sleep, handler_seconds or 0)
      log[#log + 1] = name
    end)
    luge.sleep(3600)
  end
end

describe("gather", function()
  it("returns the first result of each in the order of the list", function()
    local _ <close> = test.clock()
    local results = luge.gather {
      after(3, "a", "dropped"),
      luge.spawn(after(1, "b")),
      function() end,
      after(2, false),
    }
    test.same(results, { "a", "b", [4] = false, n = 4 })
  end)

  it("runs all at once", function()
    local _ <close> = test.clock()
    local start = luge.now()
    luge.gather { after(3), after(2), after(3) }
    test.ok(math.abs(luge.now() - start - 3) < 1e-6)
  end)

  it("takes an empty list", function()
    test.same(luge.gather {}, { n = 0 })
  end)

  it("takes a task that has ended, and the same one twice", function()
    local done = luge.spawn(function() return 1 end)
    done:await()
    local twice = luge.spawn(after(0, 2))
    test.same(luge.gather { done, twice, twice }, { 1, 2, 2, n = 3 })
  end)

  it("takes tables that can be called", function()
    local callable = setmetatable({}, { __call = function() return "called" end })
    test.same(luge.gather { callable }, { "called", n = 1 })
  end)

  it("raises the first error once the others, cancelled, have ended", function()
    local _ <close> = test.clock()
    local log = {}
    local err = test.raises(nil, luge.gather, {
      sleeper(log, "first", 2), failing(1, "boom"), sleeper(log, "third"),
    })
    test.equal(err, "boom")
    test.same(log, { "third", "first" })
  end)

  it("raises the error that came first, not the first in the list", function()
    local _ <close> = test.clock()
    local err = test.raises(nil, luge.gather, { failing(2, "late"), failing(1, "early") })
    test.equal(err, "early")
  end)

  it("drops the errors that the others end with", function()
    local function stubborn()
      pcall(luge.sleep, 3600)
      error("second", 0)
    end
    test.equal(test.raises(nil, luge.gather, { stubborn, failing(0, "first") }), "first")
    collectgarbage()
    collectgarbage()
  end)

  it("raises `cancelled` for a member that was cancelled", function()
    local task = luge.spawn(luge.sleep, 3600)
    local other = luge.spawn(luge.sleep, 3600)
    luge.spawn(function() task:cancel("by hand") end)
    test.equal(test.raises("cancelled", luge.gather, { task, other }).reason, "by hand")
    test.equal(other:status(), "cancelled")
  end)

  it("raises the error of a task that had failed before", function()
    luge.scope(function()
      local failed = luge.spawn(function()
        pcall(luge.sleep, 0)
        error("before", 0)
      end)
      local group = luge.spawn(luge.gather, { failed, luge.spawn(luge.sleep, 3600) })
      test.equal(test.raises(nil, luge.await, group), "before")
    end)
  end)

  it("has errors in the places of those that failed with `return_errors`", function()
    local _ <close> = test.clock()
    local results = luge.gather({ failing(1, "x"), after(2, "y"), failing(0, "z") },
      { return_errors = true })
    test.same(results, { "x", "y", "z", n = 3 })
  end)

  it("raises its own cancellation in spite of `return_errors`", function()
    local log = {}
    local task = luge.spawn(luge.gather, { sleeper(log, "a"), sleeper(log, "b") },
      { return_errors = true })
    luge.sleep(0)
    luge.sleep(0)
    task:cancel()
    test.raises("cancelled", luge.await, task)
    test.equal(#log, 2)
  end)

  it("cancels and waits for tasks of others when it is cancelled", function()
    local log = {}
    local theirs = luge.spawn(sleeper(log, "theirs"))
    local task = luge.spawn(luge.gather, { theirs })
    luge.sleep(0)
    luge.sleep(0)
    task:cancel()
    test.raises("cancelled", luge.await, task)
    test.same(log, { "theirs" })
    test.equal(theirs:status(), "cancelled")
  end)

  it("ends by the deadline around it, with its functions", function()
    local _ <close> = test.clock()
    local log = {}
    test.raises("timeout", luge.timeout, 1, luge.gather, { sleeper(log, "a", 2) })
    test.same(log, { "a" })
  end)

  it("cancels its tasks also where it cannot wait for them", function()
    local log = {}
    local co = coroutine.create(function()
      for _ in luge.as_completed { sleeper(log, "x"), after(0) } do
        coroutine.yield()
      end
    end)
    coroutine.resume(co)
    test.ok(coroutine.close(co))
    for _ = 1, 5 do
      luge.sleep(0)
    end
    test.same(log, { "x" })
  end)

  it("waits inside the script's own coroutines", function()
    local co = coroutine.wrap(function()
      coroutine.yield(luge.gather({ after(0, "a") })[1])
    end)
    test.equal(co(), "a")
  end)

  it("takes ten thousand", function()
    local list = {}
    for i = 1, 10000 do
      list[i] = function() return i end
    end
    local results = luge.gather(list)
    test.equal(results.n, 10000)
    test.equal(results[10000], 10000)
  end)

  it("names the line of the script in tracebacks", function()
    local err = test.raises("io", function()
      luge.gather { function() error(luge.error { kind = "io", message = "m" }) end }
    end)
    test.matches(err.traceback, "spawned at [^\n]*gather_test.lua")
  end)
end)

describe("gather refuses", function()
  local function refused(pattern, ...)
    test.matches(test.raises("invalid", luge.gather, ...).message, pattern)
  end

  it("what is no list", function()
    refused("got nil, takes a list", nil)
    refused("takes a list", function() end)
    refused("takes a list", luge.spawn(function() end))
  end)

  it("a list of other things, before anything runs", function()
    local ran = false
    refused("item 2 is a number, takes a task or a function", { function() ran = true end, 5 })
    luge.sleep(0)
    test.ok(not ran)
  end)

  it("a table that has fields and no items", function()
    for _, name in ipairs { "gather", "race", "as_completed" } do
      local err = test.raises("invalid", luge[name], { user = function() end })
      test.matches(err.message, 'with the key "user" and no items, takes a list', name)
    end
  end)

  it("other classes, by their names", function()
    refused("item 1 is a Future, takes a task or a function", { luge.future() })
  end)

  it("the task that waits", function()
    refused("item 1 is the task that would wait", { luge.current() })
  end)

  it("unknown and bad options", function()
    refused('unknown option "errors".*return_errors', {}, { errors = true })
    refused("'return_errors'.*true or false", {}, { return_errors = 1 })
    refused("takes a table", {}, true)
  end)
end)

describe("race", function()
  it("returns index and results of the first to end; the others are gone", function()
    local _ <close> = test.clock()
    local log = {}
    test.same({ luge.race { sleeper(log, "slow", 1), after(1, "a", nil, "c") } },
      { 2, "a", nil, "c" })
    test.same(log, { "slow" })
  end)

  it("raises the error of the first to end", function()
    local log = {}
    test.equal(test.raises(nil, luge.race, { sleeper(log, "x"), failing(0, "lost") }), "lost")
    test.same(log, { "x" })
  end)

  it("prefers what has ended already, then the order of the list", function()
    local done = luge.spawn(function() return "done" end)
    done:await()
    test.same({ luge.race { luge.spawn(luge.sleep, 3600), done } }, { 2, "done" })
    test.equal((luge.race { function() end, function() end }), 1)
  end)

  it("cancels them all when it is cancelled", function()
    local log = {}
    local task = luge.spawn(luge.race, { sleeper(log, "a"), sleeper(log, "b") })
    luge.sleep(0)
    luge.sleep(0)
    task:cancel()
    test.raises("cancelled", luge.await, task)
    test.equal(#log, 2)
  end)

  it("drops the errors of those that lost", function()
    luge.race { function() end, function()
      pcall(luge.sleep, 3600)
      error "loser"
    end }
    collectgarbage()
  end)

  it("refuses an empty list, which nobody could win", function()
    test.matches(test.raises("invalid", luge.race, {}).message, "at least one")
  end)
end)

describe("a cancellation just behind the end", function()
  -- The first member ends; the second, in the same pass, cancels who waits.
  local function outcome_of(wait, first)
    local task
    task = luge.spawn(function()
      return wait { first, function()
        luge.sleep(0)
        task:cancel()
      end }
    end)
    return pcall(luge.await, task)
  end

  it("does not take away what race was told", function()
    test.same({ outcome_of(luge.race, after(0, "won")) }, { true, 1, "won" })
    test.same({ outcome_of(luge.race, failing(0, "e")) }, { false, "e" })
  end)

  it("does not take away the error of gather", function()
    test.same({ outcome_of(luge.gather, failing(0, "e")) }, { false, "e" })
  end)
end)

describe("where it cannot wait for those that it leaves", function()
  -- The first member ends; the second fails later, in its handler. The group is
  -- left in a coroutine that ends by an error, where nothing is waited for.
  local function leave(wait, meanwhile)
    local owner = luge.spawn(function()
      local left = pcall(coroutine.wrap(function()
        wait { failing(0, "e"), function()
          local _ <close> = closing(function()
            luge.shield(luge.sleep, 0.001)
            error("late", 0)
          end)
          luge.sleep(60)
        end }
      end))
      test.ok(not left)
      meanwhile()
    end)
    owner:await()
    collectgarbage() -- what nobody has got is reported now
  end

  for _, name in ipairs { "race", "gather" } do
    it("drops their errors too: " .. name, function()
      leave(luge[name], function() end)
      leave(luge[name], function() collectgarbage() end)
      leave(luge[name], function() luge.sleep(0.002) end)
    end)
  end
end)

describe("as_completed", function()
  it("gives index and task in the order of ending", function()
    local _ <close> = test.clock()
    local got = {}
    for index, task in luge.as_completed { after(3, "c"), after(1, "a"), after(2, "b") } do
      got[#got + 1] = index .. task:await()
    end
    test.same(got, { "2a", "3b", "1c" })
  end)

  it("leaves errors to whoever awaits the task", function()
    for _, task in luge.as_completed { failing(0, "e") } do
      test.equal(test.raises(nil, task.await, task), "e")
    end
  end)

  it("cancels the rest when the loop is left, and waits for it", function()
    local _ <close> = test.clock()
    local log = {}
    for index in luge.as_completed { sleeper(log, "x", 1), after(0), after(0.5) } do
      if index == 2 then
        break
      end
    end
    test.same(log, { "x" })
  end)

  it("does so too by an error and by a cancellation", function()
    local log = {}
    pcall(function()
      for _ in luge.as_completed { sleeper(log, "x"), after(0) } do
        error "out"
      end
    end)
    test.same(log, { "x" })
    local task = luge.spawn(function()
      for _ in luge.as_completed { sleeper(log, "y") } do
        error "not reached"
      end
    end)
    luge.sleep(0)
    luge.sleep(0)
    task:cancel()
    test.raises("cancelled", luge.await, task)
    test.same(log, { "x", "y" })
  end)

  it("takes an empty list", function()
    for _ in luge.as_completed {} do
      error "nothing can have ended"
    end
  end)

  it("may be read by several tasks, each of which gets some and sees the end", function()
    local next_ended, state, _, guard = luge.as_completed { after(0), after(0), after(0.001) }
    local _ <close> = guard
    local got, readers = {}, {}
    for i = 1, 4 do
      readers[i] = luge.spawn(function()
        for index in next_ended, state do
          got[#got + 1] = index
          luge.sleep(0)
        end
      end)
    end
    luge.gather(readers)
    table.sort(got)
    test.same(got, { 1, 2, 3 })
  end)
end)
