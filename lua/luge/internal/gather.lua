-- Waiting for several tasks: `gather`, `race`, `as_completed`. See
-- lua/luge/init.lua for what they promise.
local native = require "luge.native.task"
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local pcall, setmetatable = pcall, setmetatable
local new_group, outcome = native.group, native.outcome

local gather = {}

-- Leaving a group cancels those of its tasks that have not ended, and waits for
-- them. Errors of tasks that were not returned yet are dropped: whoever left
-- has a result or an error already.
local Guard = {}

function Guard.__close(guard)
  local group = guard.group
  if group:cancel(guard.reason) then
    if not pcall(group.wait, group, true) then
      closing(group.wait, group, true)
    end
  end
  group:forget()
end

local function check_list(name, list)
  if type(list) ~= "table" then
    check.bad_argument(name, 1, list, "a list of tasks and functions")
  end
  check.list(name, list)
end

-- A group of a list, whose functions are spawned, and its guard.
local function start(name, list, reason)
  local group = new_group(list, name)
  return group, setmetatable({ group = group, reason = reason }, Guard)
end

local gather_options = { return_errors = "boolean" }

function gather.gather(list, options)
  check_list("gather", list)
  local return_errors = check.options("gather", options, gather_options).return_errors
  local group, guard = start("gather", list, "a sibling failed")
  local _ <close> = guard
  local failed = group:wait(return_errors)
  if failed then
    outcome(failed)
  end
  return group:results()
end

function gather.race(list)
  check_list("race", list)
  local group, guard = start("race", list, "another task was first")
  local _ <close> = guard
  local index, task = group:next()
  if not index then
    check.bad_argument("race", 1, list, "a list of at least one task or function")
  end
  return index, outcome(task)
end

function gather.as_completed(list)
  check_list("as_completed", list)
  local group, guard = start("as_completed", list, "the loop over it was left")
  return group.next, group, nil, guard
end

return gather
