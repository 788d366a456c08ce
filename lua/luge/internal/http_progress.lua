-- A whole body, read piece by piece to say how far it is.
local is_error = require("luge.native.task").is_error
local answers = require "luge.internal.http_answer"

-- Reads the streamed response; returns one that is not. If the body breaks off,
-- the error has what came, as without `on_progress`.
return function(response, on_progress)
  local pieces, received = {}, 0
  local total = not response.headers["content-encoding"]
    and tonumber(response.headers["content-length"]) or nil
  local function read()
    local ok, piece = pcall(response.read, response)
    if not ok then
      if is_error(piece) and piece.kind ~= "limit" and piece.kind ~= "cancelled" then
        piece.partial = table.concat(pieces)
      end
      error(piece, 0)
    end
    return piece
  end
  local _ <close> = setmetatable({}, { __close = function() response:close() end })
  for piece in read do
    received = received + #piece
    pieces[#pieces + 1] = piece
    on_progress { received = received, total = total }
  end
  return answers.new(response.status, response.headers, table.concat(pieces), response.url)
end
