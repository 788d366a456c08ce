-- retry and its waits: docs/retry.md.
local luge = require "luge"
local test = require "luge.test"
local hint = require "luge.internal.hint"
local in_retry = require("luge.internal.retry").in_retry
local describe, it = test.describe, test.it
local near = dofile("tests/support/tasks.lua").near

local function network(fields)
  local err = { kind = "network", message = "lost" }
  for key, value in pairs(fields or {}) do
    err[key] = value
  end
  return luge.error(err)
end

-- A function that raises each of the errors, then returns "ok" and the number
-- of calls.
local function after_errors(...)
  local errors, calls = { ... }, 0
  return function()
    calls = calls + 1
    if errors[calls] ~= nil then
      error(errors[calls], 0)
    end
    return "ok", calls
  end, function()
    return calls
  end
end

local function elapsed(fn, ...)
  local start = luge.now()
  local results = table.pack(pcall(fn, ...))
  return luge.now() - start, table.unpack(results, 1, results.n)
end

describe("retry", function()
  it("returns all results of the first success", function()
    test.same({ luge.retry((after_errors())) }, { "ok", 1 })
    local _ <close> = test.clock()
    test.same({ luge.retry((after_errors(network(), network()))) }, { "ok", 3 })
  end)

  it("raises the last error after three attempts, with `attempts`", function()
    local _ <close> = test.clock()
    local last = network { message = "third" }
    local err = test.raises("network", luge.retry,
      (after_errors(network(), network(), last)))
    test.equal(err, last)
    test.equal(err.attempts, 3)
  end)

  it("waits as exponential{ min=0.5, max=8, jitter=\"full\" } says by default", function()
    local _ <close> = test.clock()
    local seconds = elapsed(luge.retry, (after_errors(network(), network())))
    test.ok(seconds >= 1 and seconds <= 3, seconds)
  end)

  it("tries again only what says that it is retryable", function()
    for _, err in ipairs { "text", { message = "table" }, luge.error { kind = "invalid" } } do
      local fn, calls = after_errors(err)
      test.equal(test.raises(nil, luge.retry, fn), err)
      test.equal(calls(), 1)
    end
    local _ <close> = test.clock()
    test.equal(luge.retry((after_errors(luge.error { kind = "tool", retryable = true }))), "ok")
  end)

  it("tries again what `on` names", function()
    local _ <close> = test.clock()
    local function run(on, ...)
      return (luge.retry((after_errors(...)), { on = on }))
    end
    test.equal(run("tool", luge.error { kind = "tool" }), "ok")
    test.equal(run({ "tool", "io" }, luge.error { kind = "io" }), "ok")
    test.equal(run(function(err) return err == "text" end, "text"), "ok")
    test.raises("network", run, "tool", network())
    test.raises("network", run, { "tool", "io" }, network())
    test.raises("network", run, function() return false end, network())
  end)

  it("never tries `cancelled` again", function()
    local fn, calls = after_errors(luge.error { kind = "cancelled" })
    test.raises("cancelled", luge.retry, fn, { on = function() return true end, wait = 0 })
    test.equal(calls(), 1)
  end)

  it("ends when its task is cancelled, also in a wait", function()
    local fn, calls = after_errors(network())
    local task = luge.spawn(luge.retry, fn, { wait = 3600 })
    luge.sleep(0)
    luge.sleep(0)
    task:cancel()
    test.raises("cancelled", luge.await, task)
    test.equal(calls(), 1)
  end)

  it("raises an error that is nil as it is", function()
    local calls = 0
    test.same({ pcall(luge.retry, function()
      calls = calls + 1
      error()
    end, { on = function() return true end, wait = 0 }) }, { false, nil })
    test.equal(calls, 3)
  end)

  it("takes any number of attempts", function()
    local _ <close> = test.clock()
    local fn, calls = after_errors(network())
    test.raises("network", luge.retry, fn, { attempts = 1 })
    test.equal(calls(), 1)
    test.equal(luge.retry((after_errors(network())), { attempts = 2.0, wait = 0 }), "ok")
    local count = 0
    test.raises("timeout", luge.timeout, 100.5, luge.retry, function()
      count = count + 1
      error(network())
    end, { attempts = math.huge, wait = 1 })
    test.equal(count, 101)
  end)

  it("gives up before a wait that would pass the deadline", function()
    local _ <close> = test.clock()
    local fn, calls = after_errors(network(), network(), network())
    local seconds, _, err = elapsed(luge.retry, fn, { wait = 2, deadline = 5, attempts = 9 })
    test.ok(luge.is_error(err, "network"))
    near(seconds, 4)
    test.same({ calls(), err.attempts }, { 3, 3 })
  end)

  it("counts the time of the attempts to the deadline", function()
    local _ <close> = test.clock()
    local calls = 0
    local seconds, _, err = elapsed(luge.retry, function()
      calls = calls + 1
      luge.sleep(3)
      error(network())
    end, { wait = 1, deadline = 6, attempts = 9 })
    near(seconds, 7)
    test.same({ calls, err.attempts }, { 2, 2 })
  end)

  it("tells `before_sleep` what it is about to do", function()
    local _ <close> = test.clock()
    local infos, errors = {}, { network(), network() }
    luge.retry((after_errors(table.unpack(errors))), {
      wait = luge.wait.fixed(2),
      before_sleep = function(info) infos[#infos + 1] = info end,
    })
    test.equal(#infos, 2)
    test.equal(infos[1].error, errors[1])
    test.same({ infos[1].attempt, infos[1].wait, infos[2].attempt }, { 1, 2, 2 })
    near(infos[1].elapsed, 0)
    near(infos[2].elapsed, 2)
  end)

  it("calls until a result is accepted", function()
    local _ <close> = test.clock()
    local n = 0
    local function count()
      n = n + 1
      return n, "more"
    end
    test.same({ luge.retry(count, { wait = 1, until_result = function(i) return i == 3 end }) },
      { 3, "more" })
    local err = test.raises("limit", luge.retry, count,
      { wait = 1, until_result = function() return false end })
    test.same({ err.last, err.attempts, err.what, err.limit }, { 6, 3, "attempts", 3 })
    err = test.raises("limit", luge.retry, count,
      { wait = 4, deadline = 5, until_result = function() return false end })
    test.same({ err.what, err.limit, err.attempts }, { "deadline", 5, 2 })
  end)

  it("keeps the traceback of the function that failed", function()
    local function deep()
      error(luge.error { kind = "tool", message = "m" })
    end
    local task = luge.spawn(luge.retry, function()
      deep()
    end)
    local err = test.raises("tool", luge.await, task)
    test.matches(err.traceback, "'deep'")
  end)

  it("tells those inside that they are retried", function()
    test.ok(not in_retry())
    local inside, child
    luge.retry(function()
      inside = in_retry()
      child = luge.spawn(in_retry):await()
    end)
    test.same({ inside, child, in_retry() }, { true, true, false })
  end)

  it("refuses bad arguments and options", function()
    local function refused(pattern, ...)
      test.matches(test.raises("invalid", luge.retry, ...).message, pattern)
    end
    local function fn() end
    refused("takes a function", nil)
    refused("'attempts'.*got 0", fn, { attempts = 0 })
    refused("'attempts'", fn, { attempts = 2.5 })
    refused("'deadline'.*got %-1", fn, { deadline = -1 })
    refused("'deadline'", fn, { deadline = 0 / 0 })
    refused("'on'", fn, { on = 5 })
    refused("'on'.*a list with 5 at 2, takes a kind", fn, { on = { "io", 5 } })
    refused("'on'.*a list with true at \"network\"", fn, { on = { network = true } })
    refused("'wait'", fn, { wait = "long" })
    refused("'wait'", fn, { wait = -1 })
    refused('unknown option "times".*attempts, before_sleep', fn, { times = 3 })
    refused("a wait gave %-1", (after_errors(network())), { wait = function() return -1 end })
  end)
end)

describe("a server's hint", function()
  it("replaces the computed wait", function()
    local _ <close> = test.clock()
    local function seconds(err)
      return (elapsed(luge.retry, (after_errors(err)), { wait = 1000 }))
    end
    near(seconds(network { retry_after = 7 }), 7)
    near(seconds(network { headers = { ["retry-after"] = "3" } }), 3)
    near(seconds(network { headers = { ["retry-after-ms"] = "250", ["retry-after"] = "9" } }),
      0.25)
    near(seconds(network { headers = { ["Retry-After"] = "3" } }), 3)
    near(seconds(network { retry_after = -5 }), 0)
  end)

  it("beyond `max_hint` or the deadline fails at once, and is told", function()
    local _ <close> = test.clock()
    local function give_up(err, options)
      local fn, calls = after_errors(err)
      local got = test.raises("network", luge.retry, fn, options)
      test.same({ calls(), got.attempts }, { 1, 1 })
      return got.retry_after
    end
    test.equal(give_up(network { headers = { ["retry-after"] = "61" } }), 61)
    test.equal(give_up(network { retry_after = 11 }, { max_hint = 10 }), 11)
    test.equal(give_up(network { retry_after = 6 }, { deadline = 5 }), 6)
    test.equal(give_up(network { retry_after = math.huge }), math.huge)
    test.equal(luge.retry((after_errors(network { retry_after = 60 }))), "ok")
  end)

  it("that makes no sense is ignored", function()
    local _ <close> = test.clock()
    for _, value in ipairs { "soon", "", "1e3", "0x10", 0 / 0, true } do
      near(elapsed(luge.retry, (after_errors(network { retry_after = value })), { wait = 2 }), 2)
    end
  end)

  it("may be a date in the three forms of HTTP", function()
    for _, text in ipairs {
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    } do
      test.equal(hint.date(text), 784111777, text)
    end
    test.equal(hint.date "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800)
    test.equal(hint.date "Fri, 01 Mar 2024 00:00:00 GMT", 1709251200)
    test.equal(hint.date "Thu, 01 Jan 1970 00:00:00 GMT", 0)
    test.equal(hint.date "Sun, 06 Foo 1994 08:49:37 GMT", nil)
    test.equal(hint.date "1994-11-06T08:49:37Z", nil)
  end)

  it("as a date counts from now, and not below 0", function()
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", math.floor(luge.time()) + 30)
    local seconds = hint.parse(date)
    test.ok(seconds > 28 and seconds <= 30, seconds)
    test.equal(hint.parse "Sun, 06 Nov 1994 08:49:37 GMT", 0)
  end)
end)

describe("waits", function()
  local wait = luge.wait

  local function first(w, n)
    local list = {}
    for i = 1, n do
      list[i] = w(i)
    end
    return list
  end

  it("are fixed", function()
    test.same(first(wait.fixed(2), 3), { 2, 2, 2 })
  end)

  it("grow exponentially from the multiplier, between min and max", function()
    test.same(first(wait.exponential(), 4), { 1.0, 2.0, 4.0, 8.0 })
    test.same(first(wait.exponential { multiplier = 0.5, base = 3, max = 5 }, 4),
      { 0.5, 1.5, 4.5, 5 })
    test.same(first(wait.exponential { min = 3 }, 3), { 3, 3, 4.0 })
    test.equal(wait.exponential { max = 8 } (5000), 8)
  end)

  it("have jitter only when asked", function()
    local low, high = math.huge, 0
    local full = wait.exponential { min = 0.5, max = 8, jitter = "full" }
    for _ = 1, 1000 do
      local seconds = full(10)
      low, high = math.min(low, seconds), math.max(high, seconds)
    end
    test.ok(low >= 0.5 and low < 1 and high > 7.5 and high <= 8, low .. " " .. high)
    local equal = wait.exponential { max = 8, jitter = "equal" }
    for _ = 1, 1000 do
      local seconds = equal(10)
      test.ok(seconds >= 4 and seconds <= 8, seconds)
    end
  end)

  it("are random between two numbers", function()
    for _ = 1, 100 do
      local seconds = wait.random(2, 3)(1)
      test.ok(seconds >= 2 and seconds <= 3)
    end
  end)

  it("follow each other in a chain, whose last repeats", function()
    test.same(first(wait.chain { wait.fixed(1), 2, wait.fixed(3) }, 5), { 1, 2, 3, 3, 3 })
  end)

  it("add", function()
    test.same(first(wait.fixed(1) + wait.chain { 1, 2 } + 0.5, 3), { 2.5, 3.5, 3.5 })
    test.equal((1 + wait.fixed(2))(1), 3)
  end)

  it("refuse bad arguments", function()
    test.raises("invalid", wait.fixed, -1)
    test.raises("invalid", wait.fixed, 0 / 0)
    test.raises("invalid", wait.random, 3, 2)
    test.raises("invalid", wait.exponential, { base = 0 })
    test.raises("invalid", wait.exponential, { min = 3, max = 2 })
    test.matches(test.raises("invalid", wait.exponential, { jitter = "some" }).message, "full")
    test.raises("invalid", wait.chain, {})
    test.raises("invalid", wait.chain, { "x" })
    test.matches(test.raises("invalid", wait.exponential()).message, "got nil, takes an integer")
    test.raises("invalid", function() return wait.fixed(1) + {} end)
  end)
end)
