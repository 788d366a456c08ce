-- Argument and option checks of luge.chain and luge.llm. A validator is a
-- function of the value that returns nil, or in words what the option takes.

local common = require "luge.internal.check"

local check = {}

--- Raises `invalid` with the message.
check.invalid = common.fail

local invalid, is_callable = check.invalid, common.is_callable

check.is_callable = is_callable
check.list = common.list
check.own = common.own

--- A value as a message should name it.
function check.describe(value)
  local metatable = type(value) == "table" and getmetatable(value)
  local name = type(metatable) == "table" and rawget(metatable, "__name")
  return type(name) == "string" and "a " .. name or common.describe(value)
end

function check.string(value)
  return type(value) ~= "string" and "a string" or nil
end

function check.boolean(value)
  return type(value) ~= "boolean" and "true or false" or nil
end

function check.table(value)
  return type(value) ~= "table" and "a table" or nil
end

function check.number(value)
  return type(value) ~= "number" and "a number" or nil
end

function check.seconds(value)
  local ok = type(value) == "number" and value > 0 and value < math.huge
  return not ok and "a number of seconds above 0" or nil
end

function check.count(value)
  return not (math.type(value) == "integer" and value >= 1)
    and "an integer of at least 1" or nil
end

function check.natural(value)
  return not (math.type(value) == "integer" and value >= 0)
    and "an integer of at least 0" or nil
end

function check.callable(value)
  return not is_callable(value) and "a function" or nil
end

function check.strings(value)
  if type(value) == "table" then
    for _, item in ipairs(value) do
      if type(item) ~= "string" then return "a list of strings" end
    end
    return nil
  end
  return "a list of strings"
end

--- A list: of a table with names, a single tool say, nothing would be seen.
function check.plain_list(value)
  local ok = type(value) == "table" and (#value > 0 or next(value) == nil)
  return not ok and "a list" or nil
end

function check.any() end

--- The keys of a table, sorted, as a list in words.
function check.names(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = tostring(name) end
  table.sort(names)
  return table.concat(names, ", ")
end

--- Refuses what is no table, options that `known` (name -> validator) does not
--- have, and values that their validator does not take.
function check.options(where, options, known)
  if type(options) ~= "table" then
    invalid("%s: got %s, takes a table of options", where, check.describe(options))
  end
  for name, value in pairs(options) do
    local validator = known[name]
    if validator == nil then
      invalid("%s: there is no option '%s'; it takes %s", where, tostring(name),
        check.names(known))
    end
    local wants = validator(value)
    if wants then
      invalid("%s: option '%s' is %s, takes %s", where, name, check.describe(value), wants)
    end
  end
  return options
end

--- Raises unless the validator takes the argument.
function check.argument(where, value, validator)
  local wants = validator(value)
  if wants then invalid("%s: got %s, takes %s", where, check.describe(value), wants) end
  return value
end

return check
