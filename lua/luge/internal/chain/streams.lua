-- Sources as Streams for the consumer, and Streams as sources.

local from = require "luge.internal.from"
local stream = require "luge.internal.stream"

local streams = {}

--- A Stream of what a producer gives (see producer.lua), as functions that open
--- one return it: for the generic `for`, which closes it.
function streams.open(pull, close)
  return stream.open_producer(pull, close)
end

--- Two values at a time: the pieces are lists of two.
function streams.open_pairs(pull, close)
  return stream.open(pull, close, 2)
end

--- A Stream without the values for `for`.
function streams.of(pull, close)
  return stream.new(pull, close)
end

--- The source of a list, an iterator or a Stream.
function streams.source(where, list)
  local pull, value = from.pull(where, list)
  return pull, value and function()
    local _ <close> = value
    value = nil
  end
end

--- A list of `n` sources, { pull, close } each, with the same pieces. Each is
--- to be read by another task; none is far ahead of the others.
function streams.tee(pull, close, n)
  local sources = {}
  for i, branch in ipairs { stream.new(pull, close):tee(n) } do
    sources[i] = { stream.items(branch), function() branch:close() end }
  end
  return sources
end

return streams
