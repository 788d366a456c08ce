-- Blocks that bound, shield or try again what is in them. See ../scenarios.lua.
local luge = require "luge"
local test = require "luge.test"

local scenario, MS = ...

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
