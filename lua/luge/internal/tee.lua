-- `stream:tee`: whichever branch asks first reads the source, one at a time,
-- and puts the item into the buffers of the others. No task is needed, and a
-- reader that is cancelled leaves nothing behind.
local sync = require "luge.native.sync"

-- A queue of items, and whether the branch is still read.
local function new_branch()
  return { first = 1, last = 0, open = true }
end

local function push(branch, item)
  branch.last = branch.last + 1
  branch[branch.last] = item
end

local function shift(branch)
  local item = branch[branch.first]
  branch[branch.first] = nil
  branch.first = branch.first + 1
  return item
end

local function is_empty(branch)
  return branch.first > branch.last
end

local Turn = {}

function Turn.__close(turn)
  turn.lock:release()
end

return function(stream, source, n, limit)
  local branches, room = {}, sync.event()
  local turn = setmetatable({ lock = sync.lock() }, Turn)

  local function is_any_full(own)
    for _, branch in ipairs(branches) do
      if branch ~= own and branch.open and branch.last - branch.first + 1 >= limit then
        return true
      end
    end
    return false
  end

  -- Reads an item for all, holding the turn.
  local function read(own)
    while is_any_full(own) do
      room:clear()
      room:wait()
    end
    local item = source.raw()
    if item ~= nil then
      for _, branch in ipairs(branches) do
        if branch ~= own and branch.open then
          push(branch, item)
        end
      end
    end
    return item
  end

  local function next_of(own)
    if is_empty(own) then
      turn.lock:acquire()
      local _ <close> = turn
      if is_empty(own) then -- the one before may have filled it
        return read(own)
      end
    end
    local item = shift(own)
    room:set()
    return item
  end

  local open = n
  local function close(own)
    own.open = false
    open = open - 1
    room:set()
    if open == 0 then
      source:close()
    end
  end

  local streams = {}
  for i = 1, n do
    local branch = new_branch()
    branches[i] = branch
    streams[i] = stream.new(function()
      return next_of(branch)
    end, function()
      close(branch)
    end, source.wide)
  end
  return table.unpack(streams, 1, n)
end
