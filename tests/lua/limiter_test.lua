-- limiter: docs/tasks.md.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it
local near = dofile("tests/support/tasks.lua").near

-- The seconds at which so many tokens, one by one, have been taken.
local function times(limiter, n)
  local start, list = luge.now(), {}
  for i = 1, n do
    limiter:acquire()
    list[i] = luge.now() - start
  end
  return list
end

describe("a limiter", function()
  it("lets the burst through, then the rate", function()
    local _ <close> = test.clock()
    local list = times(luge.limiter { rate = 10, burst = 3 }, 13)
    near(list[3], 0)
    near(list[4], 0.1)
    near(list[13], 1)
  end)

  it("has a burst of the rate, and at least 1, by default", function()
    local _ <close> = test.clock()
    local list = times(luge.limiter { rate = 5 }, 6)
    near(list[5], 0)
    near(list[6], 0.2)
    list = times(luge.limiter { rate = 0.5 }, 2)
    near(list[1], 0)
    near(list[2], 2)
  end)

  it("counts in other periods", function()
    local _ <close> = test.clock()
    local list = times(luge.limiter { rate = 60, per = 60, burst = 1 }, 5)
    near(list[5], 4)
  end)

  it("fills up to the burst while nobody asks", function()
    local _ <close> = test.clock()
    local limiter = luge.limiter { rate = 1, burst = 2 }
    times(limiter, 2)
    luge.sleep(100)
    local list = times(limiter, 3)
    near(list[2], 0)
    near(list[3], 1)
  end)

  it("takes several at once, and parts", function()
    local _ <close> = test.clock()
    local limiter, start = luge.limiter { rate = 2, burst = 10 }, luge.now()
    limiter:acquire(10)
    limiter:acquire(3)
    near(luge.now() - start, 1.5)
    limiter:acquire(0.5)
    near(luge.now() - start, 1.75)
  end)

  it("serves in the order of asking, small after large", function()
    local _ <close> = test.clock()
    local limiter, log = luge.limiter { rate = 1, burst = 5 }, {}
    limiter:acquire(5)
    local function ask(name, n)
      return function()
        limiter:acquire(n)
        log[#log + 1] = name
      end
    end
    luge.gather { ask("large", 5), ask("small", 1), ask("last", 2) }
    test.same(log, { "large", "small", "last" })
  end)

  it("loses nothing when one who waits is cancelled", function()
    local _ <close> = test.clock()
    local limiter, start = luge.limiter { rate = 1, burst = 1 }, luge.now()
    limiter:acquire()
    local impatient = luge.spawn(limiter.acquire, limiter)
    local next_in_line = luge.spawn(limiter.acquire, limiter)
    luge.sleep(0.75)
    impatient:cancel()
    next_in_line:await()
    near(luge.now() - start, 1)
  end)

  it("keeps its rate for many tasks", function()
    local _ <close> = test.clock()
    local limiter, start = luge.limiter { rate = 100, burst = 1 }, luge.now()
    local list = {}
    for i = 1, 301 do
      list[i] = function() limiter:acquire() end
    end
    luge.gather(list)
    near(luge.now() - start, 3)
  end)

  it("refuses bad arguments", function()
    local function refused(pattern, fn, ...)
      test.matches(test.raises("invalid", fn, ...).message, pattern)
    end
    refused("takes a table: { rate =", luge.limiter)
    refused("'rate' is missing", luge.limiter, {})
    refused("'rate'.*got 0", luge.limiter, { rate = 0 })
    refused("'rate'", luge.limiter, { rate = math.huge })
    refused("'per'", luge.limiter, { rate = 1, per = -1 })
    refused("'burst'", luge.limiter, { rate = 1, burst = 0 })
    refused('unknown option "capacity"', luge.limiter, { rate = 1, capacity = 2 })
    local limiter = luge.limiter { rate = 1, burst = 2 }
    refused("at most the burst, 2", limiter.acquire, limiter, 3)
    refused("got 0", limiter.acquire, limiter, 0)
    refused("a number above 0", limiter.acquire, limiter, 0 / 0)
  end)
end)
