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

-- What the branches share. `turn` is held by the one that reads the source;
-- `room` is set when a buffer has become shorter.
local Tee = {}
Tee.__index = Tee

-- Whether a branch other than `own` has no room for another item.
function Tee:is_any_full(own)
  for _, branch in ipairs(self.branches) do
    if branch ~= own and branch.open and branch.last - branch.first + 1 >= self.limit then
      return true
    end
  end
  return false
end

-- Reads an item for all, holding the turn; nothing for a branch that was closed
-- while it waited for the others.
function Tee:read(own)
  while own.open and self:is_any_full(own) do
    self.room:clear()
    self.room:wait()
  end
  if not own.open then
    return nil
  end
  local item = self.source.raw()
  if item ~= nil then
    for _, branch in ipairs(self.branches) do
      if branch ~= own and branch.open then
        push(branch, item)
      end
    end
  end
  return item
end

function Tee:next_of(own)
  if is_empty(own) then
    self.turn.lock:acquire()
    local _ <close> = self.turn
    if is_empty(own) then -- the one before may have filled it
      return self:read(own)
    end
  end
  local item = shift(own)
  self.room:set()
  return item
end

function Tee:close(own)
  own.open = false
  self.open = self.open - 1
  self.room:set()
  if self.open == 0 then
    self.source:close()
  end
end

-- `n` streams of what `source` gives; each is at most `limit` items behind.
return function(stream, source, n, limit)
  local tee = setmetatable({
    source = source, limit = limit, branches = {}, open = n,
    room = sync.event(), turn = setmetatable({ lock = sync.lock() }, Turn),
  }, Tee)
  local streams = {}
  for i = 1, n do
    local branch = new_branch()
    tee.branches[i] = branch
    streams[i] = stream.new(function()
      return tee:next_of(branch)
    end, function()
      tee:close(branch)
    end, source.wide)
  end
  return table.unpack(streams, 1, n)
end
