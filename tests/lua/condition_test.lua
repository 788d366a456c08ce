-- Conditions, barriers and context values: docs/tasks.md.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it
local settle = dofile("tests/support/tasks.lua").settle

-- Tasks that wait, each in its turn, and then note their number.
local function waiters(object, n, log)
  local tasks = {}
  for i = 1, n do
    tasks[i] = luge.spawn(function()
      object:wait()
      log[#log + 1] = i
    end)
  end
  settle()
  return tasks
end

describe("a condition", function()
  it("lets one go on, the first who waits", function()
    local condition, log = luge.condition(), {}
    local tasks = waiters(condition, 4, log)
    condition:notify()
    settle()
    test.same(log, { 1 })
    condition:notify(2)
    settle()
    test.same(log, { 1, 2, 3 })
    tasks[4]:cancel()
  end)

  it("lets all go on", function()
    local condition, log = luge.condition(), {}
    waiters(condition, 3, log)
    condition:notify_all()
    settle()
    test.same(log, { 1, 2, 3 })
  end)

  it("does not remember what nobody waited for", function()
    local condition = luge.condition()
    condition:notify()
    condition:notify_all()
    test.raises("timeout", luge.timeout, 0.01, condition.wait, condition)
  end)

  it("passes over those that were cancelled", function()
    local condition, log = luge.condition(), {}
    local tasks = waiters(condition, 3, log)
    tasks[1]:cancel()
    condition:notify()
    settle()
    test.same(log, { 2 })
    condition:notify_all()
  end)

  it("refuses bad numbers", function()
    local condition = luge.condition()
    test.raises("invalid", condition.notify, condition, -1)
    test.raises("invalid", condition.notify, condition, 1.5)
    test.raises("invalid", condition.notify, {})
    condition:notify(0)
  end)
end)

describe("a barrier", function()
  it("opens when all are there, again and again", function()
    local barrier, log = luge.barrier(3), {}
    for round = 1, 3 do
      local tasks = waiters(barrier, 2, log)
      test.equal(#log, (round - 1) * 3)
      barrier:wait()
      log[#log + 1] = 0
      for _, task in ipairs(tasks) do
        task:await()
      end
    end
    test.equal(#log, 9)
  end)

  it("keeps rounds apart", function()
    local barrier, log = luge.barrier(2), {}
    waiters(barrier, 5, log)
    test.equal(#log, 4)
    barrier:wait()
    settle()
    test.equal(#log, 5)
  end)

  it("does not count those that were cancelled", function()
    local barrier, log = luge.barrier(2), {}
    waiters(barrier, 1, log)[1]:cancel()
    waiters(barrier, 1, log)
    test.same(log, {})
    barrier:wait()
    settle()
    test.same(log, { 1 })
  end)

  it("of one never waits", function()
    local barrier = luge.barrier(1)
    barrier:wait()
    barrier:wait()
  end)

  it("refuses bad sizes", function()
    test.raises("invalid", luge.barrier, 0)
    test.raises("invalid", luge.barrier, 1.5)
    test.raises("invalid", luge.barrier)
  end)
end)

describe("context", function()
  local get, with = luge.context.get, luge.context.with

  it("has values for a function and what it calls", function()
    test.equal(get "user", nil)
    test.same({ with({ user = "ann" }, function(...) return get "user", ... end, 1, nil) },
      { "ann", 1, nil })
    test.equal(get "user", nil)
  end)

  it("adds to what holds outside", function()
    with({ a = 1, b = 1 }, function()
      with({ b = 2 }, function()
        test.same({ get "a", get "b" }, { 1, 2 })
      end)
      test.equal(get "b", 1)
    end)
  end)

  it("is inherited by tasks as it was when they were spawned", function()
    local task
    with({ user = "ann" }, function()
      task = luge.spawn(function()
        luge.sleep(0)
        return get "user", luge.spawn(get, "user"):await()
      end)
    end)
    with({ user = "bob" }, function()
      test.same({ task:await() }, { "ann", "ann" })
    end)
  end)

  it("of a task is not changed by its children", function()
    with({ n = 1 }, function()
      luge.spawn(with, { n = 2 }, luge.sleep, 0):await()
      test.equal(get "n", 1)
    end)
  end)

  it("is put back after errors and cancellations", function()
    test.raises(nil, with, { user = "ann" }, error, "out")
    test.equal(get "user", nil)
    local after
    local task = luge.spawn(function()
      pcall(with, { user = "ann" }, luge.sleep, 3600)
      after = get "user"
    end)
    settle()
    task:cancel()
    pcall(luge.await, task)
    test.equal(after, nil)
  end)

  it("takes any key", function()
    local key = {}
    with({ [key] = false }, function()
      test.equal(get(key), false)
    end)
  end)

  it("does not see later changes to the table", function()
    local values = { n = 1 }
    with(values, function()
      values.n = 2
      test.equal(get "n", 1)
    end)
  end)

  it("refuses bad arguments", function()
    test.raises("invalid", with, nil, print)
    test.raises("invalid", with, {}, nil)
  end)
end)
