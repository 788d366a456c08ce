-- luge.llm: which errors of models are tried again, and when.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it

local longer = dofile "tests/support/longer.lua"
local provider = dofile "tests/support/provider.lua"
local quickest = dofile "tests/support/quickest.lua"
local model = provider.model
local answer = provider.answer

local fails = test.raises

describe("retries", function()
  it("try again what may help, as often as allowed", function()
    for _, status in ipairs { 408, 409, 429, 500, 503, 529 } do
      local bad = { status = status, json = { error = { message = "later" } },
        headers = { ["retry-after-ms"] = "1" } }
      local server <close> = provider.new { bad, bad, answer("ok") }
      test.equal(model(server):invoke("hi").content, "ok")
      test.equal(#server.requests, 3)
      local worse <close> = provider.new { bad }
      local m = model(worse, { max_retries = 1 })
      local err = fails("llm", m.invoke, m, "hi")
      test.equal(#worse.requests, 2)
      test.equal(err.attempts, 2)
      test.equal(err.status, status)
    end
  end)

  it("try an attempt that timed out again", function()
    longer(0.3, function(seconds)
      local calls = 0
      local server <close> = provider.new { function()
        calls = calls + 1
        if calls == 1 then luge.sleep(60) end
        return answer("ok")
      end }
      test.equal(model(server, { timeout = seconds }):invoke("hi").content, "ok")
      test.equal(calls, 2)
    end)
  end)

  it("try an error at status 200 again that says overloaded, and no other", function()
    local function inside(object) return { json = { error = object } } end
    local server <close> = provider.new {
      inside { type = "overloaded_error", message = "busy" }, answer("ok"),
      inside { type = "invalid_request_error", message = "bad" },
    }
    local m = model(server)
    test.equal(m:invoke("hi").content, "ok")
    test.equal(#server.requests, 2)
    test.equal(fails("llm", m.invoke, m, "hi").code, "invalid_request")
    test.equal(#server.requests, 3)
  end)

  it("are none where the quota is spent, nor for max_retries = 0", function()
    local server <close> = provider.new {
      { status = 429, json = { error = { code = "insufficient_quota", message = "pay" } } },
      { status = 500, json = {} },
    }
    local m = model(server)
    test.equal(fails("llm", m.invoke, m, "hi").code, "quota")
    test.equal(#server.requests, 1)
    local once = model(server, { max_retries = 0 })
    fails("llm", once.invoke, once, "hi")
    test.equal(#server.requests, 2)
  end)

  it("do not multiply inside an outer retry", function()
    local bad = { status = 500, json = {}, headers = { ["retry-after-ms"] = "1" } }
    local server <close> = provider.new { bad }
    local m = model(server)
    fails("llm", luge.retry, function() m:invoke "hi" end, { attempts = 2 })
    test.equal(#server.requests, 2)
    local outer = m:retry { attempts = 3 }
    fails("llm", outer.invoke, outer, "hi")
    test.equal(#server.requests, 5)
    local set = model(server, { max_retries = 1 })
    fails("llm", luge.retry, function() set:invoke "hi" end, { attempts = 2 })
    test.equal(#server.requests, 9)
  end)

  it("fail at once when the hint is too long", function()
    local server <close> = provider.new { {
      status = 429, json = { error = { message = "slow" } }, headers = { ["retry-after"] = "3600" },
    } }
    local m = model(server)
    local err = fails("llm", m.invoke, m, "hi")
    test.equal(#server.requests, 1)
    test.equal(err.retry_after, 3600)
    test.equal(err.code, "rate_limit")
  end)

  it("keep to the deadline", function()
    local server <close> = provider.new { {
      status = 503, json = { error = { message = "later" } }, headers = { ["retry-after"] = "2" },
    } }
    local m = model(server, { deadline = 1 })
    test.ok(quickest(0.5, function()
      local start = luge.now()
      test.equal(fails("llm", m.invoke, m, "hi").status, 503)
      return luge.now() - start
    end), "it waited for the deadline")
    local hanging <close> = provider.new { function() luge.sleep(3600) end }
    local err = fails("timeout", function() model(hanging, { deadline = 0.05 }):invoke "hi" end)
    test.equal(err.message, "openai:mock: no answer within 0.05 seconds")
  end)

  it("bound an attempt, and count it", function()
    longer(0.3, function(seconds)
      local server <close> = provider.new { function() luge.sleep(60) end }
      local m = model(server, { timeout = seconds, max_retries = 0 })
      fails("timeout", m.invoke, m, "hi")
      test.equal(#server.requests, 1)
    end)
  end)

  it("bound a stream until it begins", function()
    longer(0.3, function(seconds)
      local server <close> = provider.new { { provider.chunk { role = "assistant", content = "" },
        function() luge.sleep(60) end } }
      local m = model(server, { timeout = seconds, max_retries = 1 })
      local err = fails("timeout", function() (m:stream "hi"):collect() end)
      test.same({ err.seconds, err.attempts, #server.requests }, { seconds, 2, 2 })
    end)
  end)

  it("cool every waiter of a model down", function()
    local refused, answered = 0, 0
    local cold
    local server <close> = provider.new { function()
      if not cold then
        cold = luge.now() + 0.1
        refused = refused + 1
        return { status = 429, json = { error = { message = "slow" } },
          headers = { ["retry-after-ms"] = "100" } }
      elseif luge.now() < cold then
        refused = refused + 1
        return { status = 429, json = { error = { message = "slow" } },
          headers = { ["retry-after-ms"] = tostring((cold - luge.now()) * 1000) } }
      end
      answered = answered + 1
      return answer("ok")
    end }
    local first = model(server)
    local inputs = {}
    for i = 1, 30 do inputs[i] = "q" .. i end
    luge.spawn(function() first:invoke "first" end)
    luge.sleep(0.02)
    first:batch(inputs, { concurrency = 30 })
    test.equal(answered, 31)
    test.equal(refused, 1)
  end)
end)

describe("a refused connection", function()
  it("is network, and tried again", function()
    local server = provider.new { answer("ok") }
    local m = model(server, { max_retries = 1 })
    server.server:close()
    local err = fails("network", m.invoke, m, "hi")
    test.equal(err.attempts, 2)
  end)
end)
