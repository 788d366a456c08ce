-- `retry`; see lua/luge/init.lua for what it promises. The attempts know that
-- they are retried from outside, through a value of the context, so that what
-- retries by itself (a model) does not multiply them.
local native = require "luge.native.task"
local check = require "luge.internal.check"
local context = require "luge.internal.context"
local backoff = require "luge.internal.backoff"
local hint = require "luge.internal.hint"
local is_error, now = native.is_error, native.now
local pack, unpack = table.pack, table.unpack

local retry = {}

local flag = {} -- the key in the context
local flagged = { [flag] = true }

-- Whether the current task runs inside an attempt of `retry`.
function retry.in_retry()
  return context.get(flag) == true
end

--- Options of `luge.retry`, and of the `:retry` of Runnables.
---@class luge.RetryOptions
---@field attempts? integer in all; default 3
---@field wait? luge.Wait|number|fun(attempt: integer): number between two attempts
---@field deadline? number seconds for all attempts and waits; default none
---@field max_hint? number seconds that a server may make it wait; default 60
---@field on? string|string[]|fun(err: any): boolean which errors; default: retryable ones
---@field until_result? fun(...): boolean whether the results are good
---@field before_sleep? fun(info: luge.RetryInfo) called before each wait

--- What `before_sleep` of `luge.retry` is told.
---@class luge.RetryInfo
---@field attempt integer how many there have been
---@field error any of the last one; nil if its result was not good
---@field result any of the last one
---@field wait number the seconds that come now
---@field elapsed number the seconds since the first attempt began

local options_known = {
  attempts = true,
  wait = true,
  deadline = "seconds",
  max_hint = "seconds",
  on = true,
  until_result = "function",
  before_sleep = "function",
}

local function is_retryable(err)
  return is_error(err) and err.retryable == true
end

local function bad_on(value)
  check.fail("bad option 'on' for 'retry': got %s, takes a kind, a list of kinds or a function",
    value)
end

local function matcher_of_kinds(kinds)
  local set = {}
  for key, kind in pairs(kinds) do
    if type(kind) ~= "string" then
      bad_on(("a list with %s at %s"):format(check.describe(kind), check.describe(key)))
    end
    set[kind] = true
  end
  return function(err)
    return is_error(err) and set[err.kind] == true
  end
end

-- The predicate that `on` stands for.
local function matcher(on)
  if on == nil then
    return is_retryable
  elseif type(on) == "string" then
    return matcher_of_kinds { on }
  elseif check.is_callable(on) then
    return on
  elseif type(on) == "table" then
    return matcher_of_kinds(on)
  end
  bad_on(check.describe(on))
end

local function attempts_of(value)
  if value ~= nil and value ~= math.huge and not check.is_count(value) then
    check.fail("bad option 'attempts' for 'retry': got %s, takes an integer from 1, or math.huge",
      check.describe(value))
  end
  return value or 3
end

local function default_wait()
  return backoff.exponential { min = 0.5, max = 8, jitter = "full" }
end

local function plan_of(options)
  options = check.options("retry", options, options_known)
  return {
    attempts = attempts_of(options.attempts),
    wait = options.wait == nil and default_wait()
      or backoff.coerce(options.wait, "option 'wait' for 'retry'"),
    deadline = options.deadline or math.huge,
    max_hint = options.max_hint or 60,
    matches = matcher(options.on),
    until_result = options.until_result,
    before_sleep = options.before_sleep,
    start = now(),
  }
end

-- Raises `invalid` for options that `retry` does not take.
function retry.check(options)
  plan_of(options)
end

-- The last error, with how often it was tried.
local function give_up(err, attempt, retry_after)
  if is_error(err) then
    err.attempts = attempt
    err.retry_after = retry_after or err.retry_after
  end
  error(err, 0)
end

local function result_error(plan, attempt, last)
  local out_of_attempts = attempt >= plan.attempts
  return native.error {
    kind = "limit",
    message = ("no accepted result after %d %s"):format(attempt,
      attempt == 1 and "attempt" or "attempts"),
    what = out_of_attempts and "attempts" or "deadline",
    limit = out_of_attempts and plan.attempts or plan.deadline,
    last = last,
  }
end

-- How long to wait after a failed attempt; nil and perhaps what the server
-- asked for, if there is to be no other.
local function next_wait(plan, attempt, err, elapsed)
  if attempt >= plan.attempts then
    return nil
  end
  local asked = hint.of_error(err)
  local seconds = asked or backoff.seconds(plan.wait, attempt)
  if elapsed + seconds > plan.deadline or (asked and asked > plan.max_hint) then
    return nil, asked
  end
  return seconds
end

-- Waits after an attempt that was not good. Or, if there is to be no other: false
-- and perhaps what the server asked for.
local function wait_for_next(plan, attempt, err, last)
  local elapsed = now() - plan.start
  local seconds, asked = next_wait(plan, attempt, err, elapsed)
  if not seconds then
    return false, asked
  end
  if plan.before_sleep then
    plan.before_sleep { attempt = attempt, error = err, wait = seconds, elapsed = elapsed,
      result = last }
  end
  native.sleep(seconds)
  return true
end

local function must_raise(plan, err)
  return is_error(err, "cancelled") or not plan.matches(err)
end

local function wait_or_raise(plan, attempt, err)
  if must_raise(plan, err) then
    give_up(err, attempt)
  end
  local waited, asked = wait_for_next(plan, attempt, err)
  if not waited then
    give_up(err, attempt, asked)
  end
end

function retry.retry(fn, options)
  check.argument("retry", 1, fn, "function")
  local plan = plan_of(options)
  local attempt = 0
  while true do
    attempt = attempt + 1
    local results = pack(xpcall(context.with, native.note_trace, flagged, fn))
    if not results[1] then
      wait_or_raise(plan, attempt, results[2])
    elseif not plan.until_result or plan.until_result(unpack(results, 2, results.n)) then
      return unpack(results, 2, results.n)
    elseif not wait_for_next(plan, attempt, nil, results[2]) then
      give_up(result_error(plan, attempt, results[2]), attempt)
    end
  end
end

return retry
