-- Programs to be cancelled anywhere: see tests/lua/cancel_points_test.lua.
--
-- Each `scenario(name, setup)` is run many times. `setup(env)` prepares what is
-- shared, outside of the task that will be cancelled, and returns the task's
-- function. It declares:
--
--   env:guard()       a value to be closed, counted
--   env:sibling(fn)   a task that must end well, whatever happens
--   env:check(fn)     what holds when all has ended
--
-- Times are virtual, and a few milliseconds at most.
local luge = require "luge"
local test = require "luge.test"

local scenarios = {}

local function scenario(name, setup)
  scenarios[#scenarios + 1] = { name = name, setup = setup }
end

local MS = 0.001

scenario("sleep", function(env)
  return function()
    local _ <close> = env:guard()
    luge.sleep(2 * MS)
    luge.sleep(0)
    luge.sleep(MS)
  end
end)

scenario("a wait that pcall catches, again and again", function(env)
  return function()
    local _ <close> = env:guard()
    for _ = 1, 4 do
      local ok, err = pcall(luge.sleep, MS)
      if not ok then
        test.equal(err.kind, "cancelled")
        test.raises("cancelled", luge.sleep, MS)
        error(err)
      end
    end
  end
end)

scenario("queue get", function(env)
  local queue, put, got = luge.queue(), 0, 0
  env:sibling(function()
    for i = 1, 5 do
      luge.sleep(MS)
      queue:put(i)
      put = put + 1
    end
  end)
  env:check(function()
    test.equal(got + queue:len(), put)
  end)
  return function()
    for i = 1, 5 do
      local _ <close> = env:guard()
      test.equal(queue:get(), i)
      got = got + 1
    end
  end
end)

scenario("queue put", function(env)
  local queue, put, got = luge.queue(1), 0, {}
  env:sibling(function()
    for _ = 1, 8 do
      luge.sleep(MS)
      local ok, item = queue:try_get()
      got[#got + 1] = ok and item or nil
    end
  end)
  env:check(function()
    test.equal(#got + queue:len(), put)
    for i, item in ipairs(got) do
      test.equal(item, i)
    end
  end)
  return function()
    for i = 1, 5 do
      local _ <close> = env:guard()
      queue:put(i)
      put = put + 1
    end
  end
end)

scenario("queue put among other putters", function(env)
  local queue, got, put = luge.queue(1), {}, 0
  for _, item in ipairs { "a", "b", "c" } do
    env:sibling(function()
      queue:put(item)
      luge.sleep(MS)
      queue:put(item)
      put = put + 2
    end)
  end
  env:sibling(function()
    for _ = 1, 16 do
      luge.sleep(MS)
      local ok, item = queue:try_get()
      got[#got + 1] = ok and item or nil
    end
  end)
  env:check(function()
    test.equal(#got, put)
    local counts = {}
    for _, item in ipairs(got) do
      counts[item] = (counts[item] or 0) + 1
    end
    test.same({ counts.a, counts.b, counts.c }, { 2, 2, 2 })
  end)
  return function()
    for _ = 1, 3 do
      local _ <close> = env:guard()
      queue:put "mine"
      put = put + 1
    end
  end
end)

scenario("queue iter, task_done and join", function(env)
  local queue, done = luge.queue(2), 0
  env:sibling(function()
    for i = 1, 6 do
      queue:put(i)
      luge.sleep(i % 2 * MS)
    end
    queue:close()
  end)
  env:sibling(function()
    luge.sleep(10 * MS)
    for _ in queue:iter() do
      queue:task_done()
      done = done + 1
    end
  end)
  env:check(function()
    test.equal(done, 6)
    queue:join()
  end)
  return function()
    for _ in queue:iter() do
      local _ <close> = setmetatable({}, { __close = function()
        queue:task_done()
        done = done + 1
      end })
      local _ <close> = env:guard()
      luge.sleep(MS)
    end
    queue:join()
  end
end)

local function permits(env, semaphore, n)
  env:check(function()
    for i = 1, n do
      test.ok(semaphore:try_acquire(), "permit " .. i)
    end
    test.ok(not semaphore:try_acquire(), "one permit too many")
  end)
end

scenario("semaphore hold", function(env)
  local semaphore = luge.semaphore(2)
  permits(env, semaphore, 2)
  for i = 1, 3 do
    env:sibling(function()
      for _ = 1, 2 do
        local _ <close> = semaphore:hold()
        luge.sleep(i * MS)
      end
    end)
  end
  return function()
    for _ = 1, 4 do
      local _ <close> = env:guard()
      local _ <close> = semaphore:hold()
      luge.sleep(MS)
    end
  end
end)

scenario("semaphore acquire and release", function(env)
  local semaphore = luge.semaphore(1)
  permits(env, semaphore, 1)
  env:sibling(function()
    for _ = 1, 4 do
      semaphore:acquire()
      luge.sleep(MS)
      semaphore:release()
      luge.sleep(0)
    end
  end)
  return function()
    for _ = 1, 4 do
      semaphore:acquire()
      local _ <close> = setmetatable({}, { __close = function() semaphore:release() end })
      local _ <close> = env:guard()
      luge.sleep(MS)
    end
  end
end)

scenario("lock", function(env)
  local lock, inside = luge.lock(), 0
  local function critical()
    local _ <close> = lock:hold()
    inside = inside + 1
    test.equal(inside, 1)
    local _ <close> = setmetatable({}, { __close = function() inside = inside - 1 end })
    luge.sleep(MS)
  end
  for _ = 1, 3 do
    env:sibling(function()
      critical()
      critical()
    end)
  end
  permits(env, lock, 1)
  return function()
    for _ = 1, 4 do
      local _ <close> = env:guard()
      critical()
    end
  end
end)

scenario("event", function(env)
  local event = luge.event()
  env:sibling(function()
    luge.sleep(2 * MS)
    event:set()
  end)
  env:sibling(function() event:wait() end)
  return function()
    local _ <close> = env:guard()
    event:wait()
    event:wait()
    luge.sleep(MS)
  end
end)

scenario("condition", function(env)
  local condition, woken = luge.condition(), 0
  env:sibling(function()
    luge.sleep(MS)
    condition:wait()
    woken = woken + 1
  end)
  env:sibling(function()
    for _ = 1, 8 do
      luge.sleep(MS)
      condition:notify()
    end
  end)
  env:check(function() test.equal(woken, 1) end)
  return function()
    for _ = 1, 3 do
      local _ <close> = env:guard()
      condition:wait()
    end
  end
end)

scenario("barrier", function(env)
  local barrier, passed = luge.barrier(2), 0
  env:sibling(function()
    for _ = 1, 3 do
      luge.sleep(MS)
      barrier:wait()
      passed = passed + 1
    end
  end)
  env:sibling(function()
    luge.sleep(20 * MS)
    while passed < 3 do
      pcall(luge.timeout, MS, barrier.wait, barrier)
    end
  end)
  return function()
    for _ = 1, 3 do
      local _ <close> = env:guard()
      barrier:wait()
    end
  end
end)

scenario("future", function(env)
  local future = luge.future()
  env:sibling(function()
    luge.sleep(2 * MS)
    future:resolve(1, 2)
  end)
  env:sibling(function() test.same({ future:await() }, { 1, 2 }) end)
  return function()
    local _ <close> = env:guard()
    test.same({ luge.await(future) }, { 1, 2 })
    test.same({ future:await() }, { 1, 2 })
    luge.sleep(MS)
  end
end)

scenario("await of a task that others own", function(env)
  local shared = env:sibling(function()
    luge.sleep(3 * MS)
    return "shared"
  end)
  return function()
    local _ <close> = env:guard()
    test.equal(shared:await(), "shared")
    luge.sleep(MS)
  end
end)

scenario("a tree of tasks", function(env)
  local function grow(depth)
    local _ <close> = env:guard()
    if depth > 0 then
      luge.spawn(grow, depth - 1)
      local other = luge.spawn(grow, depth - 1)
      luge.sleep(depth * MS)
      other:await()
    end
    luge.sleep(MS)
  end
  return function() grow(3) end
end)

scenario("children that the function does not wait for", function(env)
  return function()
    for i = 1, 5 do
      luge.spawn(function()
        local _ <close> = env:guard()
        luge.sleep(i * MS)
      end)
    end
  end
end)

scenario("gather", function(env)
  return function()
    local functions = {}
    for i = 1, 5 do
      functions[i] = function()
        local _ <close> = env:guard()
        luge.sleep(i * MS)
        return i
      end
    end
    test.same(luge.gather(functions), { n = 5, 1, 2, 3, 4, 5 })
  end
end)

scenario("gather, with errors returned", function(env)
  return function()
    local results = luge.gather({
      function()
        local _ <close> = env:guard()
        luge.sleep(2 * MS)
        error("in its place", 0)
      end,
      function()
        local _ <close> = env:guard()
        luge.sleep(4 * MS)
        return "fine"
      end,
    }, { return_errors = true })
    test.same(results, { n = 2, "in its place", "fine" })
  end
end)

scenario("map over an iterator", function(env)
  return function()
    local i = 0
    local results = luge.map(function()
      i = i + 1
      return i <= 7 and i or nil
    end, function(item)
      local _ <close> = env:guard()
      luge.sleep(item % 3 * MS)
      return item * 2
    end, { concurrency = 3 })
    test.equal(results.n, 7)
    test.equal(results[7], 14)
  end
end)

scenario("race", function(env)
  return function()
    local index, value = luge.race {
      function()
        local _ <close> = env:guard()
        luge.sleep(5 * MS)
        return "late"
      end,
      function()
        local _ <close> = env:guard()
        luge.sleep(3 * MS)
        return "first"
      end,
    }
    test.same({ index, value }, { 2, "first" })
    luge.sleep(MS)
  end
end)

scenario("as_completed", function(env)
  return function()
    local functions, order = {}, {}
    for i = 1, 4 do
      functions[i] = function()
        local _ <close> = env:guard()
        luge.sleep((5 - i) * MS)
      end
    end
    for index in luge.as_completed(functions) do
      order[#order + 1] = index
      luge.sleep(0)
      if #order == 3 then
        break
      end
    end
    test.same(order, { 4, 3, 2 })
  end
end)

local function numbers(env, n)
  return luge.stream(function(emit)
    local _ <close> = env:guard()
    for i = 1, n do
      luge.sleep(MS)
      emit(i)
    end
  end)
end

scenario("a stream", function(env)
  return function()
    local sum = 0
    for i in numbers(env, 5) do
      local _ <close> = env:guard()
      luge.sleep(0)
      sum = sum + i
    end
    test.equal(sum, 15)
  end
end)

scenario("a stream that others go on reading", function(env)
  local stream, read = numbers(env, 5), 0
  local function reader()
    for _ in stream do
      read = read + 1
    end
  end
  env:check(function()
    stream:close()
    test.ok(read >= 4, "at most the item in flight is lost")
  end)
  env:sibling(function()
    luge.sleep(4 * MS)
    reader()
  end)
  return function()
    local _ <close> = env:guard()
    reader()
  end
end)

scenario("operators of streams", function(env)
  return function()
    local stream <close> = numbers(env, 12)
      :map(function(i)
        luge.sleep(MS)
        return i * 2
      end, { concurrency = 3 })
      :filter(function(i) return i % 4 == 0 end)
      :buffer(2)
      :take(3)
      :chunk(2)
    test.same(stream:collect(), { { 4, 8 }, { 12 } })
  end
end)

scenario("merged, zipped and split streams", function(env)
  return function()
    local merged = (luge.merge { numbers(env, 3), numbers(env, 3) }):collect()
    test.equal(#merged, 6)
    for a, b in luge.zip { numbers(env, 3), numbers(env, 2) } do
      test.equal(a, b)
    end
    local left, right = numbers(env, 3):tee(2)
    local other = luge.spawn(left.collect, left)
    test.equal(#right:collect(), 3)
    test.equal(#other:await(), 3)
  end
end)

scenario("retry, in its back-off", function(env)
  return function()
    local attempts = 0
    test.equal(luge.retry(function()
      local _ <close> = env:guard()
      attempts = attempts + 1
      luge.sleep(MS)
      if attempts < 4 then
        error(luge.error { kind = "network", message = "again", retryable = true })
      end
      return "done"
    end, { attempts = 5, wait = luge.wait.fixed(2 * MS), on = function() return true end }), "done")
  end
end)

scenario("limiter", function(env)
  local limiter, served = luge.limiter { rate = 1000, burst = 1 }, 0
  env:sibling(function()
    for _ = 1, 5 do
      limiter:acquire()
      served = served + 1
    end
  end)
  env:check(function()
    test.equal(served, 5)
    local start = luge.now()
    limiter:acquire()
    limiter:acquire()
    test.ok(luge.now() - start <= 2.1 * MS, "tokens were lost")
  end)
  return function()
    for _ = 1, 4 do
      local _ <close> = env:guard()
      limiter:acquire()
    end
  end
end)

scenario("timeouts inside a timeout", function(env)
  return function()
    local _ <close> = env:guard()
    luge.timeout(1, function()
      local _ <close> = env:guard()
      local ok, err = pcall(luge.timeout, 2 * MS, function()
        local _ <close> = env:guard()
        luge.timeout(1, function()
          luge.spawn(function()
            local _ <close> = env:guard()
            luge.sleep(1)
          end)
          luge.sleep(1)
        end)
      end)
      test.ok(not ok)
      if err.kind ~= "timeout" then
        error(err)
      end
      luge.sleep(MS)
    end)
  end
end)

scenario("shield", function(env)
  return function()
    local _ <close> = env:guard()
    luge.sleep(MS)
    local whole = false
    luge.shield(function()
      local _ <close> = env:guard()
      luge.spawn(function()
        local _ <close> = env:guard()
        luge.sleep(2 * MS)
        whole = true
      end)
      luge.sleep(MS)
    end)
    test.ok(whole)
    luge.sleep(MS)
  end
end)

scenario("scope", function(env)
  return function()
    luge.scope(function(scope)
      for i = 1, 3 do
        scope:spawn(function()
          local _ <close> = env:guard()
          luge.sleep(i * MS)
        end)
      end
      luge.sleep(MS)
    end)
    luge.scope(function(scope)
      scope:spawn(function()
        local _ <close> = env:guard()
        luge.sleep(1)
      end)
      luge.sleep(MS)
      scope:cancel()
      luge.sleep(MS)
    end)
  end
end)

scenario("a scope that fails", function(env)
  return function()
    local ok, err = pcall(luge.scope, function(scope)
      scope:spawn(function()
        local _ <close> = env:guard()
        luge.sleep(1)
      end)
      scope:spawn(function()
        luge.sleep(2 * MS)
        error("fails", 0)
      end)
      local _ <close> = env:guard()
      luge.sleep(1)
    end)
    test.ok(not ok)
    if err ~= "fails" then
      error(err, 0)
    end
    luge.sleep(MS)
  end
end)

scenario("a generator in a coroutine", function(env)
  return function()
    local sum = 0
    for i in coroutine.wrap(function()
      local _ <close> = env:guard()
      for i = 1, 4 do
        luge.sleep(MS)
        coroutine.yield(i)
      end
    end) do
      local _ <close> = env:guard()
      luge.sleep(0)
      sum = sum + i
    end
    test.equal(sum, 10)
  end
end)

scenario("coroutines inside coroutines", function(env)
  local function nest(depth)
    local _ <close> = env:guard()
    luge.sleep(MS)
    if depth > 0 then
      local co = coroutine.create(nest)
      local ok, err = coroutine.resume(co, depth - 1)
      if not ok then
        test.equal(coroutine.status(co), "dead")
        error(err, 0)
      end
    end
    luge.sleep(MS)
  end
  return function() nest(4) end
end)

scenario("handlers that wait behind a shield", function(env)
  return function()
    for _ = 1, 2 do
      local _ <close> = env:guard()
      local _ <close> = setmetatable({}, { __close = function()
        luge.shield(function()
          local _ <close> = env:guard()
          luge.sleep(MS)
        end)
      end })
      luge.sleep(MS)
    end
  end
end)

scenario("require", function(env)
  local loads = 0
  package.loaded["scenarios.module"] = nil
  package.preload["scenarios.module"] = function()
    local _ <close> = env:guard()
    loads = loads + 1
    luge.sleep(2 * MS)
    return "module " .. loads
  end
  env:sibling(function()
    luge.sleep(MS)
    local value = require "scenarios.module"
    test.ok(value)
    luge.sleep(5 * MS)
    local again = require "scenarios.module"
    test.equal(again, value)
  end)
  return function()
    require "scenarios.module"
    luge.sleep(MS)
  end
end)

scenario("__await and context", function(env)
  local awaitable = setmetatable({}, { __await = function()
    local _ <close> = env:guard()
    luge.sleep(MS)
    return luge.context.get "key"
  end })
  return function()
    luge.context.with({ key = "value" }, function()
      test.equal(luge.await(awaitable), "value")
      test.equal(luge.await(luge.spawn(luge.await, awaitable)), "value")
    end)
  end
end)

scenario("workers on a queue", function(env)
  local jobs, results, started = luge.queue(2), luge.queue(), 0
  return function()
    luge.scope(function(scope)
      for _ = 1, 3 do
        scope:spawn(function()
          for job in jobs:iter() do
            local _ <close> = env:guard()
            started = started + 1
            luge.sleep(job % 2 * MS)
            results:put(job)
          end
        end)
      end
      local _ <close> = setmetatable({}, { __close = function() jobs:close() end })
      for i = 1, 6 do
        jobs:put(i)
      end
    end)
    test.equal(results:len(), 6)
    test.equal(started, 6)
  end
end)

-- What was acknowledged is there; what was not may be, but never twice.
scenario("a store", function(env)
  local store = require "luge.store"
  local acknowledged = 0
  env:sibling(function()
    local own <close> = store.memory()
    own:put("k", "kept")
    luge.sleep(3 * MS)
    test.equal(own:get "k", "kept")
  end)
  return function()
    local _ <close> = env:guard()
    local s <close> = store.memory()
    local log = s:log "l"
    for i = 1, 2 do
      test.equal(log:append(i), i)
      acknowledged = acknowledged + 1
      test.ok(s:compare_and_set("n", i > 1 and i - 1 or nil, i))
    end
    for number in log:read() do
      test.ok(number <= acknowledged)
    end
    test.equal(s:get "n", 2)
  end
end)

return scenarios
