-- luge.chain: composition, combinators, streams through them.
local luge = require "luge"
local chain = require "luge.chain"
local test = require "luge.test"
local describe, it = test.describe, test.it

local fails = test.raises

-- A step that streams the words of its input.
local words = chain.generator(function(input, emit)
  for text in input do
    for word in text:gmatch("%S+") do emit(word) end
  end
end)

local function collect(stream) return stream:collect() end

describe("composition", function()
  it("runs steps one after the other", function()
    local c = chain.fn(function(x) return x + 1 end) | function(x) return x * 2 end
    test.equal(c:invoke(3), 8)
    test.equal((string.upper | chain.pass()):invoke("a"), "A")
  end)

  it("is one flat list of steps", function()
    local a = chain.pass()
    local c = (a | a) | (a | a | a)
    test.equal(#c.steps, 5)
  end)

  it("makes tables parallel steps", function()
    local c = chain.pass() | { up = string.upper, twice = chain.fn(function(x) return x .. x end) }
    test.same(c:invoke("a"), { up = "A", twice = "aa" })
  end)

  it("refuses what is no step, naming it", function()
    local err = fails("invalid", function() return chain.pass() | 3 end)
    test.matches(err.message, "got 3, takes a Runnable")
    test.matches(fails("invalid", function() return chain.pass() | { a = 1 } end).message,
      "branch 'a'")
    fails("invalid", chain.fn, 1)
    fails("invalid", chain.parallel, {})
    fails("invalid", chain.branch, { chain.pass() })
  end)

  it("goes on with a Runnable that a function chose", function()
    local loud, piecewise = chain.fn(string.upper), chain.generator(function(input, emit)
      for text in input do
        for c in text:gmatch "." do emit(c) end
      end
    end)
    local c = chain.pass() | function(x) return #x > 2 and piecewise or loud end
    test.equal(c:invoke "ab", "AB")
    test.equal(c:invoke "abc", "abc")
    test.same(collect(c:stream "abc"), { "a", "b", "c" })
    test.same(collect((c | string.upper):stream "abc"), { "ABC" })
    test.equal(chain.fn(function() return chain.fn(function() return nil end) end):invoke(1), nil)
  end)

  it("refuses unknown options, listing the known", function()
    local err = fails("invalid", chain.pass().invoke, chain.pass(), 1, { tag = "a" })
    test.matches(err.message, "'tag'.*takes concurrency, metadata, name, tags, timeout")
    fails("invalid", chain.pass().batch, chain.pass(), {}, { concurrency = 0 })
  end)

  it("lets steps wait, and bounds them", function()
    local slow = chain.fn(function() luge.sleep(10) end)
    test.equal(fails("timeout", slow.invoke, slow, 1, { timeout = 0.01 }).kind, "timeout")
    local bounded = slow:timeout(0.01)
    fails("timeout", bounded.invoke, bounded, 1)
    fails("timeout", collect, bounded:stream(1))
  end)
end)

describe("fields", function()
  it("picks one, or some", function()
    local c = chain.fn(function(x) return { a = x, b = x + 1, c = 0 } end)
    test.equal(c:pick("b"):invoke(1), 2)
    test.same(c:pick("a", "c"):invoke(1), { a = 1, c = 0 })
    fails("invalid", c.pick, c)
    fails("invalid", function() return chain.pass():pick("a"):invoke(1) end)
  end)

  it("assigns", function()
    local c = chain.pass():assign {
      sum = function(t) return t.x + t.y end,
      x = function() return 9 end,
    }
    test.same(c:invoke { x = 1, y = 2 }, { x = 9, y = 2, sum = 3 })
    fails("invalid", c.invoke, c, 3)
  end)

  it("streams what is assigned and what is passed", function()
    local c = chain.pass():assign { said = chain.fn(function(t) return t.text end) | words }
    local said, passed = {}, 0
    for piece in c:stream { text = "a b c" } do
      if piece.said then said[#said + 1] = piece.said else passed = passed + 1 end
    end
    test.same(said, { "a", "b", "c" })
    test.equal(passed, 1)
  end)

  it("streams what is picked", function()
    local c = chain.parallel { a = words, b = string.upper } | chain.pass()
    test.same(collect(c:pick("a"):stream("x y")), { "x", "y" })
    test.equal((c:pick("a") | function(s) return s end):invoke("x y"), "xy")
    test.same(collect((c:pick("a") | function(s) return s end):stream("x y")), { "xy" })
  end)
end)

describe("branches", function()
  it("takes the first whose condition holds", function()
    local c = chain.branch {
      { function(x) return x > 10 end, function() return "large" end },
      { chain.fn(function(x) return x > 5 end), function() return "middle" end },
      function() return "small" end,
    }
    test.same({ c:invoke(20), c:invoke(7), c:invoke(1) }, { "large", "middle", "small" })
    test.same(collect(c:stream(7)), { "middle" })
  end)
end)

describe("streams", function()
  it("pass through steps piece by piece", function()
    local seen = {}
    local c = words | chain.generator(function(input, emit)
      for word in input do
        seen[#seen + 1] = "in " .. word
        emit(word:upper())
      end
    end)
    for piece in c:stream("a b c") do seen[#seen + 1] = "out " .. piece end
    test.same(seen, { "in a", "out A", "in b", "out B", "in c", "out C" })
  end)

  it("are whole for steps that need all", function()
    test.same(collect((words | string.upper):stream("a b")), { "AB" })
    test.equal((words | string.upper):invoke("a b"), "AB")
  end)

  it("do nothing before they are read, and close what they leave", function()
    local events = {}
    local c = chain.generator(function(_, emit)
      events[#events + 1] = "begun"
      local _ <close> = setmetatable({}, {
        __close = function() events[#events + 1] = "closed" end,
      })
      for i = 1, 1000 do emit(i) end
    end)
    local s <close> = (c:stream(1))
    test.same(events, {})
    for _ in c:stream(1) do break end -- luacheck: ignore 512
    test.same(events, { "begun", "closed" })
    s:close()
    test.same(events, { "begun", "closed" })
  end)

  it("keep backpressure: a producer is not ahead of its consumer", function()
    local made = 0
    local c = chain.generator(function(_, emit)
      for i = 1, 100 do
        made = i
        emit(i)
      end
    end) | chain.generator(function(input, emit)
      for i in input do emit(i) end
    end)
    local read = 0
    for _ in c:stream(1) do
      read = read + 1
      test.ok(made - read <= 1, "ahead by " .. made - read)
      if read == 10 then break end
    end
    test.ok(made <= 11)
  end)

  it("raise where the error is, after the pieces before it", function()
    local c = words | chain.generator(function(input, emit)
      for word in input do
        if word == "bad" then error("no") end
        emit(word)
      end
    end)
    local got = {}
    local ok, err = pcall(function()
      for piece in c:stream("a b bad c") do got[#got + 1] = piece end
    end)
    test.ok(not ok)
    test.matches(tostring(err), "no")
    test.same(got, { "a", "b" })
  end)

  it("transform other streams", function()
    test.same(collect(words:transform(luge.from { "a b", "c" })), { "a", "b", "c" })
    test.same(collect(words:transform { "a b" }), { "a", "b" })
    fails("invalid", words.transform, words, 3)
  end)

  it("may be read under a deadline that ends before them", function()
    local c = (chain.fn(function(x) return x end) | words):fallback { words }
    local s <close> = (c:stream("a b"))
    test.equal(luge.timeout(1, s.next, s), "a")
    test.equal(s:next(), "b")
    test.equal(s:next(), nil)
  end)
end)

describe("parallel steps", function()
  it("run at the same time", function()
    local running, most = 0, 0
    local function step()
      running = running + 1
      most = math.max(most, running)
      luge.sleep(0.01)
      running = running - 1
      return true
    end
    local out = chain.parallel { a = step, b = step, c = step }:invoke(1)
    test.same(out, { a = true, b = true, c = true })
    test.equal(most, 3)
  end)

  it("cancel the others on the first error", function()
    local cancelled = false
    local c = chain.parallel {
      a = function()
        luge.sleep(0.001)
        error(luge.error { kind = "io", message = "broken" })
      end,
      b = function()
        local ok, err = pcall(luge.sleep, 10)
        cancelled = not ok and luge.is_error(err, "cancelled")
        error(err)
      end,
    }
    fails("io", c.invoke, c, 1)
    test.ok(cancelled)
    cancelled = false
    fails("io", collect, c:stream(1))
    test.ok(cancelled)
  end)

  it("stream pieces by key, as they come", function()
    local c = chain.parallel { fast = words, slow = function(x)
      luge.sleep(0.01)
      return x
    end }
    local _ <close> = test.clock()
    local order = {}
    for piece in c:stream("a b") do
      local key, value = next(piece)
      order[#order + 1] = key .. "=" .. value
    end
    test.same(order, { "fast=a", "fast=b", "slow=a b" })
  end)

  it("share one stream of input", function()
    local reads = 0
    local counted = chain.generator(function(input, emit)
      for text in input do
        reads = reads + 1
        emit(text .. " x")
      end
    end)
    local c = counted | { a = words, b = string.upper }
    test.same(c:invoke("q"), { a = "qx", b = "Q X" })
    reads = 0
    local seen = {}
    for piece in c:stream("q") do
      local key, value = next(piece)
      seen[#seen + 1] = key .. value
    end
    table.sort(seen)
    test.same(seen, { "aq", "ax", "bQ X" })
    test.equal(reads, 1)
  end)
end)

describe("retry and fallback", function()
  it("falls back when a step fails", function()
    local tried = {}
    local function failing(name)
      return chain.fn(function()
        tried[#tried + 1] = name
        error(luge.error { kind = "io", message = name })
      end)
    end
    local c = failing("a"):fallback { failing("b"), string.upper }
    test.equal(c:invoke("x"), "X")
    test.same(tried, { "a", "b" })
    local none = failing("a"):fallback { failing("b") }
    local err = fails("io", none.invoke, none, "x")
    test.equal(err.message, "b")
    test.equal(err.errors[1].message, "a")
    local nested = failing("a"):fallback { failing("b"):fallback { failing "c" } }
    local messages = {}
    for i, one in ipairs(fails("io", nested.invoke, nested, "x").errors) do
      messages[i] = one.message
    end
    test.same(messages, { "a", "b" })
    fails("invalid", c.fallback, c, {})
  end)

  it("tries again, as luge.retry does", function()
    local calls = 0
    local flaky = chain.fn(function(x)
      calls = calls + 1
      if calls < 3 then error(luge.error { kind = "network", message = "" }) end
      return x
    end):retry { attempts = 3, wait = 0 }
    test.equal(flaky:invoke(7), 7)
    test.equal(calls, 3)
    calls = 0
    test.same((flaky:stream(8)):collect(), { 8 })
    test.equal(calls, 3)
    calls = 0
    local short = flaky:retry { attempts = 1 }
    test.equal(short:invoke(9), 9)
    fails("invalid", flaky.retry, flaky, 3)
    test.matches(fails("invalid", flaky.retry, flaky, { atempts = 3 }).message, "atempts")
    fails("invalid", flaky.retry, flaky, { attempts = 0 })
  end)

  it("tries a stream again until the first piece", function()
    local calls = 0
    local c = chain.generator(function(_, emit)
      calls = calls + 1
      if calls < 2 then error(luge.error { kind = "network", message = "" }) end
      emit("a")
      error(luge.error { kind = "network", message = "late" })
    end):retry { wait = 0 }
    local got = {}
    fails("network", function()
      for piece in c:stream(1) do got[#got + 1] = piece end
    end)
    test.same(got, { "a" })
    test.equal(calls, 2)
  end)

  it("judges a stream's output as a whole", function()
    local calls = 0
    local c = chain.generator(function(_, emit)
      calls = calls + 1
      emit("a" .. calls)
      emit("b")
    end):retry { wait = 0, until_result = function(text) return text == "a2b" end }
    test.same(collect(c:stream(1)), { "a2b" })
    test.equal(calls, 2)
  end)

  it("falls back until the first piece, never after", function()
    local function breaking(after)
      return chain.generator(function(_, emit)
        for i = 1, after do emit("p" .. i) end
        error(luge.error { kind = "io", message = "broken" })
      end)
    end
    local other = chain.generator(function(_, emit) emit("other") end)
    test.same(collect(breaking(0):fallback({ other }):stream(1)), { "other" })
    local got = {}
    fails("io", function()
      for piece in breaking(2):fallback({ other }):stream(1) do got[#got + 1] = piece end
    end)
    test.same(got, { "p1", "p2" })
  end)

  it("does not take a cancellation for a failure", function()
    local called = false
    local c = chain.fn(function() luge.sleep(10) end):fallback { function() called = true end }
    fails("timeout", luge.timeout, 0.01, c.invoke, c, 1)
    test.ok(not called)
  end)
end)

describe("options, hooks, caches", function()
  it("binds options of functions", function()
    local c = chain.fn(function(x, options) return x * options.by end):bind { by = 3 }
    test.equal(c:invoke(2), 6)
    local seq = chain.pass() | chain.pass()
    test.matches(fails("invalid", seq.bind, seq, {}).message, "bind those of its steps")
  end)

  it("tells functions of each run", function()
    local told = {}
    local c = (words | string.upper):with {
      name = "shout", tags = { "t" },
      on_start = function(input, info) told[#told + 1] = info.name .. " " .. input end,
      on_end = function(output) told[#told + 1] = "end " .. output end,
      on_error = function(err) told[#told + 1] = "error " .. tostring(err) end,
    }
    c:invoke("a b")
    collect(c:stream("c d"))
    test.same(told, { "shout a b", "end AB", "shout c d", "end CD" })
    told = {}
    pcall(c.invoke, c, 3)
    test.equal(#told, 2)
    test.matches(told[2], "^error")
    fails("invalid", c.with, c, { names = "x" })
  end)

  it("computes an output once for each input", function()
    local calls = 0
    local c = chain.fn(function(t)
      calls = calls + 1
      luge.sleep(0.001)
      return { sum = t.a + t.b }
    end):cache()
    test.same(c:invoke { a = 1, b = 2 }, { sum = 3 })
    test.same(c:invoke { b = 2, a = 1 }, { sum = 3 })
    test.equal(calls, 1)
    c:batch({ { a = 5, b = 5 }, { a = 5, b = 5 }, { a = 5, b = 5 } })
    test.equal(calls, 2)
    fails("invalid", c.cache, c, 3)
    fails("invalid", c.invoke, c, print)
  end)

  it("keeps no failure", function()
    local calls, store = 0, {}
    local c = chain.fn(function(x)
      calls = calls + 1
      if calls == 1 then error("once") end
      return x
    end):cache(store)
    test.ok(not pcall(c.invoke, c, 1))
    test.equal(c:invoke(1), 1)
    test.equal(c:invoke(1), 1)
    test.equal(calls, 2)
    test.equal(store["1"], "1")
  end)
end)

describe("graphs", function()
  it("are drawn", function()
    local c = chain.fn(string.upper) | { a = chain.pass(), b = words }
    local mermaid = c:graph():mermaid()
    test.matches(mermaid, "^graph TD\n")
    test.matches(mermaid, 'n3 %-%- "a" %-%-> n4')
    test.matches(mermaid, "n1 %-%-> n2")
    test.matches(c:graph():ascii(), "| parallel |")
    local graph = chain.pass():with { name = 'a\n"b" <c>\xff' }:graph()
    test.matches(graph:mermaid(), 'n2%["pass %(a#10;#34;b#34; #60;c#62;\xff%)"%]')
    test.matches(graph:ascii(), '\n| pass %(a "b" <c>\xff%) |\n')
  end)
end)
