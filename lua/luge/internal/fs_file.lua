-- Open files: a native file, and what was read of it ahead of whoever reads
-- lines. A lock gives the file to one operation at a time.
local lock = require("luge.native.sync").lock
local tasks = require "luge.native.task"
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local stream = require "luge.internal.stream"

local new_error = tasks.error

local DEFAULT_LIMIT <const> = 64 << 20
local LINE_LIMIT <const> = 16 << 20
local PIECE <const> = 64 << 10

--- An open file. Each method waits. One that is used after `close` raises
--- `closed`.
---@class luge.fs.File
---@field path string
local File = { __name = "File" }
File.__index = File

local fs_file = {}

function fs_file.new(native)
  return setmetatable({
    native = native,
    path = native:name(),
    ahead = "", -- was read; from `from` on it is still to be given
    from = 1,
    turn = lock(),
  }, File)
end

local function too_long(self, what, limit)
  error(new_error {
    kind = "limit",
    message = ("%s of %s is longer than %d bytes"):format(what, self.path, limit),
    what = "bytes",
    limit = limit,
    path = self.path,
  }, 0)
end

-- Up to `count` bytes, first of what was read ahead; nil at the end.
local function take(self, count)
  local ahead, from = self.ahead, self.from
  if from > #ahead then
    return self.native:read(count)
  end
  self.from = from + count
  return ahead:sub(from, from + count - 1)
end

local function set_ahead(self, text)
  self.ahead, self.from = text, 1
end

-- Puts parts back for the next read, also after an error.
local function put_back(self, parts)
  set_ahead(self, table.concat(parts) .. self.ahead:sub(self.from))
end

