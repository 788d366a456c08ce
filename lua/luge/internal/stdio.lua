-- luge.stdin, luge.stdout and luge.stderr: the standard streams for tasks that
-- wait. `io.read`, `print` and the like use the same buffers, so both may be
-- mixed.
local native = require "luge.native.stdio"
local check = require "luge.internal.check"
local stream = require "luge.internal.stream"

local MAX_LINE, MAX_ALL = 16 << 20, 64 << 20 -- bytes

--- Standard input, for tasks that wait: `luge.stdin`.
---@class luge.Stdin
local Stdin = { __name = "luge.Stdin" }
Stdin.__index = Stdin

--- Waits for `n` bytes and returns them; fewer at the end, then nil. Without
--- `n`, what comes next, as it comes. Several tasks read in their order.
---
--- Raises `io` (`errno`) when the descriptor cannot be read.
---@param n? integer bytes, from 0
---@return string?
function Stdin:read(n) -- luacheck: no self
  if n == nil then
    return native.take("chunk")
  end
  return native.take(check.argument("read", 1, n, "whole"))
end

---@class luge.StdinLinesOptions
---@field max_line? integer bytes that a line may have; default 16 MiB

--- A stream of the lines, without their newlines. Nothing is read ahead of
--- what was asked for, and closing the stream leaves the rest to be read.
---
--- Its reader raises `limit` at a line of more than `max_line` bytes, which
--- stays to be read by other means, and `io` as `read` does.
---@param options? luge.StdinLinesOptions
---@return luge.Stream, nil, nil, luge.Stream
function Stdin:lines(options) -- luacheck: no self
  options = check.options("lines", options, { max_line = "count" })
  local limit, take = options.max_line or MAX_LINE, native.take
  return stream.open(function()
    return take("line", limit)
  end)
end

---@class luge.StdinAllOptions
---@field max? integer bytes that may come; default 64 MiB

--- Waits for the end, and returns all that came; "" if nothing did.
---
--- Raises `limit` when more than `max` bytes come, which stay to be read by
--- other means, and `io` as `read` does.
---@param options? luge.StdinAllOptions
---@return string
function Stdin:all(options) -- luacheck: no self
  options = check.options("all", options, { max = "count" })
  return native.take("all", options.max or MAX_ALL)
end

--- Standard output or standard error: `luge.stdout`, `luge.stderr`.
---@class luge.Output
---@field stream integer the descriptor
local Output = { __name = "luge.Output" }
Output.__index = Output

--- Prints strings and numbers. Waits while a slow reader leaves no room: then
--- other tasks go on, where `print` would hold them up. What tasks write comes
--- in their order, each write in one piece.
---
--- Raises `closed` when the reader is gone, and `io` (`errno`) when the
--- descriptor cannot be written. A write that is cancelled may have printed a
--- part.
---@param ... string|number
---@return luge.Output # itself
function Output:write(...)
  native.write(self.stream, check.written(...))
  return self
end

--- Waits until all that was printed has been taken by the system.
---
--- Raises as `write` does.
---@return luge.Output # itself
function Output:flush()
  native.flush(self.stream)
  return self
end

return {
  stdin = setmetatable({}, Stdin),
  stdout = setmetatable({ stream = 1 }, Output),
  stderr = setmetatable({ stream = 2 }, Output),
}
