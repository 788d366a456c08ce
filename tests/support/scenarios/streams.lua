-- Streams and their operators. See ../scenarios.lua.
local luge = require "luge"
local test = require "luge.test"

local scenario, MS = ...

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
