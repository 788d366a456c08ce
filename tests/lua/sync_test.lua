-- Queues, semaphores, locks, events, futures: first come, first served, and
-- nothing lost. Cancelled at every turn: cancel_points_test.lua.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it
local settle = dofile("tests/support/tasks.lua").settle

-- `n` tasks that run fn(i), begun in their order.
local function start(n, fn)
  local tasks = {}
  for i = 1, n do
    tasks[i] = luge.spawn(fn, i)
  end
  luge.sleep(0)
  return tasks
end

describe("a method that gets a bad argument", function()
  it("is named, called as a method or not", function()
    local condition, wants = luge.condition(), "bad argument #1 to 'notify': got string \"x\""
    local _, called = pcall(function() condition:notify "x" end)
    test.equal(called.message:sub(1, #wants), wants)
    local _, passed = pcall(condition.notify, condition, "x")
    test.equal(passed.message, called.message)
  end)
end)

describe("a queue", function()
  it("gives items in the order they were put, to getters in their order", function()
    local queue, got = luge.queue(), {}
    local getters = start(3, function(i) got[i] = queue:get() end)
    for i = 1, 5 do
      queue:put("item " .. i)
    end
    for _, getter in ipairs(getters) do
      getter:await()
    end
    test.same(got, { "item 1", "item 2", "item 3" })
    test.equal(queue:len(), 2)
    test.same({ queue:get(), queue:get() }, { "item 4", "item 5" })
  end)

  it("has an iterator that may be passed on alone", function()
    local first, second = luge.queue(), luge.queue()
    for i = 1, 3 do
      first:put(i)
      second:put(i)
    end
    luge.spawn(function()
      luge.sleep(0)
      first:put(4)
      first:close()
      second:close()
    end)
    test.same(luge.map(first:iter(), function(item) return item * 2 end), { 2, 4, 6, 8, n = 4 })
    test.same(luge.merge({ second:iter(), {} }):collect(), { 1, 2, 3 })
  end)

  it("lets putters in in their order, however they come", function()
    local queue, order = luge.queue(2), {}
    local putters = start(6, function(i) queue:put(i) end)
    test.equal(queue:len(), 2)
    test.equal(queue:try_put "no room", false)
    putters[4]:cancel()
    settle()
    for _ = 1, 5 do
      order[#order + 1] = queue:get()
    end
    test.same(order, { 1, 2, 3, 5, 6 })
    test.equal(queue:len(), 0)
  end)

  it("wraps around and grows", function()
    local queue, next_in, next_out = luge.queue(), 0, 0
    for round = 1, 200 do
      for _ = 1, round % 7 + 3 do
        next_in = next_in + 1
        queue:put(next_in)
      end
      for _ = 1, round % 5 + 2 do
        next_out = next_out + 1
        test.equal(queue:get(), next_out)
      end
    end
    test.equal(queue:len(), next_in - next_out)
  end)

  it("takes false, and anything but nil", function()
    local queue = luge.queue()
    queue:put(false)
    test.equal(queue:get(), false)
    test.raises("invalid", queue.put, queue, nil)
    test.raises("invalid", queue.put, queue)
    test.raises("invalid", queue.try_put, queue, nil)
  end)

  it("tries without waiting", function()
    local queue = luge.queue(1)
    test.same({ queue:try_get() }, { false })
    test.equal(queue:try_put(1), true)
    test.equal(queue:try_put(2), false)
    test.same({ queue:try_get() }, { true, 1 })
  end)

  it("drains when it is closed, then raises", function()
    local queue = luge.queue(2)
    queue:put(1)
    queue:put(2)
    local putter = luge.spawn(pcall, queue.put, queue, 3)
    luge.sleep(0)
    queue:close()
    queue:close()
    local ok, err = putter:await()
    test.same({ ok, err.kind }, { false, "closed" })
    test.raises("closed", queue.put, queue, 4)
    test.raises("closed", queue.try_put, queue, 4)
    local got = {}
    for item in queue:iter() do
      got[#got + 1] = item
    end
    test.same(got, { 1, 2 })
    test.raises("closed", queue.get, queue)
    test.raises("closed", queue.try_get, queue)
  end)

  it("raises `closed` in getters that wait, and ends iterators", function()
    local queue = luge.queue()
    local getter = luge.spawn(pcall, queue.get, queue)
    local reader = luge.spawn(function()
      for _ in queue:iter() do
        error "no item"
      end
      return "ended"
    end)
    luge.sleep(0)
    queue:close()
    local ok, err = getter:await()
    test.same({ ok, err.kind }, { false, "closed" })
    test.equal(reader:await(), "ended")
  end)

  it("joins when every item is done", function()
    local queue, joined = luge.queue(1), false
    queue:join()
    local joiner = luge.spawn(function()
      queue:put "a"
      queue:put "b"
      queue:join()
      joined = true
    end)
    settle()
    queue:get()
    settle()
    queue:task_done()
    queue:get()
    settle()
    test.equal(joined, false)
    queue:task_done()
    joiner:await()
    test.raises("invalid", queue.task_done, queue)
  end)

  it("gives a cancelled getter's turn to the next", function()
    local queue, got = luge.queue(), {}
    local getters = start(3, function(i) got[i] = queue:get() end)
    getters[1]:cancel()
    queue:put "first"
    getters[2]:cancel()
    settle()
    test.same(got, { [2] = "first" })
    queue:put "second"
    getters[3]:await()
    test.equal(got[3], "second")
  end)

  it("has a capacity from 1", function()
    for _, capacity in ipairs { 0, -1, 1.5, 0 / 0, math.huge, "x", {}, true } do
      test.raises("invalid", luge.queue, capacity)
    end
    test.ok(luge.queue(1.0):try_put(1))
    test.ok(luge.queue(math.maxinteger):try_put(1))
  end)

  it("knows its own methods", function()
    local queue = luge.queue()
    for _, value in ipairs { 1, "x", {}, io.stdout, luge.event() } do
      test.raises("invalid", queue.get, value)
    end
    test.raises("invalid", queue.get)
  end)
end)

describe("a semaphore", function()
  it("serves who waits before who asks later", function()
    local semaphore, order = luge.semaphore(1), {}
    semaphore:acquire()
    start(3, function(i)
      local _ <close> = semaphore:hold()
      order[#order + 1] = i
      luge.sleep(0)
    end)
    semaphore:release()
    test.equal(semaphore:try_acquire(), false)
    semaphore:acquire()
    test.same(order, { 1, 2, 3 })
  end)

  it("has as many permits as it was made with", function()
    local semaphore = luge.semaphore(2)
    test.equal(semaphore:try_acquire(), true)
    test.equal(semaphore:try_acquire(), true)
    test.equal(semaphore:try_acquire(), false)
    semaphore:release()
    semaphore:release()
    test.raises("invalid", semaphore.release, semaphore)
    for _, n in ipairs { 0, -1, 1.5, 0 / 0, "x" } do
      test.raises("invalid", luge.semaphore, n)
    end
    test.raises("invalid", luge.semaphore)
  end)

  it("is released once by a hold", function()
    local semaphore = luge.semaphore(1)
    do
      local hold <close> = semaphore:hold()
      hold:release()
      test.ok(semaphore:try_acquire())
    end
    test.equal(semaphore:try_acquire(), false)
    semaphore:release()
  end)

  it("gets no permit from a hold whose permit was given back already", function()
    local semaphore = luge.semaphore(1)
    local err = test.raises("invalid", function()
      local _ <close> = semaphore:hold()
      semaphore:release()
    end)
    test.matches(err.message, "releasing a semaphore that is not held")
    test.ok(semaphore:try_acquire())
    test.equal(semaphore:try_acquire(), false)
    semaphore:release()
  end)

  it("is released when its holder fails or is cancelled", function()
    local semaphore = luge.semaphore(1)
    pcall(function()
      local _ <close> = semaphore:hold()
      error "x"
    end)
    local task = luge.spawn(function()
      local _ <close> = semaphore:hold()
      luge.sleep(60)
    end)
    luge.sleep(0)
    task:cancel()
    pcall(luge.await, task)
    test.ok(semaphore:try_acquire())
  end)
end)

describe("a lock", function()
  it("is released by its holder only", function()
    local lock = luge.lock()
    test.raises("invalid", lock.release, lock)
    lock:acquire()
    local task = luge.spawn(function()
      test.raises("invalid", lock.release, lock)
    end)
    task:await()
    test.matches(test.raises("invalid", lock.acquire, lock).message, "holds the lock already")
    lock:release()
    test.ok(lock:try_acquire())
    lock:release()
  end)

  it("is not taken from its holder by the hold of another task", function()
    local lock = luge.lock()
    local hold = lock:hold()
    lock:release()
    local holder = luge.spawn(function()
      lock:acquire()
      luge.sleep(0)
      lock:release()
    end)
    luge.sleep(0)
    test.matches(test.raises("invalid", hold.release, hold).message, "another task holds")
    holder:await()
    hold:release() -- has nothing to give back any more
  end)

  it("is released by its hold in any task", function()
    local lock = luge.lock()
    local hold = lock:hold()
    luge.spawn(hold.release, hold):await()
    test.ok(lock:try_acquire())
    lock:release()
  end)

  it("passes from holder to holder in their order", function()
    local lock, order, inside = luge.lock(), {}, 0
    local tasks = start(5, function(i)
      for _ = 1, 3 do
        local _ <close> = lock:hold()
        inside = inside + 1
        test.equal(inside, 1)
        luge.sleep(0)
        inside = inside - 1
        order[#order + 1] = i
      end
    end)
    for _, task in ipairs(tasks) do
      task:await()
    end
    test.equal(table.concat(order), ("12345"):rep(3))
  end)
end)

describe("an event", function()
  it("lets all go on, and who comes later, until it is cleared", function()
    local event, woken = luge.event(), 0
    local tasks = start(3, function()
      event:wait()
      woken = woken + 1
    end)
    test.equal(event:is_set(), false)
    event:set()
    event:set()
    test.equal(event:is_set(), true)
    event:wait()
    for _, task in ipairs(tasks) do
      task:await()
    end
    test.equal(woken, 3)
    event:clear()
    test.raises("timeout", luge.timeout, 0.001, event.wait, event)
  end)
end)

describe("a future", function()
  it("is settled once", function()
    local future = luge.future()
    test.equal(future:done(), false)
    future:resolve(1, nil, 3)
    test.equal(future:done(), true)
    test.raises("invalid", future.resolve, future, 2)
    test.raises("invalid", future.reject, future, "e")
    test.same(table.pack(future:await()), { n = 3, 1, nil, 3 })
    test.same(table.pack(luge.await(future)), { n = 3, 1, nil, 3 })
  end)

  it("raises what it was rejected with in all that await it", function()
    local future, err = luge.future(), {}
    local tasks = start(3, function()
      return select(2, pcall(future.await, future))
    end)
    future:reject(err)
    for _, task in ipairs(tasks) do
      test.equal(task:await(), err)
    end
  end)
end)
