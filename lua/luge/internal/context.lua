-- Values that tasks inherit: a table for each task that has any, never changed
-- once it is set, and so shared by the tasks that inherit it.
local native = require "luge.native.task"
local check = require "luge.internal.check"
local pairs, setmetatable = pairs, setmetatable

local context = {}

function context.get(key)
  local values = native.context()
  return values and values[key]
end

local Restore = {}

function Restore.__close(outer)
  native.set_context(outer.values)
end

-- Calls fn(...) with these values and no others.
function context.call(values, fn, ...)
  local _ <close> = setmetatable({ values = native.context() }, Restore)
  native.set_context(values)
  return fn(...)
end

-- The values with `more` over them; nil is none.
function context.extended(values, more)
  local all = {}
  for key, value in pairs(values or all) do
    all[key] = value
  end
  for key, value in pairs(more) do
    all[key] = value
  end
  return all
end

function context.with(values, fn, ...)
  check.argument("with", 1, values, "table")
  check.argument("with", 2, fn, "function")
  return context.call(context.extended(native.context(), values), fn, ...)
end

return context
