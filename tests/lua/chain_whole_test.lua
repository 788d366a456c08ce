-- luge.chain: what a stream adds up to is what `invoke` gives, also where there
-- is nothing to give; and what is left early is closed.
local luge = require "luge"
local chain = require "luge.chain"
local test = require "luge.test"
local describe, it = test.describe, test.it

local pass = chain.pass

local function nothing() return nil end

-- The joined pieces: a function gets its whole input.
local function whole(c, input)
  return (c | function(x) return { x } end):stream(input):collect()[1][1]
end

describe("the pieces of a stream", function()
  it("add up to what invoke gives", function()
    local cases = {
      { chain.parallel { a = nothing }, "x", {} },
      { chain.parallel { a = nothing, b = nothing }, "x", {} },
      { chain.parallel { a = chain.parallel { b = nothing } }, "x", { a = {} } },
      { pass():pick("a", "b"), { c = 1 }, {} },
      { pass():pick("a", "b"), { b = false }, { b = false } },
      { pass():pick "a", { c = 1 }, nil },
      { pass():pick("a", "b"):pick "a", { c = 1 }, nil },
      { pass():assign { a = nothing }, { a = 1, b = 2 }, { b = 2 } },
      { pass():assign { a = nothing }, {}, {} },
      { pass():assign { a = nothing }, { a = 1 }, {} },
      { chain.parallel { a = nothing } | function(t) return t.a == nil end, "x", true },
    }
    for _, case in ipairs(cases) do
      local c, input, expected = case[1], case[2], case[3]
      test.same(c:invoke(input), expected)
      test.same(whole(c, input), expected)
    end
  end)

  it("end in an error where invoke raises one: of nil nothing is picked", function()
    local none = chain.fn(nothing)
    for _, c in ipairs { none:pick "a", none:pick("a", "b"), none:assign { a = nothing } } do
      test.matches(test.raises("invalid", c.invoke, c, 1).message, "the input is nil")
      test.matches(test.raises("invalid", whole, c, 1).message, "the input is nil")
      test.same(c:fallback { function() return "other" end }:stream(1):collect(), { "other" })
    end
  end)
end)

describe("a stream that is left", function()
  it("closes what it was put behind, begun or not", function()
    for pieces = 0, 1 do
      local closed = false
      local source = luge.stream(function(emit)
        local _ <close> = setmetatable({}, { __close = function() closed = true end })
        emit "a"
        emit "b"
      end)
      test.equal(source:next(), "a")
      local passed = pass():transform(source)
      for _ = 1, pieces do test.equal(passed:next(), "b") end
      passed:close()
      test.ok(closed)
    end
  end)
end)

describe("a map", function()
  it("loses nothing behind a nil", function()
    local odd = chain.fn(function(x) return x % 2 == 1 and x or nil end):map()
    test.same(odd:invoke { 1, 2, 3, 4 }, { 1, nil, 3, n = 4 })
    test.same((odd | chain.fn(tostring):map()):invoke { 1, 2 }, { "1", "nil" })
    test.same(odd:invoke { 1, 3 }, { 1, 3 })
  end)

  it("reads what a batch reads, and closes it", function()
    local closed = false
    local source = luge.stream(function(emit)
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      for i = 1, 9 do emit(i) end
    end)
    local c = chain.fn(function() error("broken", 0) end):map()
    test.ok(not pcall(c.invoke, c, source))
    test.ok(closed)
    local i = 0
    test.same(pass():map():invoke(function()
      i = i + 1
      return i < 3 and i or nil
    end), { 1, 2 })
  end)
end)

describe("a default concurrency", function()
  it("is that of what is put around it, too", function()
    local now, most = 0, 0
    local c = chain.fn(function(x)
      now = now + 1
      most = math.max(most, now)
      luge.sleep(0)
      now = now - 1
      return x
    end):with { concurrency = 2 }
    local inputs = {}
    for i = 1, 20 do inputs[i] = i end
    for _, around in ipairs { c:retry(), c:timeout(60), c:cache(), c:with { name = "x" } } do
      most = 0
      around:batch(inputs)
      test.equal(most, 2)
    end
  end)
end)

describe("mistakes", function()
  it("are told of methods that are called with a dot", function()
    for _, name in ipairs { "invoke", "batch", "map", "retry", "cache", "graph", "pick" } do
      for _, self in ipairs { 5, "text", {} } do
        test.matches(test.raises("invalid", pass()[name], self).message,
          name .. ": called on .*with a colon")
      end
      test.raises("invalid", pass()[name], nil)
    end
  end)

  it("are told of a branch without a default", function()
    local function yes() return true end
    local err = test.raises("invalid", chain.branch, { { yes, pass() }, { yes, pass() } })
    test.matches(err.message, "takes the default")
  end)

  it("are told of keys that are nil", function()
    test.raises("invalid", function() return pass():pick("a", nil) end)
  end)
end)
