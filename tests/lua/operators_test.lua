-- The operators of streams: docs/streams.md. `map` and `filter`:
-- operators_map_test.lua; those of several streams: operators_join_test.lua.
local luge = require "luge"
local test = require "luge.test"
local streams = dofile "tests/support/streams.lua"
local describe, it = test.describe, test.it
local settle = dofile("tests/support/tasks.lua").settle
local numbers, broken, drain, paced = streams.numbers, streams.broken, streams.drain, streams.paced

local function double(x)
  return x * 2
end

describe("take", function()
  it("gives the first items, then closes the source", function()
    local log = {}
    test.same(numbers(nil, log):take(3):collect(), { 1, 2, 3 })
    test.ok(log.closed)
    test.same(log, { 1, 2, 3, closed = true })
  end)

  it("takes 0, and more than there are", function()
    local log = {}
    test.same(numbers(3, log):take(0):collect(), {})
    test.same(log, {})
    test.same(numbers(2):take(5):collect(), { 1, 2 })
  end)

  it("refuses what is no number of items", function()
    local s = luge.from {}
    test.raises("invalid", s.take, s, -1)
    test.raises("invalid", s.take, s, 1.5)
    test.raises("invalid", s.take, s, 1e300)
    test.equal(#numbers(5):take(4 / 2):collect(), 2)
    test.raises("invalid", s.take, s)
  end)
end)

describe("skip", function()
  it("leaves out the first items", function()
    test.same(numbers(5):skip(3):collect(), { 4, 5 })
    test.same(numbers(2):skip(5):collect(), {})
    test.same(numbers(2):skip(0):collect(), { 1, 2 })
  end)

  it("goes on after a cancelled wait where it was", function()
    local _ <close> = test.clock()
    local s = paced(5):skip(3)
    test.raises("timeout", luge.timeout, 2.5, s.next, s)
    test.same(s:collect(), { 4, 5 })
  end)
end)

describe("chunk", function()
  it("gives lists; the last may be shorter", function()
    test.same(numbers(5):chunk(2):collect(), { { 1, 2 }, { 3, 4 }, { 5 } })
    test.same(numbers(4):chunk(2):collect(), { { 1, 2 }, { 3, 4 } })
    test.same(numbers(0):chunk(2):collect(), {})
  end)

  it("keeps what it has when its reader is cancelled", function()
    local _ <close> = test.clock()
    local s = paced(5):chunk(3)
    test.raises("timeout", luge.timeout, 2.5, s.next, s)
    test.same(s:collect(), { { 1, 2, 3 }, { 4, 5 } })
  end)

  it("does not pass off an error as an end", function()
    local items, err = drain(broken(3):chunk(2))
    test.same(items, { { 1, 2 } })
    test.equal(err, "broken")
  end)

  it("refuses 0", function()
    local s = luge.from {}
    test.raises("invalid", s.chunk, s, 0)
  end)
end)

describe("buffer", function()
  it("reads ahead as far as it is allowed to", function()
    local log = {}
    local s = numbers(nil, log):buffer(3)
    test.equal(s:next(), 1)
    settle()
    test.equal(log[#log], 5) -- 3 are ready, one is held in emit
    s:close()
    test.ok(log.closed)
  end)

  it("lets producer and reader work at the same time", function()
    local _ <close> = test.clock()
    local start = luge.now()
    paced(5):buffer(2):each(function() luge.sleep(1) end)
    test.ok(math.abs(luge.now() - start - 6) < 0.01, luge.now() - start)
  end)

  it("delivers what is ready before the error of the source", function()
    local items, err = drain(broken(3):buffer(8))
    test.same(items, { 1, 2, 3 })
    test.equal(err, "broken")
  end)

  it("loses nothing when its reader is cancelled", function()
    for k = 0, 12 do
      local s, got = numbers(12):buffer(3), {}
      local task = luge.spawn(function()
        for v in s do
          got[#got + 1] = v
          luge.sleep(0)
        end
      end)
      for _ = 1, k do
        luge.sleep(0)
      end
      task:cancel()
      pcall(luge.await, task)
      for v in s do
        got[#got + 1] = v
      end
      test.same(got, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, k)
    end
  end)

  it("refuses 0", function()
    local s = luge.from {}
    test.raises("invalid", s.buffer, s, 0)
  end)
end)

describe("each and reduce", function()
  it("call a function for each item, and close the stream", function()
    local got, log = {}, {}
    numbers(3, log):each(function(x) got[#got + 1] = x end)
    test.same(got, { 1, 2, 3 })
    local s = numbers(nil, log)
    test.raises(nil, s.each, s, function() error "stop" end)
    test.equal(s:next(), nil)
  end)

  it("fold", function()
    local function add(a, b)
      return a + b
    end
    test.equal(numbers(4):reduce(add, 0), 10)
    test.equal(numbers(4):reduce(add), 10)
    test.equal(numbers(0):reduce(add, "empty"), "empty")
    test.equal(numbers(0):reduce(add), nil)
    test.equal(luge.from({ 1, 2 }):reduce(function(a, b) return a and b == 1 end, true), false)
  end)

  it("raise what the stream raises, instead of a part", function()
    local s = broken(2)
    test.equal(test.raises(nil, s.collect, s), "broken")
  end)
end)

describe("a chain of operators", function()
  it("closes its source however it is left", function()
    local log = {}
    for list in numbers(nil, log):map(double):buffer(2):filter(double)
      :map(double, { concurrency = 4 }):take(100):chunk(3) do
      if #list == 3 then
        break
      end
    end
    test.ok(log.closed)
  end)

  it("may be long", function()
    local s = numbers(3)
    for _ = 1, 150 do
      s = s:map(function(x) return x + 1 end)
    end
    test.same(s:collect(), { 151, 152, 153 })
  end)

  it("is freed when nobody has it any more", function()
    local log = {}
    local function open()
      numbers(nil, log):map(double):buffer(2):map(double, { concurrency = 2 }):take(5):next()
    end
    open()
    for _ = 1, 10 do
      collectgarbage()
      settle()
    end
    test.ok(log.closed)
  end)
end)
