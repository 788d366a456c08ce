-- What tasks wait for together, and futures. See ../scenarios.lua.
local luge = require "luge"
local test = require "luge.test"

local scenario, MS = ...

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
