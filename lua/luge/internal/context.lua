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

function context.with(values, fn, ...)
  check.argument("with", 1, values, "table")
  check.argument("with", 2, fn, "function")
  local outer, inner = native.context(), {}
  for key, value in pairs(outer or {}) do
    inner[key] = value
  end
  for key, value in pairs(values) do
    inner[key] = value
  end
  local _ <close> = setmetatable({ values = outer }, Restore)
  native.set_context(inner)
  return fn(...)
end

return context
