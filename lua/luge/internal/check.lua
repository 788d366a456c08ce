-- Checks of arguments and options. Each raises `invalid`, which names what is
-- wrong, what it got, and what it takes.
local native = require "luge.native.task"
local new_error, type_name = native.error, native.type_name

local check = {}

-- Raises `invalid`.
local function fail(message, ...)
  error(new_error { kind = "invalid", message = message:format(...) }, 0)
end

-- A value in the words of a message: short, and without calling metamethods.
local function describe(value)
  local kind = type_name(value)
  if kind == "number" or kind == "boolean" or kind == "nil" then
    return tostring(value)
  elseif kind == "string" then
    return #value <= 40 and ("%q"):format(value) or "a long string"
  end
  return (kind:find "^[aeiou]" and "an " or "a ") .. kind
end

local function is_callable(value)
  if type(value) == "function" then
    return true
  end
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.__call ~= nil
end

-- Takes 1e6 too, as Lua itself does for integers.
local function is_whole(value)
  return type(value) == "number" and math.tointeger(value) ~= nil and value >= 0
end

local function is_count(value)
  return is_whole(value) and value >= 1
end

local function is_seconds(value)
  return type(value) == "number" and value >= 0
end

-- What a value may be: how it is tested, and how messages call it.
local kinds = {
  boolean = { function(value) return type(value) == "boolean" end, "true or false" },
  count = { is_count, "an integer from 1" },
  ["function"] = { is_callable, "a function" },
  positive = {
    function(value) return type(value) == "number" and value > 0 and value < math.huge end,
    "a number above 0",
  },
  seconds = { is_seconds, "a number of seconds, 0 or more" },
  string = { function(value) return type(value) == "string" end, "a string" },
  table = { function(value) return type(value) == "table" end, "a table" },
  whole = { is_whole, "an integer from 0" },
}

check.fail = fail
check.describe = describe
check.is_callable = is_callable
check.is_count = is_count

-- Argument `position` of `name` must be of the kind.
function check.argument(name, position, value, kind)
  local test = kinds[kind]
  if not test[1](value) then
    fail("bad argument #%d to '%s': got %s, takes %s", position, name, describe(value), test[2])
  end
  return value
end

-- Argument `position` of `name` is wrong, and should be what `wants` says.
function check.bad_argument(name, position, value, wants)
  fail("bad argument #%d to '%s': got %s, takes %s", position, name, describe(value), wants)
end

-- Raises where a method was called with a dot. A text is not shown: it may be a
-- URL with a password.
function check.own(self, class, what, method)
  if getmetatable(self) ~= class then
    fail("%s: called on %s: write %s:%s(...), with a colon", method,
      type(self) == "string" and "a string" or describe(self), what, method)
  end
end

-- The arguments of a `write`, strings and numbers, as one text.
function check.written(...)
  local count = select("#", ...)
  for i = 1, count do
    local value = select(i, ...)
    if type(value) ~= "string" and type(value) ~= "number" then
      check.bad_argument("write", i, value, "a string or a number")
    end
  end
  return count == 1 and tostring((...)) or table.concat { ... }
end

-- `name` reads a table as a list: one that has fields and no items was probably
-- meant to be an item.
function check.list(name, list)
  local key = list[1] == nil and list.n == nil and next(list) or nil
  if key ~= nil then
    fail("bad argument #1 to '%s': got a table with the key %s and no items, takes a list",
      name, describe(key))
  end
  return list
end

local function known_names(known)
  local names = {}
  for name in pairs(known) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  return table.concat(names, ", ")
end

local empty = {}

-- An options table: each name must be in `known`, which says the kind of each
-- option, or true for one that is checked elsewhere. nil is an empty one.
function check.options(name, options, known)
  if options == nil then
    return empty
  elseif type(options) ~= "table" then
    fail("bad options for '%s': got %s, takes a table", name, describe(options))
  end
  for key, value in next, options do
    local kind = known[key]
    if kind == nil then
      fail("unknown option %s for '%s', which knows: %s", describe(key), name,
        known_names(known))
    elseif kind ~= true and not kinds[kind][1](value) then
      fail("bad option '%s' for '%s': got %s, takes %s", key, name, describe(value),
        kinds[kind][2])
    end
  end
  return options
end

return check
