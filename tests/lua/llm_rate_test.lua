-- luge.llm: rate limits, in virtual time.
local luge = require "luge"
local llm = require "luge.llm"
local lanes = require "luge.internal.llm.lane"
local rates = require "luge.internal.llm.rate"
local test = require "luge.test"
local describe, it = test.describe, test.it

local provider = dofile "tests/support/provider.lua"

-- A server that counts what reaches it in the 60 seconds before each request.
local function enforce(requests, tokens)
  requests, tokens = requests or math.huge, tokens or math.huge
  local log, first = {}, 1
  local self = { refused = 0, count = 0 }
  function self.request(cost)
    local now, used = luge.now(), 0
    while log[first] and log[first].time <= now - 60 do first = first + 1 end
    for i = first, #log do used = used + log[i].cost end
    self.count = self.count + 1
    if #log - first + 2 > requests or used + cost > tokens then
      self.refused = self.refused + 1
    end
    log[#log + 1] = { time = now, cost = cost }
  end
  return self
end

describe("rates", function()
  it("are never more in any 60 seconds", function()
    local _ <close> = test.clock()
    local server, limiter = enforce(30, math.huge), rates.new(30)
    local start = luge.now()
    luge.map((function()
      local i = 0
      return function()
        i = i + 1
        return i <= 200 and i or nil
      end
    end)(), function(i)
      local reservation = limiter:reserve(1)
      luge.sleep(i % 7 * 0.1) -- on its way
      server.request(1)
      luge.sleep(i % 3) -- and back
      reservation:settle()
    end, { concurrency = 200 })
    test.equal(server.refused, 0)
    test.equal(server.count, 200)
    local took = luge.now() - start
    test.ok(took > 359.9 and took < 420, "took " .. took)
  end, { timeout = 30 })

  it("count tokens, as corrected", function()
    local _ <close> = test.clock()
    local server, limiter = enforce(math.huge, 1000), rates.new(nil, 1000)
    local start = luge.now()
    luge.map((function()
      local i = 0
      return function()
        i = i + 1
        return i <= 100 and i or nil
      end
    end)(), function()
      local reservation = limiter:reserve(100)
      luge.sleep(0.2)
      server.request(50)
      reservation:settle(50)
    end, { concurrency = 100 })
    test.equal(server.refused, 0)
    test.ok(luge.now() - start < 360)
  end, { timeout = 30 })

  it("serve first who came first, and let go who is cancelled", function()
    local _ <close> = test.clock()
    local limiter, order = rates.new(1), {}
    limiter:reserve(1):settle()
    local waiting = {}
    for i = 1, 3 do
      waiting[i] = luge.spawn(function()
        limiter:reserve(1):settle()
        order[#order + 1] = i
      end)
    end
    luge.sleep(1)
    waiting[2]:cancel()
    luge.await(waiting[1])
    luge.await(waiting[3])
    test.same(order, { 1, 3 })
    test.ok(luge.now() < 1e9)
  end)

  it("let one that is larger than the rate pass alone", function()
    local _ <close> = test.clock()
    local limiter = rates.new(nil, 10)
    limiter:reserve(500):settle(700)
    local start = luge.now()
    limiter:reserve(1):settle()
    test.ok(luge.now() - start > 59.99 and luge.now() - start < 61)
  end)
end)

-- A provider that refuses what is beyond its limits, as it counts them. (It
-- answers at once: while a request is under way, virtual time stands still.)
local function strict_provider(limits)
  local counted = enforce(limits.requests, limits.tokens)
  local server = provider.new { function(request)
    local prompt, output = #request.messages[1].content // 4 + 8, 40
    local refused = counted.refused
    counted.request(prompt + output)
    if counted.refused > refused then
      return { status = 429, json = { error = { message = "slow down" } } }
    end
    local answer = provider.answer("ok")
    answer.json.usage = { prompt_tokens = prompt, completion_tokens = output,
      total_tokens = prompt + output }
    return answer
  end }
  return server, counted
end

describe("two hundred tasks", function()
  local function run(limits)
    local _ <close> = test.clock()
    local server <close>, counted = strict_provider(limits)
    local m = llm.model { base_url = server.url, model = "strict", rate = {
      requests_per_minute = limits.requests, tokens_per_minute = limits.tokens,
    } }
    local start, tasks = luge.now(), {}
    for i = 1, 200 do
      tasks[i] = luge.spawn(function()
        luge.sleep(i % 7 * 2.5)
        m:invoke(("word "):rep(i % 20))
      end)
    end
    luge.gather(tasks)
    test.equal(counted.refused, 0)
    test.equal(counted.count, 200)
    return luge.now() - start
  end

  it("meet no 429 where requests are counted", function()
    local took = run { requests = 60 }
    test.ok(took > 180 and took < 260, "took " .. took)
  end, { timeout = 30 })

  it("meet no 429 where tokens are counted", function()
    local took = run { tokens = 4000 }
    test.ok(took < 400, "took " .. took)
  end, { timeout = 30 })

  it("meet no 429 where both are", function()
    run { requests = 80, tokens = 6000 }
  end, { timeout = 30 })
end)

describe("lanes", function()
  it("are shared by model, and cooled down", function()
    local _ <close> = test.clock()
    local lane = lanes.of("http://x", "m")
    test.equal(lane, lanes.of("http://x", "m"))
    test.ok(lane ~= lanes.of("http://x", "n"))
    lane:cool(5)
    local start = luge.now()
    luge.spawn(function()
      luge.sleep(1)
      lane:cool(9)
    end)
    lane:enter()
    test.ok(luge.now() - start > 9.99)
    local limiter = lane:limiter { requests_per_minute = 5 }
    lane:cool(30)
    for _ = 1, 3 do
      local waiting = luge.spawn(function() lane:enter(limiter, 1) end)
      luge.sleep(0.1)
      waiting:cancel()
      pcall(luge.await, waiting)
    end
    test.equal(limiter.used_requests, 0)
    test.equal(limiter, lane:limiter { requests_per_minute = 5 })
  end)
end)
