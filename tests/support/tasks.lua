-- What tests of tasks, and of time, have in common.
local luge = require "luge"
local test = require "luge.test"

local tasks = {}

--- Lets everything that is ready run, and what becomes ready by that.
function tasks.settle()
  for _ = 1, 10 do
    luge.sleep(0)
  end
end

--- Waits until it is cancelled.
function tasks.forever()
  luge.sleep(3600)
end

--- Waits, for a turn of the scheduler and for a moment.
function tasks.wait()
  luge.sleep(0)
  luge.sleep(0.0001)
  return "waited"
end

--- Checks that the call raises `cancelled`; returns the error.
function tasks.cancelled_by(fn, ...)
  return test.raises("cancelled", fn, ...)
end

--- A task that runs `fn`, cancelled while it waits; returns it when it has ended.
function tasks.cancel(fn, reason)
  local task = luge.spawn(fn)
  luge.sleep(0)
  task:cancel(reason)
  pcall(luge.await, task)
  return task
end

--- A value for a `<close>` variable, which calls `fn`.
function tasks.closing(fn)
  return setmetatable({}, { __close = fn })
end

--- Waits, for some seconds at most, until `condition()` is true; else false.
function tasks.eventually(condition)
  for _ = 1, 1000 do
    if condition() then
      return true
    end
    luge.sleep(0.01)
  end
  return false
end

--- Checks a time on a virtual clock, of which fractions may be rounded.
function tasks.near(got, want)
  test.ok(math.abs(got - want) < 1e-6, ("%s, want %s"):format(got, want))
end

return tasks
