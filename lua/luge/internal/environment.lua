-- The environment as scripts see it: that of the process, with what `luge.env`
-- has loaded on top. The process itself is left as it is: other hosts, and
-- other threads, read it too.
local native = require "luge.native.environment"
local check = require "luge.internal.check"

local environment = {}

-- The same table as luge.native.environment looks into: name -> value.
local loaded = native.loaded

environment.get = native.get
environment.loaded = loaded

-- Whether a child is to have another one than that of the process.
function environment.is_changed()
  return next(loaded) ~= nil
end

local function check_pair(name, value)
  if type(name) ~= "string" or name == "" or name:find "[=%z]" then
    check.fail("bad name of an environment variable: got %s", check.describe(name))
  elseif value ~= false and type(value) ~= "string" and type(value) ~= "number" then
    check.fail("bad value of the environment variable %s: got %s, takes a string, or false",
      name, check.describe(value))
  end
end

local function merge(into, values)
  for name, value in next, values do
    check_pair(name, value)
    into[name] = value or nil
  end
end

-- The list of "NAME=value" for a child.
function environment.for_child(values, clear)
  local merged = {}
  if not clear then
    merge(merged, native.all())
    merge(merged, loaded)
  end
  merge(merged, values or {})
  local list = {}
  for name, value in next, merged do
    list[#list + 1] = name .. "=" .. value
  end
  table.sort(list)
  return list
end

return environment
