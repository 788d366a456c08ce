-- `stream:map` with several items at once. A task reads the source and spawns
-- one for each item; permits, given back when a result has been delivered,
-- bound how many there are.
local native = require "luge.native.task"
local semaphore = require("luge.native.sync").semaphore
local queue = require("luge.native.queue").queue
local group, outcome, scope = native.group, native.outcome, native.scope
local new_error = native.error
local setmetatable, error = setmetatable, error

local function spawn(fn, item)
  return native.spawn_at(native.script_level(), fn, item)
end

-- Delivers each result as soon as it is there. A task that is cancelled alone
-- raises nothing, but its result is missing.
local function unordered(source, fn, permits)
  local permit = setmetatable({}, { __close = function() permits:release() end })
  return function(emit)
    local left = 0
    local function work(item)
      local _ <close> = permit
      emit(fn(item))
      left = left - 1
    end
    scope(function()
      permits:acquire()
      for item in source.raw do
        left = left + 1
        spawn(work, item)
        permits:acquire()
      end
    end)
    if left > 0 then
      error(new_error { kind = "cancelled", message = "the task of an item was cancelled" }, 0)
    end
  end
end

local Ending = {}

function Ending.__close(ending)
  ending.queue:close()
end

-- Reads the source; `started` gets each task, in a group that watches it, so
-- that an error counts as awaited until its turn has come.
local function reader(source, fn, permits, workers, started)
  return function()
    local _ <close> = setmetatable({ queue = started }, Ending)
    permits:acquire()
    for item in source.raw do
      started:put(group { workers:spawn(fn, item) })
      permits:acquire()
    end
  end
end

local function result_of(watched)
  local _, task = watched:next()
  return (outcome(task))
end

-- Closed when all have ended. If the stream has failed or was left, the errors
-- of items whose turn did not come are dropped, as `gather` does.
local Rest = {}

function Rest.__close(rest)
  for _ = 1, rest.started:len() do
    local _, watched = rest.started:try_get()
    watched:forget()
  end
  if rest.waited_for then
    rest.waited_for:forget()
  end
  if rest.reading then
    rest.reading:forget()
  end
end

-- Delivers them in the order of the items; then the error of the source, if
-- that is how it ended.
local function ordered(source, fn, permits)
  return function(emit)
    local started = queue()
    local rest <close> = setmetatable({ started = started }, Rest)
    scope(function(workers)
      rest.reading = group { spawn(reader(source, fn, permits, workers, started)) }
      for watched in started:iter() do
        rest.waited_for = watched
        emit(result_of(watched))
        permits:release()
      end
      result_of(rest.reading)
    end)
  end
end

return function(stream, source, fn, options)
  local produce = options.ordered == false and unordered or ordered
  local permits = semaphore(options.concurrency)
  return stream.produce(produce(source, fn, permits), 0, stream.closer(source))
end
