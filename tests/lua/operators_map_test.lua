-- map and filter, of streams: docs/streams.md.
local luge = require "luge"
local test = require "luge.test"
local streams = dofile "tests/support/streams.lua"
local describe, it = test.describe, test.it
local settle = dofile("tests/support/tasks.lua").settle
local numbers, broken, drain = streams.numbers, streams.broken, streams.drain

local function double(x)
  return x * 2
end

local function is_odd(x)
  return x % 2 == 1
end

describe("map and filter", function()
  it("apply their functions", function()
    test.same(numbers(4):map(double):collect(), { 2, 4, 6, 8 })
    test.same(numbers(5):filter(is_odd):collect(), { 1, 3, 5 })
    test.same(numbers(6):filter(is_odd):map(double):filter(function(x) return x > 2 end)
      :collect(), { 6, 10 })
  end)

  it("carry false", function()
    test.same(luge.from({ 1, 2 }):map(function() return false end):collect(), { false, false })
  end)

  it("use functions that may wait", function()
    local _ <close> = test.clock()
    test.same(numbers(3):map(function(x)
      luge.sleep(1)
      return x
    end):collect(), { 1, 2, 3 })
  end)

  it("read no item ahead", function()
    local log = {}
    local s = numbers(nil, log):map(double):filter(function() return true end)
    s:next()
    settle()
    test.same(log, { 1 })
    s:close()
    test.ok(log.closed)
  end)

  it("refuse results that are nil", function()
    local s = numbers(3):map(function() end)
    test.matches(test.raises("invalid", s.next, s).message, "returned nil")
    s:close()
  end)

  it("keep an item whose function was cancelled for the next call", function()
    local _ <close> = test.clock()
    local s = numbers(3):map(function(x)
      luge.sleep(1)
      return x
    end)
    test.raises("timeout", luge.timeout, 0.5, s.next, s)
    test.same(s:collect(), { 1, 2, 3 })
  end)

  it("keep an item whose function raised", function()
    local fails = true
    local s = numbers(2):filter(function()
      if fails then
        error("not now", 0)
      end
      return true
    end)
    test.equal(test.raises(nil, s.next, s), "not now")
    test.equal(test.raises(nil, s.next, s), "not now")
    fails = false
    test.same(s:collect(), { 1, 2 })
  end)

  it("let one reader in at a time, in the order in which they ask", function()
    local _ <close> = test.clock()
    local inside, most = 0, 0
    local s = numbers(6):map(function(x)
      inside = inside + 1
      most = math.max(most, inside)
      luge.sleep(1)
      inside = inside - 1
      return x
    end)
    local got = {}
    local function reader(name)
      return function()
        for v in s do
          got[#got + 1] = name .. v
        end
      end
    end
    luge.gather { reader "a", reader "b" }
    test.equal(most, 1)
    test.same(got, { "a1", "b2", "a3", "b4", "a5", "b6" })
  end)

  it("pass on the error of the source, after the items before it", function()
    local items, err = drain(broken(2):map(double))
    test.same(items, { 2, 4 })
    test.equal(err, "broken")
  end)

  it("refuse functions that read their own stream", function()
    local s
    s = numbers(3):map(function() return s:next() end)
    test.matches(test.raises("invalid", s.next, s).message, "reads that stream")
    s:close()
  end)

  it("give the turn of one who waits and is cancelled to the next", function()
    local _ <close> = test.clock()
    local s = numbers(3):map(function(x)
      luge.sleep(1)
      return x
    end)
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = luge.spawn(s.next, s)
    end
    luge.sleep(0.5)
    test.equal(tasks[2]:waiting_for(), "its turn to read a stream")
    tasks[2]:cancel()
    test.same({ tasks[1]:await(), tasks[3]:await() }, { 1, 2 })
    s:close()
  end)

  it("refuse bad arguments", function()
    local s = luge.from {}
    test.raises("invalid", s.map, s, nil)
    test.raises("invalid", s.filter, s, 1)
    test.matches(test.raises("invalid", s.map, s, double, { concurency = 2 }).message,
      "concurrency, ordered")
    test.raises("invalid", s.map, s, double, { concurrency = 0 })
  end)
end)

describe("map with concurrency", function()
  local function slow(x)
    luge.sleep(x == 1 and 5 or 1)
    return x * 10
  end

  it("gives results in the order of the items", function()
    local _ <close> = test.clock()
    local start = luge.now()
    test.same(numbers(6):map(slow, { concurrency = 3 }):collect(), { 10, 20, 30, 40, 50, 60 })
    test.ok(luge.now() - start < 8, luge.now() - start)
  end)

  it("gives them as they come with `ordered = false`", function()
    local _ <close> = test.clock()
    local got = numbers(4):map(slow, { concurrency = 2, ordered = false }):collect()
    test.same(got, { 20, 30, 40, 10 })
  end)

  for _, ordered in ipairs { true, false } do
    local name = ordered and " (ordered)" or " (unordered)"
    local function options(n)
      return { concurrency = n, ordered = ordered }
    end

    it("works on that many at once, and reads no further" .. name, function()
      local _ <close> = test.clock()
      local log, now, most = {}, 0, 0
      local s = numbers(nil, log):map(function(x)
        now = now + 1
        most = math.max(most, now)
        luge.sleep(1)
        now = now - 1
        return x
      end, options(3))
      s:next()
      luge.sleep(10)
      test.equal(most, 3)
      test.ok(#log <= 5, #log)
      s:close()
      test.ok(log.closed)
    end)

    it("raises what a function raises" .. name, function()
      local _ <close> = test.clock()
      local s = numbers(nil):map(function(x)
        luge.sleep(1)
        return x ~= 3 and x or error("three", 0)
      end, options(2))
      local items, err = drain(s)
      test.same(items, { 1, 2 })
      test.equal(err, "three")
      s:close()
    end)

    it("raises what the source raises" .. name, function()
      local _ <close> = test.clock()
      local s = broken(3):map(function(x)
        luge.sleep(ordered and 1 or 0)
        return x
      end, options(8))
      local items, err = drain(s)
      test.equal(err, "broken")
      test.ok(not ordered or #items == 3)
    end)

    it("refuses results that are nil" .. name, function()
      local s = numbers(3):map(function() end, options(2))
      test.raises("invalid", s.next, s)
      s:close()
    end)

    it("loses nothing when the reader is cancelled" .. name, function()
      local _ <close> = test.clock()
      local s, got = numbers(10):map(slow, options(3)), {}
      while #got < 10 do
        pcall(luge.timeout, 0.7, function()
          for v in s do
            got[#got + 1] = v
          end
        end)
      end
      table.sort(got)
      test.same(got, { 10, 20, 30, 40, 50, 60, 70, 80, 90, 100 })
      test.equal(s:next(), nil)
    end)
  end

  it("reports no error of an item when it is closed, at whatever moment", function()
    for k = 1, 12 do
      local s = numbers(3):map(function()
        luge.sleep(0)
        error("dropped", 0)
      end, { concurrency = 2 })
      local reader = luge.spawn(pcall, s.next, s)
      for _ = 1, k do
        luge.sleep(0)
      end
      pcall(s.close, s) -- the producer may be about to fail
      reader:await()
    end
    collectgarbage() -- what nobody has got is reported now
  end)

  it("delivers what came before an error of the source", function()
    local _ <close> = test.clock()
    local items, err = drain(broken(3):map(slow, { concurrency = 2 }))
    test.same(items, { 10, 20, 30 })
    test.equal(err, "broken")
  end)
end)
