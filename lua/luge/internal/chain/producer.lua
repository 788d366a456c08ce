-- Sources that need a task: the body runs in one of its own, which belongs to
-- the task that made the source, and goes on when the next piece is asked for.

local new_producer = require("luge.native.stream").stream
local timeout = require("luge.native.task").timeout
local closing = require "luge.internal.closing"
local join = require "luge.internal.chain.join"

local producer = {}

local Closing = {}

function Closing.__close(self)
  self.close()
end

--- A value for `local _ <close> =` that closes a source; of nil, nil.
function producer.closing(close)
  return close and setmetatable({ close = close }, Closing) or nil
end

--- A function that calls both, the second also if the first raises; either may
--- be nil.
function producer.closing_both(first, second)
  if not (first and second) then return first or second end
  return function()
    local _ <close> = producer.closing(second)
    first()
  end
end

--- `body(emit)` makes the pieces; emit(piece) waits for the consumer, and may be
--- called by several tasks. Its error is raised by pull, after the pieces
--- before it. Returns pull, close.
function producer.open(body)
  local pull, stop = new_producer(body, 0)
  return pull, function()
    local task = stop()
    if task then closing(task.await, task) end
  end
end

--- A source that is begun, and read, by a task of its own when the first piece
--- is asked for: what `begin()` spawns belongs to that task, not to the block
--- that the consumer happens to be in. `close` closes what it is made from.
function producer.lazily(begin, close)
  local make
  local pull, stop = producer.open(function(emit)
    local pull_begun, close_begun, make_begun = begin()
    local _ <close> = producer.closing(close_begun)
    make = make_begun
    for piece in pull_begun do emit(piece) end
  end)
  return pull, producer.closing_both(stop, close), join.deferred(function() return make end)
end

--- A source under a deadline, which begins with its first piece. It is read by
--- a task of its own: a block around each pull would own what that spawns.
function producer.within(seconds, pull, close, make)
  local bounded, stop = producer.open(function(emit)
    timeout(seconds, function()
      for piece in pull do emit(piece) end
    end)
  end)
  return bounded, producer.closing_both(stop, close), make
end

return producer
