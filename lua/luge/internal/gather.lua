-- Waiting for several tasks: `gather`, `race`, `as_completed`. See
-- lua/luge/init.lua for what they promise.
local native = require "luge.native.task"
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local pcall, setmetatable = pcall, setmetatable
local is_task, spawn = native.is_task, native.spawn_inside

local gather = {}

-- Nothing is started before all is known to be good.
local function check_list(name, list)
  if type(list) ~= "table" then
    check.bad_argument(name, 1, list, "a list of tasks and functions")
  end
  local current = native.current()
  for i = 1, #list do
    local item = list[i]
    if item == current then
      check.fail("bad list for '%s': item %d is the task that would wait for it", name, i)
    elseif not is_task(item) and not check.is_callable(item) then
      check.fail("bad list for '%s': item %d is %s, takes a task or a function", name, i,
        check.describe(item))
    end
  end
end

-- A list of tasks, the functions among them spawned.
local function start(name, list)
  check_list(name, list)
  local tasks = {}
  for i = 1, #list do
    local item = list[i]
    tasks[i] = is_task(item) and item or spawn(item)
  end
  return tasks
end

-- Leaving a group cancels those of its tasks that have not ended, and waits
-- for them. Their errors are dropped: whoever left has a result or an error
-- already.
local Guard = {}

function Guard.__close(guard)
  local group = guard.group
  if group:cancel(guard.reason) and not pcall(group.wait, group, true) then
    closing(group.wait, group, true)
  end
  group:forget()
end

local function guarded(tasks, reason)
  local group = native.group(tasks)
  return group, setmetatable({ group = group, reason = reason }, Guard)
end

local gather_options = { return_errors = "boolean" }

function gather.gather(list, options)
  local return_errors = check.options("gather", options, gather_options).return_errors
  local group, guard = guarded(start("gather", list), "a sibling failed")
  local _ <close> = guard
  local failed = group:wait(return_errors)
  if failed then
    failed:await()
  end
  return group:results()
end

function gather.race(list)
  local tasks = start("race", list)
  if #tasks == 0 then
    check.bad_argument("race", 1, list, "a list of at least one task or function")
  end
  local group, guard = guarded(tasks, "another task was first")
  local _ <close> = guard
  local index, task = group:next()
  return index, task:await()
end

function gather.as_completed(list)
  local group, guard = guarded(start("as_completed", list), "the loop over it was left")
  return group.next, group, nil, guard
end

return gather
