-- The operators of streams: DESIGN.md, "luge: streams".
local luge = require "luge"
local test = require "luge.test"
local support = dofile "tests/support/tasks.lua"
local describe, it = test.describe, test.it
local closing, settle = support.closing, support.settle
local paced = dofile("tests/support/streams.lua").paced

local function double(x)
  return x * 2
end

local function is_odd(x)
  return x % 2 == 1
end

-- A stream of 1 to n, or without an end, from a producer; `log` says what it
-- has emitted, and when it was closed.
local function numbers(n, log)
  log = log or {}
  return (luge.stream(function(emit)
    local _ <close> = closing(function() log.closed = true end)
    for i = 1, n or math.huge do
      log[#log + 1] = i
      emit(i)
    end
  end))
end

-- A stream that raises after so many items.
local function broken(n, err)
  return (luge.stream(function(emit)
    for i = 1, n do
      emit(i)
    end
    error(err or "broken", 0)
  end))
end

-- What a stream gives until it raises, and the error.
local function drain(s)
  local items = {}
  local ok, err = pcall(function()
    for v in s do
      items[#items + 1] = v
    end
  end)
  return items, not ok and err or nil
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

describe("tee", function()
  it("gives every branch all items", function()
    local a, b, c = numbers(5):tee(3)
    test.same({ a:collect(), b:collect(), c:collect() },
      { { 1, 2, 3, 4, 5 }, { 1, 2, 3, 4, 5 }, { 1, 2, 3, 4, 5 } })
  end)

  it("holds the fastest back when it is `buffer` items ahead", function()
    local log = {}
    local a, b = numbers(nil, log):tee(2, { buffer = 3 })
    local got = {}
    local reader = luge.spawn(function()
      for v in a do
        got[#got + 1] = v
      end
    end)
    settle()
    test.same(got, { 1, 2, 3 })
    test.equal(b:next(), 1)
    settle()
    test.same(got, { 1, 2, 3, 4 })
    b:close()
    settle()
    test.ok(#got > 4)
    reader:cancel()
    pcall(luge.await, reader)
    a:close()
    test.ok(log.closed)
  end)

  it("closes the source with the last of its branches", function()
    local log = {}
    local a, b = numbers(nil, log):tee(2)
    a:next()
    a:close()
    test.ok(not log.closed)
    test.equal(b:next(), 1)
    b:close()
    test.ok(log.closed)
  end)

  it("lets go of who waits for the slowest branch when his own is closed", function()
    local a, b = numbers(3):tee(2, { buffer = 1 })
    local reader = luge.spawn(a.collect, a)
    settle()
    a:close()
    test.same(reader:await(), { 1 })
    test.same(b:collect(), { 1, 2, 3 })
  end)

  it("goes on when the branch that reads is cancelled", function()
    local _ <close> = test.clock()
    local a, b = paced(3):tee(2)
    local first = luge.spawn(a.next, a)
    local second = luge.spawn(b.collect, b)
    luge.sleep(0.5)
    first:cancel()
    test.same(second:await(), { 1, 2, 3 })
    test.same(a:collect(), { 1, 2, 3 })
  end)

  it("raises the error of the source in each branch", function()
    local a, b = broken(1):tee(2)
    local items, err = drain(a)
    test.same({ items, err }, { { 1 }, "broken" })
    items, err = drain(b)
    test.same({ items, err }, { { 1 }, "broken" })
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

describe("merge", function()
  it("gives the items of all, as they come", function()
    local _ <close> = test.clock()
    local function every(seconds, name)
      return luge.stream(function(emit)
        for i = 1, 3 do
          luge.sleep(seconds)
          emit(name .. i)
        end
      end)
    end
    test.same(luge.merge({ every(1, "a"), every(1.4, "b") }):collect(),
      { "a1", "b1", "a2", "b2", "a3", "b3" })
  end)

  it("takes lists, iterators, and what a call returned last in a list", function()
    local called = false
    local function once()
      called = not called
      return called and 3 or nil
    end
    local got = luge.merge({ { 1, 2 }, once, numbers(2):map(double) }):collect()
    table.sort(got)
    test.same(got, { 1, 2, 2, 3, 4 })
    test.same(luge.merge({}):collect(), {})
  end)

  it("closes all with itself, and by the error of one", function()
    local logs = { {}, {} }
    local s = luge.merge { numbers(nil, logs[1]), numbers(nil, logs[2]) }
    s:next()
    s:next()
    s:close()
    test.ok(logs[1].closed and logs[2].closed)
    local log = {}
    local merged <close> = luge.merge { numbers(nil, log), broken(1) }
    local items, err = drain(merged)
    test.equal(err, "broken")
    test.ok(#items > 0)
  end)

  it("loses nothing when its reader is cancelled", function()
    for k = 0, 10 do
      local s, got = luge.merge { numbers(5), numbers(5) }, {}
      local task = luge.spawn(function()
        for v in s do
          got[#got + 1] = v
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
      table.sort(got)
      test.same(got, { 1, 1, 2, 2, 3, 3, 4, 4, 5, 5 }, k)
    end
  end)

  it("refuses what cannot be read", function()
    test.raises("invalid", luge.merge, nil)
    test.matches(test.raises("invalid", luge.merge, { {}, 5 }).message,
      "bad list for 'merge': item 2 is 5, takes a list, an iterator or a Stream")
    test.matches(test.raises("invalid", luge.merge, { first = {} }).message, "takes a list")
    test.raises("invalid", luge.merge, luge.from {})
  end)
end)

describe("zip", function()
  it("yields one value of each, and ends with the shortest", function()
    local got = {}
    for a, b, c in luge.zip { numbers(3), { "x", "y" }, luge.from { true, false, true } } do
      got[#got + 1] = { a, b, c }
    end
    test.same(got, { { 1, "x", true }, { 2, "y", false } })
  end)

  it("closes them all when it ends", function()
    local log = {}
    test.equal(#luge.zip({ { 1, 2 }, numbers(nil, log) }):collect(), 2)
    test.ok(log.closed)
  end)

  it("hands the values to the functions of its operators", function()
    local function pair()
      return (luge.zip { { 1, 2, 3 }, { "a", "b", "c" } })
    end
    test.same(pair():map(function(n, s) return s:rep(n) end):collect(), { "a", "bb", "ccc" })
    test.same({ pair():filter(function(n) return n > 1 end):next() }, { 2, "b" })
    test.same({ pair():skip(1):take(1):buffer(1):next() }, { 2, "b" })
    test.same(pair():collect(), { { 1, "a" }, { 2, "b" }, { 3, "c" } })
    test.same(pair():chunk(2):next(), { { 1, "a" }, { 2, "b" } })
    local got = {}
    pair():each(function(n, s) got[#got + 1] = n .. s end)
    test.same(got, { "1a", "2b", "3c" })
    test.equal(pair():reduce(function(text, n, s) return text .. n .. s end, ""), "1a2b3c")
  end)

  it("keeps a row that is not complete when its reader is cancelled", function()
    local _ <close> = test.clock()
    local slow = paced(3)
    local s = luge.zip { { "a", "b", "c" }, slow }
    test.raises("timeout", luge.timeout, 0.5, s.next, s)
    test.same(s:collect(), { { "a", 1 }, { "b", 2 }, { "c", 3 } })
  end)

  it("of nothing ends at once", function()
    test.same(luge.zip({}):collect(), {})
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