local function read_parts(self, parts, wanted)
  local length = 0
  while length < wanted do
    local piece = take(self, math.min(wanted - length, 1 << 20))
    if not piece then
      break
    end
    parts[#parts + 1] = piece
    length = length + #piece
  end
  return length
end

-- Reads `wanted` bytes or what there is; a cancelled read keeps its pieces.
local function read_whole(self, wanted)
  local parts = {}
  local ok, result = pcall(read_parts, self, parts, wanted)
  if not ok then
    put_back(self, parts)
    error(result, 0)
  end
  return table.concat(parts), result
end

local function read_rest(self, limit)
  local text, length = read_whole(self, limit + 1)
  if length > limit then
    put_back(self, { text })
    too_long(self, "the rest", limit)
  end
  return text
end

--- The next `count` bytes, fewer only at the end of the file, and nil there.
--- Without a count: all that is left, "" at the end; more than `limit` bytes
--- (64 MiB) raise `limit`, and can still be read.
---@param count? integer
---@param limit? integer
---@return string?
function File:read(count, limit)
  if count == nil then
    limit = limit == nil and DEFAULT_LIMIT or check.argument("read", 2, limit, "whole")
    local _ <close> = self.turn:hold()
    return read_rest(self, limit)
  end
  check.argument("read", 1, count, "count")
  local _ <close> = self.turn:hold()
  local text, length = read_whole(self, count)
  return length > 0 and text or nil
end

-- Forgets what was read ahead: the file's position becomes the one that the
-- reader has reached.
local function forget_ahead(self)
  local left = #self.ahead - self.from + 1
  local position = left > 0 and self.native:position()
  if position then
    self.native:position(position - left)
  end
  set_ahead(self, "")
end

--- Writes the strings or numbers one behind the other, at the current place, or
--- at the end of a file opened with "a".
---@param ... string|number
---@return luge.fs.File self
function File:write(...)
  local text = check.written(...)
  local _ <close> = self.turn:hold()
  forget_ahead(self)
  self.native:write(text)
  return self
end

local origins = { set = true, cur = true, ["end"] = true }

--- Moves to `offset` bytes from the beginning ("set"), the current place
--- ("cur") or the end ("end"), and tells the place, from 0.
---@param whence? "set"|"cur"|"end" default "cur"
---@param offset? integer default 0
---@return integer
function File:seek(whence, offset)
  whence, offset = whence or "cur", offset or 0
  if not origins[whence] then
    check.bad_argument("seek", 1, whence, '"set", "cur" or "end"')
  elseif math.type(offset) ~= "integer" then
    check.bad_argument("seek", 2, offset, "an integer")
  end
  local _ <close> = self.turn:hold()
  forget_ahead(self)
  local place = self.native:position()
  if not place then
    check.fail("%s is no file to seek in", self.path)
  end
  if whence == "end" then
    place = self.native:stat().size
  end
  place = (whence == "set" and 0 or place) + offset
  if place < 0 then
    check.fail("'seek' in %s: %d is before the beginning", self.path, place)
  end
  return self.native:position(place)
end

--- Returns once all that was written is on the disk. Where it could not be
--- written there, this call and every further one raises `io`.
function File:sync()
  local _ <close> = self.turn:hold()
  self.native:sync()
end

--- What is known of the file, as by `fs.stat`.
---@return luge.fs.Stat
function File:stat()
  return self.native:stat()
end

--- Closes the file; again does nothing. Raises `io` if what was written turns
--- out not to have been; where nobody waits for that, as when the file is
--- collected, it is reported. A temporary one is removed.
function File:close()
  set_ahead(self, "")
  self.native:close()
end

function File:__close()
  if tasks.can_wait() then
    closing(File.close, self)
  else
    File.close(self)
  end
end

local function piece(self, size)
  local _ <close> = self.turn:hold()
  return take(self, size)
end

--- A Stream of pieces of at most `size` bytes (64 KiB). Does not close the
--- file.
---@param size? integer
---@return luge.Stream, nil, nil, luge.Stream
function File:chunks(size)
  size = size == nil and PIECE or check.argument("chunks", 1, size, "count")
  return stream.open(function()
    return piece(self, size)
  end)
end

-- Reads on until an end of line has come, more than `limit` bytes, or the end
-- of the file. The pieces are joined once, however long the line. A cancelled
-- read keeps them.
local function read_line(self, limit, parts)
  local length = #parts[1]
  while length <= limit do
    local more = self.native:read(PIECE)
    if not more then
      return
    end
    parts[#parts + 1] = more
    if more:find("\n", 1, true) then
      return
    end
    length = length + #more
  end
end

local function fill(self, limit)
  local parts = { self.ahead:sub(self.from) }
  local ok, err = pcall(read_line, self, limit, parts)
  set_ahead(self, table.concat(parts))
  if not ok then
    error(err, 0)
  end
end

local function next_line(self, limit)
  local _ <close> = self.turn:hold()
  local at = self.ahead:find("\n", self.from, true)
  if not at then
    fill(self, limit)
    at = self.ahead:find("\n", 1, true)
  end
  local ahead, from = self.ahead, self.from
  local last = (at or #ahead + 1) - 1
  if last - from >= limit then
    too_long(self, "a line", limit)
  elseif not at and from > #ahead then
    return nil
  end
  self.from = last + 2
  if at and last >= from and ahead:byte(last) == 13 then
    last = last - 1
  end
  return ahead:sub(from, last)
end

local line_options = { limit = "whole" }

--- A Stream of lines, without their ends ("\n" or "\r\n"). One longer than
--- `limit` bytes (16 MiB) raises `limit`. Does not close the file.
---@param options? { limit?: integer }
---@return luge.Stream, nil, nil, luge.Stream
function File:lines(options)
  local limit = fs_file.line_limit(options)
  return stream.open(function()
    return next_line(self, limit)
  end)
end

-- Of the options of `lines`. Raises `invalid`.
function fs_file.line_limit(options)
  return check.options("lines", options, line_options).limit or LINE_LIMIT
end

-- The lines of a file that the stream closes.
function fs_file.owned_lines(self, limit)
  return stream.open(function()
    return next_line(self, limit)
  end, function()
    self:__close()
  end)
end

return fs_file
