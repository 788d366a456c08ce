-- An async generator, and the `async for` that reads it. `emit` waits until the
-- reader asks for the next piece, so a slow reader slows the producer down.

local luge = require "luge"

local function response()
  return luge.stream(function(emit)
    for i = 0, 2 do
      luge.sleep(0.1) -- in place of a network that brings the next piece
      emit("piece " .. i)
    end
  end)
end

for piece in response() do
  print(piece)
end

-- Prints:
--   piece 0
--   piece 1
--   piece 2
