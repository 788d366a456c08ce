-- map: docs/tasks.md.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it

local function double(x)
  return x * 2
end

-- Calls that run at once, and the most there have been.
local function meter(seconds)
  local calls = { now = 0, most = 0 }
  function calls.fn(x)
    calls.now = calls.now + 1
    calls.most = math.max(calls.most, calls.now)
    luge.sleep(seconds or 1)
    calls.now = calls.now - 1
    return x
  end
  return calls
end

local function counter(n)
  local i = 0
  return function()
    i = i + 1
    return i <= n and i or nil
  end, function()
    return i
  end
end

describe("map", function()
  it("gives the results in the order of the items, whatever ends first", function()
    local _ <close> = test.clock()
    local results = luge.map({ 3, 1, 2 }, function(x, i)
      luge.sleep(x)
      return x .. "/" .. i, "dropped"
    end)
    test.same(results, { "3/1", "1/2", "2/3", n = 3 })
  end)

  it("counts results that are nil", function()
    test.same(luge.map({ 1, 2, 3 }, function(x) return x == 2 and x or nil end),
      { [2] = 2, n = 3 })
  end)

  it("raises `cancelled` for an item whose task was cancelled, and does not wait for it", function()
    local function leave(x)
      if x == 2 then
        luge.current():cancel()
      end
      luge.sleep(0)
      return x
    end
    for concurrency = 1, 3 do
      test.raises("cancelled", luge.map, { 1, 2, 3 }, leave, { concurrency = concurrency })
      local results = luge.map({ 1, 2, 3 }, leave,
        { concurrency = concurrency, return_errors = true })
      test.ok(luge.is_error(results[2], "cancelled"))
      test.equal(results[3], 3)
      for _, ordered in ipairs { true, false } do
        local s = luge.from({ 1, 2, 3 })
          :map(leave, { concurrency = concurrency + 1, ordered = ordered })
        test.raises("cancelled", s.collect, s)
      end
    end
  end)

  it("takes an empty list, and an iterator that ends at once", function()
    test.same(luge.map({}, double), { n = 0 })
    test.same(luge.map(function() end, double), { n = 0 })
  end)

  it("takes iterators and Streams, and closes a Stream", function()
    test.same(luge.map((counter(3)), double), { 2, 4, 6, n = 3 })
    local s = luge.from { 1, 2 }
    test.same(luge.map(s, double), { 2, 4, n = 2 })
    local endless = luge.stream(function(emit)
      while true do
        emit(1)
      end
    end)
    test.raises(nil, luge.map, endless, function() error "stop" end)
    test.equal(endless:next(), nil)
  end)

  it("runs 16 at once, or as many as `concurrency` says", function()
    local _ <close> = test.clock()
    local sixteen, three = meter(), meter()
    luge.map(counter(50), sixteen.fn)
    test.equal(sixteen.most, 16)
    luge.map((counter(50)), three.fn, { concurrency = 3 })
    test.equal(three.most, 3)
    local one = meter()
    luge.map({ 1, 2, 3 }, one.fn, { concurrency = 1 })
    test.equal(one.most, 1)
  end)

  it("reads an item only when it can start", function()
    local _ <close> = test.clock()
    local next_item, read = counter(100)
    local task = luge.spawn(luge.map, next_item, meter().fn, { concurrency = 4 })
    luge.sleep(0.5)
    test.equal(read(), 4)
    task:cancel()
  end)

  it("takes an endless iterator, until it is cancelled", function()
    local _ <close> = test.clock()
    local next_item, read = counter(math.huge)
    test.raises("timeout", luge.timeout, 10.5, luge.map, next_item, meter().fn,
      { concurrency = 2 })
    test.equal(read(), 22)
  end)

  it("waits in its iterator while others run", function()
    local _ <close> = test.clock()
    local i = 0
    local results = luge.map(function()
      luge.sleep(1)
      i = i + 1
      return i <= 3 and i or nil
    end, function(x)
      luge.sleep(2.5)
      return x
    end)
    test.same(results, { 1, 2, 3, n = 3 })
  end)

  it("raises the first error; the rest is cancelled and has ended", function()
    local _ <close> = test.clock()
    local ended, started = 0, 0
    local err = test.raises(nil, luge.map, { 5, 1, 5, 5 }, function(x)
      started = started + 1
      local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
      luge.sleep(x)
      error("item " .. x, 0)
    end, { concurrency = 3 })
    test.equal(err, "item 1")
    test.same({ started, ended }, { 3, 3 })
  end)

  it("raises what the iterator raises, while items run", function()
    local _ <close> = test.clock()
    local i = 0
    local err = test.raises(nil, luge.map, function()
      i = i + 1
      if i == 3 then
        error("no more", 0)
      end
      return i
    end, function() luge.sleep(3600) end)
    test.equal(err, "no more")
  end)

  it("is interrupted by an error while the iterator waits", function()
    local _ <close> = test.clock()
    local start, i = luge.now(), 0
    local err = test.raises(nil, luge.map, function()
      i = i + 1
      if i > 1 then
        luge.sleep(3600)
      end
      return i
    end, function()
      luge.sleep(1)
      error("early", 0)
    end)
    test.equal(err, "early")
    test.ok(luge.now() - start < 2)
  end)

  it("has errors in the places of items that failed with `return_errors`", function()
    local results = luge.map({ 1, 2, 3 }, function(x)
      luge.sleep(0)
      return x ~= 2 and x or error("two", 0)
    end, { return_errors = true })
    test.same(results, { 1, "two", 3, n = 3 })
  end)

  it("has there the error of a task that an item did not await", function()
    local results = luge.map({ 1, 2 }, function(x)
      luge.spawn(function()
        luge.sleep(0)
        return x == 2 or error("child of " .. x, 0)
      end)
      return "ok"
    end, { return_errors = true })
    test.same(results, { "child of 1", "ok", n = 2 })
  end)

  it("raises its own cancellation in spite of `return_errors`", function()
    local task = luge.spawn(luge.map, { 1, 2 }, function() luge.sleep(3600) end,
      { return_errors = true })
    luge.sleep(0)
    luge.sleep(0)
    task:cancel()
    test.raises("cancelled", luge.await, task)
  end)

  it("ends what an item has opened with the item", function()
    local closed = 0
    luge.map({ 1, 2, 3 }, function()
      local s = luge.stream(function(emit)
        local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
        while true do
          emit(1)
        end
      end)
      return s:next()
    end, { concurrency = 1 })
    test.equal(closed, 3)
  end)

  it("names the line of the script in tracebacks", function()
    local err = test.raises("io", function()
      luge.map({ 1 }, function() error(luge.error { kind = "io", message = "m" }) end)
    end)
    test.matches(err.traceback, "spawned at [^\n]*map_test.lua")
  end)

  it("refuses bad arguments and options", function()
    local function refused(pattern, ...)
      test.matches(test.raises("invalid", luge.map, ...).message, pattern)
    end
    refused("a list, an iterator or a Stream", 5, double)
    refused("a list, an iterator or a Stream", nil, double)
    refused("#1 to 'map': got a queue, takes a list", luge.queue(), double)
    refused("#2 to 'map': got nil, takes a function", {})
    refused("'concurrency'.*got 0, takes an integer from 1", {}, double, { concurrency = 0 })
    refused("'concurrency'", {}, double, { concurrency = 1.5 })
    refused('unknown option "workers".*concurrency, progress, return_errors', {}, double,
      { workers = 1 })
  end)
end)

describe("the progress bar", function()
  local render = require("luge.internal.progress").render

  it("shows how far it is", function()
    test.equal(render(0, 4), "[" .. ("."):rep(30) .. "] 0/4 0%")
    test.equal(render(3, 4), "[" .. ("#"):rep(22) .. ("."):rep(8) .. "] 3/4 75%")
    test.equal(render(4, 4), "[" .. ("#"):rep(30) .. "] 4/4 100%")
  end)

  it("counts where nobody knows how many there are", function()
    test.equal(render(7, nil), "7 done")
    test.equal(render(0, 0), "0 done")
  end)

  it("is not drawn where there is no terminal", function()
    test.same(luge.map({ 1 }, double, { progress = true }), { 2, n = 1 })
  end)
end)
