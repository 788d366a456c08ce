-- Queues. See ../scenarios.lua.
local luge = require "luge"
local test = require "luge.test"

local scenario, MS = ...

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
