-- Connections: a native one, and the pieces that came and were not taken yet.
-- A lock gives what comes to one reader at a time; what one had gathered when
-- it was cancelled, or went over its limit, is there for the next.
local lock = require("luge.native.sync").lock
local tasks = require "luge.native.task"
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local stream = require "luge.internal.stream"

local concat, min = table.concat, math.min

local LIMIT <const> = 16 << 20

--- A connection, over TCP or a UNIX socket. Reading, `write` and `shutdown` wait,
--- and raise `network` (`code = "reset"`) when it breaks, and `closed` once it is
--- closed. It may be read by one task and written by another at the same time.
---@class luge.net.Connection
local Connection = { __name = "Connection" }
Connection.__index = Connection

local net_connection = {}

function net_connection.new(native)
  return setmetatable({
    native = native,
    parts = {}, -- what has come; of the first one, from `from` on
    from = 1,
    length = 0, -- of what is left of them
    turn = lock(),
  }, Connection)
end

-- Waits for more; false at the end.
local function fill(self)
  local piece = self.native:read()
  if not piece then
    return false
  end
  self.parts[#self.parts + 1] = piece
  self.length = self.length + #piece
  return true
end

-- Joins all parts into one.
local function join(self)
  if #self.parts > 1 then
    self.parts[1] = self.parts[1]:sub(self.from)
    self.parts, self.from = { concat(self.parts) }, 1
  end
end

-- The next `count` bytes, which are there.
local function take(self, count)
  if count == 0 then
    return ""
  end
  if #self.parts[1] - self.from + 1 < count then
    join(self)
  end
  local part, from = self.parts[1], self.from
  local last = from + count - 1
  self.length = self.length - count
  if last < #part then
    self.from = last + 1
  else
    table.remove(self.parts, 1)
    self.from = 1
  end
  return from == 1 and last == #part and part or part:sub(from, last)
end

local function truncated(self, text)
  local partial = take(self, self.length)
  error(tasks.error {
    kind = "truncated",
    message = ("the connection ended %s, after %d bytes"):format(text, #partial),
    partial = partial,
  }, 0)
end

local function too_long(what, limit)
  error(tasks.error {
    kind = "limit",
    message = ("%s is longer than %d bytes"):format(what, limit),
    what = "bytes",
    limit = limit,
  }, 0)
end

--- What has come, as soon as there is something: at most `count` bytes. nil at
--- the end, when the other side has closed or shut down its end.
---@param count? integer default: all that has come
---@return string?
function Connection:read(count)
  if count ~= nil then
    check.argument("read", 1, count, "count")
  end
  local _ <close> = self.turn:hold()
  if self.length == 0 and not fill(self) then
    return nil
  end
  return take(self, min(count or math.huge, #self.parts[1] - self.from + 1))
end

--- Exactly `count` bytes. Raises `truncated` if the connection ends before;
--- `partial` has what came.
---@param count integer
---@return string
function Connection:read_exactly(count)
  check.argument("read_exactly", 1, count, "whole")
  local _ <close> = self.turn:hold()
  while self.length < count do
    if not fill(self) then
      truncated(self, ("%d bytes too early"):format(count - self.length))
    end
  end
  return take(self, count)
end

-- The length up to the end of `mark`; nil at the end of the connection. Each
-- byte is looked at once: `tail` has the last bytes before a part, where a mark
-- may have begun.
local function find(self, mark, limit, what)
  join(self)
  local seen, tail, from = 0, "", self.from
  local i = 1
  while true do
    local part = self.parts[i]
    if part then
      local text = tail ~= "" and tail .. part:sub(from) or part
      local first = tail ~= "" and 1 or from
      local _, last = text:find(mark, first, true)
      if last then
        local length = seen - #tail + last - first + 1
        return length - #mark <= limit and length or too_long(what, limit)
      end
      seen = seen - #tail + #text - first + 1
      tail = #mark > 1 and text:sub(-min(#mark - 1, #text - first + 1)) or ""
      from, i = 1, i + 1
      if seen - #tail > limit then
        too_long(what, limit)
      end
    elseif not fill(self) then
      return nil
    end
  end
end

--- All up to `mark`, and the mark. Raises `truncated` if the connection ends
--- before it, with what came in `partial`; `limit` if more than `limit` bytes
--- come before it, which can still be read then.
---@param mark string
---@param limit? integer bytes, default 16 MiB
---@return string
function Connection:read_until(mark, limit)
  if type(mark) ~= "string" or mark == "" then
    check.bad_argument("read_until", 1, mark, "a string that is not empty")
  end
  limit = limit == nil and LIMIT or check.argument("read_until", 2, limit, "whole")
  local _ <close> = self.turn:hold()
  local length = find(self, mark, limit, "what comes before the mark")
  return length and take(self, length) or truncated(self, "before the mark")
end

--- All that still comes, until the other side ends it. More than `limit` bytes
--- raise `limit`, and can still be read.
---@param limit? integer bytes, default 16 MiB
---@return string
function Connection:read_all(limit)
  limit = limit == nil and LIMIT or check.argument("read_all", 1, limit, "whole")
  local _ <close> = self.turn:hold()
  repeat
    if self.length > limit then
      too_long("what comes", limit)
    end
  until not fill(self)
  return take(self, self.length)
end

local function next_line(self, limit)
  local _ <close> = self.turn:hold()
  local length = find(self, "\n", limit, "a line")
  if not length then
    return self.length > 0 and take(self, self.length) or nil
  end
  local line = take(self, length)
  return line:sub(1, line:byte(-2) == 13 and -3 or -2)
end

--- The next line, without "\n" or "\r\n"; nil at the end. A last line may lack
--- its end. One longer than `limit` raises `limit`, and can still be read.
---@param limit? integer bytes, default 16 MiB
---@return string?
function Connection:read_line(limit)
  limit = limit == nil and LIMIT or check.argument("read_line", 1, limit, "whole")
  return next_line(self, limit)
end

local lines_known = { limit = "whole" }

--- A Stream of lines, as by `read_line`. Closing it leaves the connection open.
---@param options? { limit?: integer }
---@return luge.Stream
function Connection:lines(options)
  local limit = check.options("lines", options, lines_known).limit or LIMIT
  return stream.open(function() return next_line(self, limit) end)
end

--- A Stream of what comes, as by `read`.
---@return luge.Stream
function Connection:chunks()
  return stream.open(function() return self:read() end)
end

--- Sends strings or numbers, one behind the other. Waits while more than 64 KiB
--- have not been taken by the system, so that a slow reader slows its writer
--- down. What a cancelled task was writing is still sent.
---@param ... string|number
---@return luge.net.Connection self
function Connection:write(...)
  self.native:write(check.written(...))
  return self
end

--- Ends what is sent, after what was written: the other side reads to its end,
--- and can still answer. Waits until that was sent.
---@return luge.net.Connection self
function Connection:shutdown()
  self.native:shutdown()
  return self
end

--- Closes the connection. Waits until what was written has been taken by the
--- system, for five seconds at most; a task that was cancelled does not wait, and
--- what is not sent yet is dropped. Again, it does nothing.
function Connection:close()
  if self.native:close() then
    closing(self.native.closed, self.native)
  end
end

Connection.__close = Connection.close

--- This end's host and port; or the path of a UNIX socket, "" if it has none.
---@return string host
---@return integer? port
function Connection:local_address()
  return self.native:address(false)
end

--- The other end's host and port; or the path of a UNIX socket, "" if it has
--- none; nil once it is gone.
---@return string? host
---@return integer? port
function Connection:peer_address()
  return self.native:address(true)
end

return net_connection
