-- `signal`: a watch of the signal (luge.native.signal), bound to a servant, so
-- that it is closed when the task ends that asked for it.
local native = require "luge.native.task"
local signal = require("luge.native.signal").watch
local serve = require("luge.native.stream").serve
local event = require("luge.native.sync").event
local check = require "luge.internal.check"
local stream = require "luge.internal.stream"

local function as_stream(watch, name)
  local done = event()
  local holder = serve(done.wait, done)
  holder:name("stream of " .. name)
  watch:bind(holder)
  return stream.open(function()
    return watch:next() and name or nil
  end, function()
    watch:close()
    done:set()
  end)
end

-- Nobody has the Task of a call: an error of one is reported, and the signals
-- that come go on being handled.
local function handle(watch, name, fn)
  while watch:next() do
    native.spawn_at(0, fn, name)
  end
end

return function(name, fn)
  if fn ~= nil then
    check.argument("signal", 2, fn, "function")
  end
  local watch = signal(name)
  if fn then
    local task = serve(handle, watch, name, fn)
    task:name("handler of " .. name)
    watch:bind(task)
    return task
  end
  return as_stream(watch, name)
end
