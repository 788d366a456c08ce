-- luge.chain: batches.
local luge = require "luge"
local chain = require "luge.chain"
local fs = require "luge.fs"
local log = require "luge.log"
local process = require "luge.process"
local test = require "luge.test"
local describe, it = test.describe, test.it

local batch_memory = dofile "tests/support/batch_memory.lua"
local random_batches = dofile "tests/support/random_batches.lua"

-- Builds for finding bugs are slow. More of both: tests/lua/long.
local PATIENT = require("luge.native.testrun").patience > 1
local INPUTS, SCHEDULES = PATIENT and 10000 or 100000, PATIENT and 500 or 10000

local double = chain.fn(function(x) return x * 2 end)

describe("batch", function()
  it("gives each output at the place of its input", function()
    local c = chain.fn(function(x)
      luge.sleep((5 - x) * 0.002)
      return x * x
    end)
    local out = c:batch { 1, 2, 3, 4 }
    test.same({ table.unpack(out, 1, out.n) }, { 1, 4, 9, 16 })
    test.equal(out.n, 4)
    test.equal(double:batch({}).n, 0)
  end)

  it("takes nils where a list says how long it is", function()
    local shown = chain.fn(function(x) return tostring(x) end)
    local outputs = chain.fn(function(x) return x ~= 2 and x or nil end):batch { 1, 2, 3 }
    test.same(shown:batch(outputs), { "1", "nil", "3", n = 3 })
    test.same(shown:batch({ nil, "b", n = 2 }), { "nil", "b", n = 2 })
    test.same(shown:batch({ 1, nil, 3 }), { "1", n = 1 })
    test.same(shown:map():invoke(outputs), { "1", "nil", "3" })
  end)

  it("of an endless input can be left at any time", function()
    for _, last in ipairs { 3, 10, 63, 64, 100 } do
      local i = 0
      local function more()
        i = i + 1
        return i
      end
      for index in double:batch_as_completed(more, { concurrency = 4 }) do
        if index >= last then break end
      end
      test.ok(i <= last + 8)
    end
  end)

  it("holds the limit over the whole pipeline", function()
    local inside, most = 0, 0
    local c = chain.fn(function(x)
      inside = inside + 1
      most = math.max(most, inside)
      luge.sleep(0.001)
      return x
    end) | function(x)
      luge.sleep(0.001)
      inside = inside - 1
      return x
    end
    c:batch({ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { concurrency = 3 })
    test.equal(most, 3)
    most = 0
    c:with({ concurrency = 2 }):batch({ 1, 2, 3, 4, 5 })
    test.equal(most, 2)
  end)

  it("has no barrier between steps", function()
    local last_of_first, order = nil, {}
    local c = chain.fn(function(x)
      if x == 2 then luge.sleep(0.02) end
      return x
    end) | function(x)
      order[#order + 1] = x
      last_of_first = x
      return x
    end
    c:batch { 2, 1 }
    test.same(order, { 1, 2 })
    test.equal(last_of_first, 2)
  end)

  it("reads inputs only when there is somebody to take them", function()
    local read, done = 0, 0
    local function inputs()
      read = read + 1
      test.ok(read - done <= 5, "read ahead: " .. read - done)
      return read <= 50 and read or nil
    end
    local c = chain.fn(function(x)
      luge.sleep(0)
      done = done + 1
      return x
    end)
    local out = c:batch(inputs, { concurrency = 4 })
    test.equal(out.n, 50)
    for i = 1, 50 do test.equal(out[i], i) end
  end)

  it("reads iterators that wait, one at a time", function()
    local inside, i = false, 0
    local out = double:batch(function()
      test.ok(not inside)
      inside = true
      luge.sleep(0.001)
      inside = false
      i = i + 1
      return i <= 6 and i or nil
    end)
    test.equal(out.n, 6)
    test.equal(out[6], 12)
  end)

  it("reads streams, and closes them when it fails", function()
    local closed = false
    local s = (luge.stream(function(emit)
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      for n = 1, math.huge do emit(n) end
    end))
    local c = chain.fn(function(x)
      if x == 3 then error(luge.error { kind = "io", message = "three" }) end
      luge.sleep(0)
      return x
    end)
    local ok, err = pcall(c.batch, c, s, { concurrency = 2 })
    test.ok(not ok)
    test.equal(err.kind, "io")
    test.ok(closed)
  end)

  it("cancels the rest on the first error", function()
    local ended = 0
    local c = chain.fn(function(x)
      if x == 1 then
        luge.sleep(0.005)
        error("first")
      end
      local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
      luge.sleep(10)
    end)
    local ok, err = pcall(c.batch, c, { 1, 2, 3 })
    test.ok(not ok)
    test.matches(tostring(err), "first")
    test.equal(ended, 2)
  end)

  it("returns errors in their places", function()
    local c = chain.fn(function(x)
      if x % 2 == 0 then error(luge.error { kind = "io", message = "even " .. x }) end
      return x
    end)
    local out = c:batch({ 1, 2, 3, 4 }, { return_errors = true })
    test.equal(out[1], 1)
    test.equal(out[2].message, "even 2")
    test.equal(out[3], 3)
    test.ok(luge.is_error(out[4], "io"))
  end)

  it("ends when it is cancelled, also with return_errors", function()
    local c = chain.fn(function() luge.sleep(10) end)
    local n = 0
    local ok, err = pcall(luge.timeout, 0.01, c.batch, c, function()
      n = n + 1
      return n
    end, { return_errors = true, concurrency = 2 })
    test.ok(not ok)
    test.equal(err.kind, "timeout")
    test.ok(n <= 3)
  end)

  it("bounds each item", function()
    local c = chain.fn(function(x)
      luge.sleep(x)
      return x
    end)
    local _ <close> = test.clock()
    local out = c:batch({ 0, 10 }, { timeout = 1, return_errors = true })
    test.equal(out[1], 0)
    test.ok(luge.is_error(out[2], "timeout"))
  end)

  it("refuses what is no list", function()
    local ok, err = pcall(double.batch, double, 3)
    test.ok(not ok)
    test.equal(err.kind, "invalid")
  end)
end)

describe("batch_as_completed", function()
  it("gives outputs as they come, with their index", function()
    local c = chain.fn(function(x)
      luge.sleep(x)
      return x
    end)
    local _ <close> = test.clock()
    local order = {}
    for index, output in c:batch_as_completed { 2, 0, 1 } do
      order[#order + 1] = index
      test.equal(output, ({ 2, 0, 1 })[index])
    end
    test.same(order, { 2, 3, 1 })
  end)

  it("cancels the rest when the loop is left", function()
    local running = 0
    local c = chain.fn(function(x)
      running = running + 1
      local _ <close> = setmetatable({}, { __close = function() running = running - 1 end })
      luge.sleep(x)
      return x
    end)
    for _ in c:batch_as_completed { 0, 10, 10 } do break end -- luacheck: ignore 512
    test.equal(running, 0)
  end)

  it("does not run ahead of a slow reader", function()
    local done = 0
    local c = chain.fn(function(x)
      done = done + 1
      return x
    end)
    local read = 0
    for _ in c:batch_as_completed(function() return 1 end, { concurrency = 2 }) do
      read = read + 1
      luge.sleep(0)
      test.ok(done - read <= 3, "ahead by " .. done - read)
      if read == 30 then break end
    end
  end)
end)

describe("memory", function()
  it("does not grow with inputs that are made as they are read", function()
    local more = batch_memory(INPUTS, 8, function(i) return { n = i } end)
    test.ok(more < 200, more .. " KiB more")
  end, { timeout = 120 })
end)

describe("map", function()
  it("sends a list through, item by item", function()
    test.same((chain.pass() | double:map()):invoke { 1, 2, 3 }, { 2, 4, 6 })
  end)

  it("keeps to the concurrency of its call, or its own", function()
    local inside, most = 0, 0
    local step = chain.fn(function(x)
      inside = inside + 1
      most = math.max(most, inside)
      luge.sleep(0.001)
      inside = inside - 1
      return x
    end)
    local items = {}
    for i = 1, 30 do items[i] = i end
    local function most_of(fn)
      most = 0
      fn()
      return most
    end
    local c = chain.pass() | step:map()
    local own = chain.pass() | step:with({ concurrency = 5 }):map()
    test.equal(most_of(function() c:invoke(items) end), 16)
    test.equal(most_of(function() c:invoke(items, { concurrency = 3 }) end), 3)
    test.equal(most_of(function() (c:stream(items, { concurrency = 4 })):collect() end), 4)
    test.equal(most_of(function() (c:transform({ items }, { concurrency = 2 })):collect() end), 2)
    test.equal(most_of(function() own:invoke(items, { concurrency = 3 }) end), 5)
    local calls = chain.fn(function(list) return step:batch(list).n end)
    test.equal(most_of(function() calls:invoke(items, { concurrency = 7 }) end), 7)
    test.equal(most_of(function() c:batch({ items }, { concurrency = 2 }) end), 16)
  end)
end)

describe("random schedules", function()
  it("keep order and count", function()
    random_batches(1, SCHEDULES)
  end, { timeout = 120 })
end)

describe("checkpoints", function()
  local path

  test.before_each(function() path = os.tmpname() end)
  test.after_each(function() os.remove(path) end)

  local function read()
    local file <close> = assert(io.open(path, "rb"))
    return file:read("a")
  end

  local function write(text)
    local file <close> = assert(io.open(path, "wb"))
    file:write(text)
  end

  it("skip what is done", function()
    local calls = {}
    local c = chain.fn(function(x)
      if x.n == 3 and #calls == 2 then error("stop") end
      calls[#calls + 1] = x.n
      return { square = x.n * x.n, list = {} }
    end)
    local inputs = { { n = 1 }, { n = 2 }, { n = 3 } }
    test.ok(not pcall(c.batch, c, inputs, { checkpoint = path, concurrency = 1 }))
    calls[#calls + 1] = "again"
    local out = c:batch(inputs, { checkpoint = path, concurrency = 1 })
    test.same(calls, { 1, 2, "again", 3 })
    test.same({ out[1].square, out[2].square, out[3].square }, { 1, 4, 9 })
    test.same(c:batch(inputs, { checkpoint = path }), out)
    test.equal(#calls, 4)
  end)

  it("tell equal inputs apart", function()
    local n = 0
    local c = chain.fn(function()
      n = n + 1
      return n
    end)
    test.same(c:batch({ "x", "x", "x" }, { checkpoint = path }), { 1, 2, 3, n = 3 })
    test.same(c:batch({ "x", "x", "x", "x" }, { checkpoint = path }), { 1, 2, 3, 4, n = 4 })
  end)

  it("drop a line that was cut, wherever", function()
    double:batch({ 1, 2 }, { checkpoint = path })
    local whole = read()
    local first = whole:match("^[^\n]*\n")
    local level = log.level "off" -- each is told there
    for length = #first, #whole - 1 do
      write(whole:sub(1, length))
      local out = double:batch({ 1, 2 }, { checkpoint = path, concurrency = 1 })
      test.same(out, { 2, 4, n = 2 })
      test.equal(read(), whole)
    end
    log.level(level)
  end)

  -- A process that works on the batch until it is killed, and stops before that:
  -- it may be quicker than who reads its output, and so knows what was done.
  local function work(kill_after)
    local script <close> = fs.temp()
    script:write [[
      local path, left = ..., tonumber((select(2, ...))) or math.huge
      local chain, luge = require "luge.chain", require "luge"
      local c = chain.fn(function(i)
        luge.sleep(i % 3 * 0.0005)
        left = left - 1
        if left < 0 then luge.sleep(60) end
        print("did " .. i)
        return { square = i * i }
      end)
      local inputs = {}
      for i = 1, 200 do inputs[i] = i end
      local out = c:batch(inputs, { checkpoint = path, concurrency = 8 })
      for i = 1, 200 do assert(out[i].square == i * i) end
      print "whole"]]
    local child <close> = process.spawn { os.getenv "LUGE", script.path, path, kill_after
      and tostring(kill_after) }
    local done, whole = 0, false
    for line in child.stdout:lines() do
      whole = whole or line == "whole"
      if line:find "^did" then done = done + 1 end
      if done == kill_after then child:kill "SIGKILL" end
    end
    return done, whole
  end

  it("go on after the process was killed", function()
    local done, runs = 0, 0
    local now, whole
    repeat
      now, whole = work(math.random(5, 60))
      done, runs = done + now, runs + 1
    until whole
    test.ok(runs > 2, "was killed but once")
    -- What was under way, and not yet in the file, is done again; the last lines
    -- of a process that was killed may be lost.
    test.ok(done >= 200 - 8 * runs and done <= 200 + 60 * runs, done .. " in " .. runs .. " runs")
    test.equal(select(2, read():gsub("\n", "")), 200)
    local again, at_once = work()
    test.ok(at_once)
    test.equal(again, 0)
  end, { timeout = 30 })

  it("refuse a file that is damaged elsewhere", function()
    write('{"input":"1","output":2}\ngarbage\n{"input":"2","output":4}\n')
    local ok, err = pcall(double.batch, double, { 1 }, { checkpoint = path })
    test.ok(not ok)
    test.equal(err.kind, "parse")
    test.equal(err.line, 2)
  end)
end)
