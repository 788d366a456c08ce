-- What a batch reads: a table, an iterator function or a Stream, one input at
-- a time and only when there is somebody to take it.

local sync = require "luge.native.sync"
local check = require "luge.internal.chain.check"
local streams = require "luge.internal.chain.streams"

local function from_list(list)
  local i = 0
  return function()
    i = i + 1
    local input = list[i]
    if input ~= nil then return i, input end
  end
end

-- An iterator may wait: the lock keeps a second task out of it meanwhile.
local function from_iterator(iterate)
  local lock, i, ended = sync.lock(), 0, false
  return function()
    local _ <close> = lock:hold()
    if ended then return nil end
    local input = iterate()
    if input == nil then
      ended = true
      return nil
    end
    i = i + 1
    return i, input
  end
end

--- A function that gives an index and an input, or nil; and a function that
--- closes what they come from, or nil.
return function(where, inputs)
  if type(inputs) == "table" and not check.is_callable(inputs) then
    return from_list(check.list(where, inputs))
  end
  local pull, close = streams.source(where, inputs)
  return from_iterator(pull), close
end
