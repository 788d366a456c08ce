-- How long to wait before the next attempt: `luge.wait`. A Wait is called with
-- the number of attempts so far, from 1, and gives seconds.
local native = require "luge.native.task"
local check = require "luge.internal.check"
local random, min, max = math.random, math.min, math.max

--- How long to wait before an attempt; see `luge.wait`.
---@class luge.Wait
---@operator call(integer): number
---@operator add(luge.Wait|number): luge.Wait
local Wait = { __name = "Wait" }

local backoff = {}

local function new(seconds)
  return setmetatable({ seconds = seconds }, Wait)
end

function Wait.__call(self, attempt)
  return self.seconds(check.argument("wait", 1, attempt, "count"))
end

-- A Wait, from a Wait, a number of seconds, or a function of the attempt.
function backoff.coerce(value, where)
  if getmetatable(value) == Wait then
    return value
  elseif type(value) == "number" and value >= 0 then
    return backoff.fixed(value)
  elseif check.is_callable(value) then
    return new(value)
  end
  check.fail("bad %s: got %s, takes a wait, a number of seconds or a function", where,
    check.describe(value))
end

function Wait.__add(a, b)
  local first, second = backoff.coerce(a, "wait"), backoff.coerce(b, "wait")
  return new(function(attempt)
    return first(attempt) + second(attempt)
  end)
end

function backoff.fixed(seconds)
  check.argument("fixed", 1, seconds, "seconds")
  return new(function()
    return seconds
  end)
end

local function between(low, high)
  return low + random() * (high - low)
end

function backoff.random(least, most)
  check.argument("random", 1, least, "seconds")
  check.argument("random", 2, most, "seconds")
  if most < least then
    check.fail("bad arguments to 'random': %s is more than %s", least, most)
  end
  return new(function()
    return between(least, most)
  end)
end

-- Makes a wait random; never less than `least`.
local jitters = {
  full = function(seconds, least)
    return between(min(least, seconds), seconds)
  end,
  equal = function(seconds, least)
    return between(max(least, seconds / 2), max(least, seconds))
  end,
}

--- Options of `luge.wait.exponential`, in seconds.
---@class luge.ExponentialOptions
---@field multiplier? number the first wait; default 1
---@field base? number how many times as long each further one is; default 2
---@field min? number the least; default 0
---@field max? number the most; default none
---@field jitter? "full"|"equal" default: none

local exponential_options = {
  multiplier = "positive",
  base = "positive",
  min = "seconds",
  max = "seconds",
  jitter = true,
}

function backoff.exponential(options)
  options = check.options("exponential", options, exponential_options)
  local multiplier, base = options.multiplier or 1, options.base or 2
  local least, most = options.min or 0, options.max or math.huge
  local jitter = options.jitter and jitters[options.jitter]
  if options.jitter and not jitter then
    check.fail("bad option 'jitter' for 'exponential': got %s, takes \"full\" or \"equal\"",
      check.describe(options.jitter))
  elseif most < least then
    check.fail("bad options for 'exponential': min, %s, is more than max, %s", least, most)
  end
  return new(function(attempt)
    local seconds = max(least, min(most, multiplier * base ^ (attempt - 1)))
    return jitter and jitter(seconds, least) or seconds
  end)
end

function backoff.chain(waits)
  check.argument("chain", 1, waits, "table")
  local list = {}
  for i = 1, #waits do
    list[i] = backoff.coerce(waits[i], ("wait %d of 'chain'"):format(i))
  end
  if #list == 0 then
    check.bad_argument("chain", 1, waits, "a list of at least one wait")
  end
  return new(function(attempt)
    return list[min(attempt, #list)](attempt)
  end)
end

-- The seconds of a wait, checked: functions of scripts are called too.
function backoff.seconds(wait, attempt)
  local seconds = wait(attempt)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    error(native.error {
      kind = "invalid",
      message = ("a wait gave %s, takes a number of seconds, 0 or more"):format(
        check.describe(seconds)),
    }, 0)
  end
  return seconds
end

return backoff
