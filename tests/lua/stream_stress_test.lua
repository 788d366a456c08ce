-- Random chains of operators, read by tasks that are cancelled at random: what
-- comes out must be exactly what the same functions make of a list. A failure
-- names its seed.
local luge = require "luge"
local test = require "luge.test"
local generator = dofile "tests/support/generator.lua"
local patience = require("luge.native.testrun").patience

local SEEDS = patience > 1 and 40 or 300
local ITEMS = 40

local function pause(random)
  local n = random(4)
  if n > 1 then
    luge.sleep(n == 2 and 0 or random(10) / 10)
  end
end

-- Operators, each with what it does to a list.
local operators = {
  function(s, list, random)
    local out = {}
    for i, v in ipairs(list) do
      out[i] = v + 1
    end
    return s:map(function(v)
      pause(random)
      return v + 1
    end), out
  end,
  function(s, list, random)
    local out = {}
    for i, v in ipairs(list) do
      out[i] = v * 3
    end
    return s:map(function(v)
      pause(random)
      return v * 3
    end, { concurrency = random(5) + 1 }), out
  end,
  function(s, list, random)
    local out = {}
    for _, v in ipairs(list) do
      out[#out + 1] = v % 5 ~= 0 and v or nil
    end
    return s:filter(function(v)
      pause(random)
      return v % 5 ~= 0
    end), out
  end,
  function(s, list, random)
    return s:buffer(random(5)), list
  end,
  function(s, list, random)
    local n = random(4) - 1
    return s:skip(n), table.move(list, n + 1, math.max(n, #list), 1, {})
  end,
  function(s, list, random)
    local n = 20 + random(20)
    return s:take(n), table.move(list, 1, math.min(n, #list), 1, {})
  end,
  function(s, list, random)
    local n, out = random(4), {}
    for i = 1, #list, n do
      local sum = 0
      for j = i, math.min(i + n - 1, #list) do
        sum = sum + list[j]
      end
      out[#out + 1] = sum
    end
    return s:chunk(n):map(function(part)
      local sum = 0
      for _, v in ipairs(part) do
        sum = sum + v
      end
      return sum
    end), out
  end,
  function(s, list)
    local a, b = s:tee(2)
    local pairs = luge.zip { a, b }
    return pairs:map(function(x, y)
      return test.equal(x, y)
    end), list
  end,
}

local function source(random)
  local list = {}
  for i = 1, ITEMS do
    list[i] = i
  end
  if random(3) == 1 then
    return (luge.from(list)), list
  end
  return (luge.stream(function(emit)
    for i = 1, ITEMS do
      pause(random)
      emit(i)
    end
  end)), list
end

local function chain(random)
  local s, list = source(random)
  for _ = 1, random(4) do
    s, list = operators[random(#operators)](s, list, random)
  end
  return s, list
end

-- Reads to the end, by tasks that are cancelled when they have read for some
-- time.
local function read(s, random)
  local got, ended = {}, false
  while not ended do
    local reader = luge.spawn(function()
      for v in s do
        got[#got + 1] = v
        pause(random)
      end
      ended = true
    end)
    if random(2) == 1 then
      luge.sleep(random(30) / 10)
    else
      for _ = 1, random(12) do
        luge.sleep(0)
      end
    end
    reader:cancel()
    pcall(luge.await, reader)
  end
  return got
end

test.it("no item is lost or delivered twice", function()
  local _ <close> = test.clock()
  for seed = 1, SEEDS do
    local random = generator(seed)
    local s, want = chain(random)
    test.same(read(s, random), want, "seed " .. seed)
    s:close()
  end
end, { timeout = 60 })

test.it("merged streams keep every item and the order of each", function()
  local _ <close> = test.clock()
  for seed = 1, SEEDS // 4 do
    local random = generator(seed)
    local streams, n = {}, random(4) + 1
    for i = 1, n do
      streams[i] = luge.stream(function(emit)
        for k = 1, ITEMS do
          pause(random)
          emit { i, k }
        end
      end)
    end
    local s = luge.merge(streams)
    local last, count = {}, 0
    for _, item in ipairs(read(s, random)) do
      test.equal(item[2], (last[item[1]] or 0) + 1, "seed " .. seed)
      last[item[1]], count = item[2], count + 1
    end
    test.equal(count, n * ITEMS, "seed " .. seed)
    s:close()
  end
end, { timeout = 60 })

test.it("closing at any moment ends every producer", function()
  local _ <close> = test.clock()
  for seed = 1, SEEDS do
    local random = generator(seed)
    local s = chain(random)
    local reader = luge.spawn(s.collect, s)
    for _ = 1, random(10) do
      luge.sleep(0)
    end
    luge.sleep(random(5))
    s:close()
    reader:await()
    test.equal(s:next(), nil)
    test.ok(#luge.tasks() <= 4, "seed " .. seed)
  end
end, { timeout = 60 })
