-- Streams that several tests read.
local luge = require "luge"
local closing = dofile("tests/support/tasks.lua").closing

local streams = {}

--- 1 to n, one each second.
function streams.paced(n)
  return (luge.stream(function(emit)
    for i = 1, n do
      luge.sleep(1)
      emit(i)
    end
  end))
end

--- A stream of 1 to n, or without an end, from a producer; `log` says what it
--- has emitted, and when it was closed.
function streams.numbers(n, log)
  log = log or {}
  return (luge.stream(function(emit)
    local _ <close> = closing(function() log.closed = true end)
    for i = 1, n or math.huge do
      log[#log + 1] = i
      emit(i)
    end
  end))
end

--- A stream that raises after so many items.
function streams.broken(n, err)
  return (luge.stream(function(emit)
    for i = 1, n do
      emit(i)
    end
    error(err or "broken", 0)
  end))
end

--- What a stream gives until it raises, and the error.
function streams.drain(s)
  local items = {}
  local ok, err = pcall(function()
    for v in s do
      items[#items + 1] = v
    end
  end)
  return items, not ok and err or nil
end

return streams
