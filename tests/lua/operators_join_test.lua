-- Operators that make one stream of several, or several of one:
-- docs/streams.md.
local luge = require "luge"
local test = require "luge.test"
local streams = dofile "tests/support/streams.lua"
local describe, it = test.describe, test.it
local settle = dofile("tests/support/tasks.lua").settle
local numbers, broken, drain, paced = streams.numbers, streams.broken, streams.drain, streams.paced

local function double(x)
  return x * 2
end

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
