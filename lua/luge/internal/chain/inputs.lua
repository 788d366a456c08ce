-- What a batch reads: a table, an iterator function or a Stream, one input at
-- a time and only when there is somebody to take it.

local sync = require "luge.native.sync"
local check = require "luge.internal.chain.check"
local streams = require "luge.internal.chain.streams"

-- A list ends at the first nil; one that has its length in `n`, as lists of
-- outputs do, may contain nils.
local function from_list(list)
  local i, n = 0, math.type(list.n) == "integer" and list.n or nil
  return function()
    local input = list[i + 1]
    if n and i >= n or not n and input == nil then return nil end
    i = i + 1
    return i, input
  end
end

-- An iterator may wait: the lock keeps other tasks from calling it meanwhile.
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
