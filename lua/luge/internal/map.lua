-- `map`: a task for each item, at most so many at once. The caller's own task
-- reads the input, one item ahead of the tasks that run, and only when one may
-- start: so memory grows with the concurrency and the results. All of it is a
-- fail-fast scope.
local native = require "luge.native.task"
local semaphore = require("luge.native.sync").semaphore
local check = require "luge.internal.check"
local from = require "luge.internal.from"
local pcall, error, setmetatable = pcall, error, setmetatable
local spawn, scope, new_error = native.spawn_at, native.scope, native.error

--- Options of `luge.map`.
---@class luge.MapOptions
---@field concurrency? integer how many at once; default 16
---@field return_errors? boolean an error takes the place of the result; default: it is raised
---@field progress? boolean draw a bar on standard error if that is a terminal

local options_known = { concurrency = "count", progress = "boolean", return_errors = "boolean" }

-- Returns what runs for one item, in a task of its own. `done` counts the items
-- whose function has returned. A task that is cancelled alone gives its permit
-- back, too.
local function worker(fn, results, permits, done, bar)
  local permit = setmetatable({}, { __close = function() permits:release() end })
  return function(item, index)
    local _ <close> = permit
    results[index] = (fn(item, index))
    done.n = done.n + 1
    if bar then
      bar:step()
    end
  end
end

-- As `fn`, but an error takes the place of the result. The scope is for errors
-- of tasks that `fn` has spawned and not awaited.
local function tolerant(fn)
  return function(item, index)
    local _, result = pcall(scope, function()
      return fn(item, index)
    end)
    return result
  end
end

local function progress_bar(options, list)
  if options.progress then
    local total = type(list) == "table" and not check.is_callable(list) and #list or nil
    return require("luge.internal.progress").new(total)
  end
end

return function(list, fn, options)
  check.argument("map", 2, fn, "function")
  options = check.options("map", options, options_known)
  local pull, close = from.pull("map", list)
  local results, n = {}, 0
  local permits = semaphore(options.concurrency or 16)
  local bar <close> = progress_bar(options, list)
  local done = { n = 0 }
  local run = worker(options.return_errors and tolerant(fn) or fn, results, permits, done, bar)
  local _ <close> = close
  scope(function()
    local level = native.script_level()
    permits:acquire()
    for item in pull do
      n = n + 1
      spawn(level, run, item, n)
      permits:acquire()
    end
  end)
  if done.n < n then -- a cancelled task fails nobody, but its result is missing
    error(new_error { kind = "cancelled", message = "the task of an item was cancelled" }, 0)
  end
  results.n = n
  return results
end
