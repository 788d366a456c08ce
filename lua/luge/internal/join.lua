-- Streams made of several: `merge` and `zip`.
local native = require "luge.native.task"
local check = require "luge.internal.check"
local from = require "luge.internal.from"
local stream = require "luge.internal.stream"
local spawn_at, script_level, scope = native.spawn_at, native.script_level, native.scope

local join = {}

-- The functions that read the members of a list, up to its first nil, and one
-- that closes them all, also when closing one of them raises.
local function sources(name, list)
  if type(list) ~= "table" or stream.is(list) then
    check.bad_argument(name, 1, list, "a list of streams, lists or iterators")
  end
  check.list(name, list)
  local pulls, closers = {}, {}
  for i = 1, math.huge do
    if list[i] == nil then
      break
    elseif not from.can_pull(list[i]) then
      check.fail("bad list for '%s': item %d is %s, takes a list, an iterator or a Stream",
        name, i, check.describe(list[i]))
    end
    local closer
    pulls[i], closer = from.pull(name, list[i])
    closers[#closers + 1] = closer
  end
  local function close(at)
    if closers[at] then
      local _ <close> = closers[at]
      close(at + 1)
    end
  end
  return pulls, function()
    close(1)
  end
end

-- The first error ends the stream; those of sources that fail beside it are
-- dropped, as those of `gather` are.
function join.merge(list)
  local pulls, close = sources("merge", list)
  return stream.produce(function(emit)
    scope(function()
      local level = script_level()
      for _, pull in ipairs(pulls) do
        spawn_at(level, function()
          for item in pull do
            emit(item)
          end
        end)
      end
    end)
  end, 0, close)
end

-- A row that is not complete is kept for the next call.
function join.zip(list)
  local pulls, close = sources("zip", list)
  local n = #pulls
  local row, filled, ended = {}, 0, n == 0
  return stream.open(function()
    while filled < n and not ended do
      local item = pulls[filled + 1]()
      if item == nil then
        ended = true
        close()
      else
        filled = filled + 1
        row[filled] = item
      end
    end
    if ended then
      return nil
    end
    local full = row
    row, filled = {}, 0
    return full
  end, close, n)
end

return join
