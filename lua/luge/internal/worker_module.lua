-- On a worker: the function that the name of a module stands for, "module" or
-- "module:field". The module is loaded by the job, which may wait for it.
local require, type, getmetatable, error = require, type, getmetatable, error

local function fail(text, ...)
  local new_error = require("luge.native.task").error
  error(new_error { kind = "invalid", message = text:format(...) }, 0)
end

local function is_callable(value)
  local metatable = getmetatable(value)
  return type(value) == "function" or type(metatable) == "table" and metatable.__call ~= nil
end

local function find(name)
  local module, field = name:match "^(.-):(.*)$"
  local value = require(module or name)
  if field then
    if type(value) ~= "table" then
      fail("module '%s' is a %s, and has no function '%s'", module, type(value), field)
    end
    value = value[field]
  end
  if not is_callable(value) then
    fail("'%s' is a %s, and a worker takes the name of a function", name, type(value))
  end
  return value
end

return function(name)
  return function(...)
    return find(name)(...)
  end
end
