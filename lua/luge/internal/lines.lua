-- Lines of what comes in pieces: a Stream over a function that gives the next
-- piece, or nil at the end and ever after.
local new_error = require("luge.native.task").error
local check = require "luge.internal.check"
local stream = require "luge.internal.stream"

local lines = {}

local LIMIT <const> = 16 << 20

local known = { limit = "whole" }

-- Pieces without an end of line are kept apart until one comes, so that a long
-- line is joined once. A step that is cancelled has lost nothing: it waits only
-- before it takes a piece.
local function reader(next_piece, limit)
  local kept, kept_length = {}, 0
  local piece, from = "", 1

  local function check_length(length)
    if length > limit then
      error(new_error {
        kind = "limit",
        message = ("a line is longer than %d bytes"):format(limit),
        what = "bytes",
        limit = limit,
      }, 0)
    end
  end

  local function keep()
    kept[#kept + 1] = piece:sub(from)
    kept_length = kept_length + #piece - from + 1
    piece, from = "", 1
    check_length(kept_length)
  end

  local function finish(tail)
    kept[#kept + 1] = tail
    local line = table.concat(kept)
    kept, kept_length = {}, 0
    return line
  end

  return function()
    while true do
      local at = piece:find("\n", from, true)
      if at then
        check_length(kept_length + at - from)
        local line = finish(piece:sub(from, at - 1))
        from = at + 1
        return line:byte(-1) == 13 and line:sub(1, -2) or line
      end
      keep()
      local more = next_piece()
      if not more then
        return kept_length > 0 and finish "" or nil
      end
      piece = more
    end
  end
end

-- The lines, without "\n" or "\r\n"; one longer than `limit` raises `limit`.
function lines.open(next_piece, options)
  local limit = check.options("lines", options, known).limit or LIMIT
  return stream.open(reader(next_piece, limit))
end

return lines
