-- What can be read item by item: lists, iterators and Streams.
local check = require "luge.internal.check"
local getmetatable = getmetatable

local from = {}

local function of_list(list)
  local i = 0
  return function()
    local item = list[i + 1]
    if item ~= nil then
      i = i + 1
    end
    return item
  end
end

-- An iterator of the generic `for`; only its first value counts. It is not
-- called again once it has ended.
local function of_iterator(iterator, state, control)
  local ended = false
  return function()
    if ended then
      return nil
    end
    control = iterator(state, control)
    ended = control == nil
    return control
  end
end

local function is_stream(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.is_luge_stream
end

-- Whether `pull` takes it.
function from.can_pull(value)
  return type(value) == "table" or check.is_callable(value)
end

-- An iterator given alone may be what is to be closed itself: a body's reader is.
local function closable(iterator)
  local metatable = getmetatable(iterator)
  return type(metatable) == "table" and metatable.__close and iterator or nil
end

-- A function that gives the next item, or nil at the end; and a value with
-- `__close` that is to be closed when no more will be read, or nil.
function from.pull(name, list, state, control, closing)
  if is_stream(list) then
    return require("luge.internal.stream").items(list), list
  elseif check.is_callable(list) then
    return of_iterator(list, state, control), closing or closable(list)
  elseif type(list) == "table" then
    return of_list(check.list(name, list))
  end
  return check.bad_argument(name, 1, list, "a list, an iterator or a Stream")
end

return from
