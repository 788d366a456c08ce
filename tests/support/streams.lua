-- Streams that several tests read.
local luge = require "luge"

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

return streams
