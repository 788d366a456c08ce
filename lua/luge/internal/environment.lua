-- The environment as scripts see it: that of the process, with what `luge.env`
-- has loaded on top. The process itself is left as it is: other hosts, and
-- other threads, read it too.
local native = require "luge.native.environment"
local check = require "luge.internal.check"

local environment = {}

environment.get = native.get
environment.set = native.set

--- The value of a variable that may be unset: nil where it is not permitted.
environment.try = native.try

local function check_pair(name, value)
  if type(name) ~= "string" or name == "" or name:find "[=%z]" then
    check.fail("bad name of an environment variable: got %s", check.describe(name))
  elseif value ~= false and type(value) ~= "string" and type(value) ~= "number" then
    check.fail("bad value of the environment variable %s: got %s, takes a string, or false",
      name, check.describe(value))
  end
end

--- Checks the variables that a child is to have beside those of the host.
function environment.check(values)
  for name, value in next, values do
    check_pair(name, value)
  end
end

return environment
