-- The append-only logs of luge.store.
local native = require "luge.native.store"
local check = require "luge.internal.check"
local codec = require "luge.internal.store_codec"
local stream = require "luge.internal.stream"

local PAGE <const> = 128

local log = {}

--- A log: entries that are numbered from 1 as they come, without gaps. No
--- number is given twice, also after `truncate`. As with the store's other
--- functions, `store` is raised for what SQLite cannot do.
---@class luge.store.Log
---@field package part luge.store.Part
---@field package name string
local Log = { __name = "luge.store.Log" }
Log.__index = Log

function log.new(part, name)
  return setmetatable({ part = part, name = name }, Log)
end

--- Adds a value at the end. Waits until it is on the disk.
---@param value any as for `put`
---@return integer # its number
function Log:append(value)
  local bytes, is_json = codec.encode(self.part, "append", 1, value)
  return native.append(self.part.native, self.name, bytes, is_json)
end

local function same(number)
  return number
end

local read_options = { from = "whole", limit = "count" }

--- The entries, oldest first: a Stream of their numbers and values. It ends
--- with the last one that is there when it has come so far.
---@param options? { from?: integer, limit?: integer } default: from the first one, all
---@return luge.Stream, nil, nil, luge.Stream
function Log:read(options)
  options = check.options("read", options, read_options)
  local from = options.from or 0
  return stream.open(codec.pages(function(count)
    local rows = native.read(self.part.native, self.name, from, count)
    from = rows[1] and rows[#rows - 2] + 1 or from
    return rows
  end, options.limit or math.huge, PAGE, same), nil, 2)
end

--- The last entry: its number and value; nothing if there is none. Waits.
---@return integer?, any
function Log:last()
  local first, next_number = native.bounds(self.part.native, self.name)
  if first == next_number then
    return nil
  end
  local rows = native.read(self.part.native, self.name, next_number - 1, 1)
  if rows[1] then
    return rows[1], codec.decode(rows[2], rows[3])
  end
  return nil
end

--- How many entries there are. Waits.
---@return integer
function Log:length()
  local first, next_number = native.bounds(self.part.native, self.name)
  return next_number - first
end

--- Takes the entries away whose numbers are below `before`. Waits until that is
--- on the disk.
---@param before integer
---@return integer # how many there were
function Log:truncate(before)
  check.argument("truncate", 1, before, "whole")
  return native.truncate(self.part.native, self.name, before)
end

return log
