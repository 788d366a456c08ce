-- A whole body, read piece by piece to say how far it is.
local new_error = require("luge.native.task").error
local answers = require "luge.internal.http_answer"
local native = require "luge.native.http_client"

local function refuse(response, max)
  response:close()
  error(new_error {
    kind = "limit", what = "body", limit = max, url = native.mask(response.url),
    message = native.mask(response.url) .. ": the body is too long",
  }, 0)
end

-- Reads the streamed response; returns one that is not.
return function(response, on_progress, max)
  local pieces, received = {}, 0
  local total = not response.headers["content-encoding"]
    and tonumber(response.headers["content-length"]) or nil
  for piece in response:chunks() do
    received = received + #piece
    if received > max then
      refuse(response, max)
    end
    pieces[#pieces + 1] = piece
    on_progress { received = received, total = total }
  end
  return answers.new(response.status, response.headers, table.concat(pieces), response.url)
end
