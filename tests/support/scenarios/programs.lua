-- Where else Lua code waits; and larger programs. See ../scenarios.lua.
local luge = require "luge"
local test = require "luge.test"

local scenario, MS = ...

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
