-- The class Stream: what gives one item at a time to whoever asks, and can be
-- closed. See lua/luge/init.lua for what streams promise.
--
-- A stream is made of `raw`, a function that gives the next item, or nil at
-- the end and ever after, and `shut`, which frees what is behind it. Operators
-- are functions around the `raw` of the stream they take over, so that an item
-- passes through several of them without a task or a queue. What they keep
-- between two items is safe because only one task is inside at a time: the
-- outermost stream has a lock, the gate, that readers take in their order.
--
-- A `raw` that raises or is cancelled must leave its state so that the next
-- call goes on where it stopped: no item is lost.
local producer = require("luge.native.stream").stream
local new_gate = require("luge.native.gate").gate
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local from = require "luge.internal.from"
local is_error = require("luge.native.task").is_error
local setmetatable, unpack = setmetatable, table.unpack
local error, pcall, getmetatable = error, pcall, getmetatable

--- Values that come one after the other, when they are asked for:
--- `for v in s do`, `:next()`, `:collect()`.
---@class luge.Stream
local Stream = { __name = "Stream", is_luge_stream = true }
Stream.__index = Stream

local stream = { Stream = Stream }

-- Makes `item`, which gives the next item to one task at a time, and `pull`,
-- which spreads rows.
local function open_gate(self)
  local gate, enter = new_gate()
  local function item()
    enter()
    local _ <close> = gate
    return self.raw()
  end
  local wide = self.wide
  self.item = item
  self.pull = wide and function()
    local row = item()
    if row ~= nil then
      return unpack(row, 1, wide)
    end
    return nil
  end or item
  return self.pull
end

-- A Stream. `raw` as above; `shut()`, which may wait and is called once, or
-- nil. `wide`: each item is a row, a list of that many values, and readers get
-- them one beside the other.
function stream.new(raw, shut, wide)
  return setmetatable({ raw = raw, shut = shut or false, wide = wide or false }, Stream)
end

-- What functions return that open a stream: the generic `for` closes it.
function stream.open(raw, shut, wide)
  local self = stream.new(raw, shut, wide)
  return self, nil, nil, self
end

-- A function that gives the stream's items, rows as they are.
function stream.items(self)
  if not self.item then
    open_gate(self)
  end
  return self.item
end

--- The next item. Waits until there is one.
---
--- Raises what the producer raised, every time; and `closed`, if the task of
--- the stream was cancelled. If the wait is cancelled, or a function that an
--- operator applies raises, the next call goes on with the same item.
---@return any # nil at the end, and after `close`
function Stream:next()
  if not self then -- the others are checked at the end of this file
    check.own(self, Stream, "stream", "next")
  end
  return (self.pull or open_gate(self))()
end

function Stream:__call()
  return (self.pull or open_gate(self))()
end

local function nothing()
  return nil
end

--- Ends the stream: the producer is cancelled, its `<close>` handlers run, and
--- are waited for, for five seconds at most. Whoever reads gets nil. Closing
--- it again does nothing.
---
--- Raises what a handler of the producer raises.
function Stream:close()
  local shut = self.shut
  self.raw, self.item, self.pull, self.shut = nothing, nothing, nothing, false
  if shut then
    shut()
  end
end

Stream.__close = Stream.close

--- For a `for` that closes the stream however it is left:
--- `for v in s:iter() do`.
---@return luge.Stream, nil, nil, luge.Stream
function Stream:iter()
  return self, nil, nil, self
end

--- Reads the stream to its end, and closes it.
---@return any[] # the items; of `luge.zip`, lists
function Stream:collect()
  local _ <close> = self
  local list, n = {}, 0
  for item in stream.items(self) do
    n = n + 1
    list[n] = item
  end
  return list
end

-- The function, to be applied to an item as `raw` gives it.
function stream.spread(self, fn)
  local wide = self.wide
  return wide and function(row)
    return fn(unpack(row, 1, wide))
  end or fn
end

--- Calls `fn(item)` for each item, then closes the stream. Both may wait.
---@param fn fun(item: any, ...: any)
function Stream:each(fn)
  check.argument("each", 1, fn, "function")
  local _ <close> = self
  fn = stream.spread(self, fn)
  for item in stream.items(self) do
    fn(item)
  end
end

--- Folds the stream: `result = fn(result, item)` for each item, from `init`,
--- or from the first item if that is nil. Closes the stream. May wait.
---@param fn fun(result: any, item: any, ...: any): any
---@param init any
---@return any # `init` for an empty stream
function Stream:reduce(fn, init)
  check.argument("reduce", 1, fn, "function")
  local _ <close> = self
  local items, result, wide = stream.items(self), init, self.wide
  if result == nil then
    result = items()
  end
  for item in items do
    if wide then
      result = fn(result, unpack(item, 1, wide))
    else
      result = fn(result, item)
    end
  end
  return result
end

-- Waits for a producer that was cancelled. If a shielded `emit` of it raised
-- `closed` for that reason, that is not an error.
local function end_of(task)
  local ok, err = pcall(task.await, task)
  if not ok and not is_error(err, "closed") then
    error(err, 0)
  end
end

-- As `open`, for the `raw` of a producer: its readers need no gate, for they
-- wait in C, in their order.
function stream.open_producer(raw, shut)
  local self = stream.new(raw, shut)
  self.item, self.pull = raw, raw
  return self:iter()
end

-- A stream from a producer: `fn(emit)` runs as a task, `ahead` items before
-- the reader; `shut`, if any, is called once the task has ended.
function stream.produce(fn, ahead, shut, wide)
  local next, close = producer(fn, ahead)
  local open = wide and stream.open or stream.open_producer
  return open(next, function()
    local task = close()
    if task then
      closing(end_of, task)
    end
    if shut then
      shut()
    end
  end, wide)
end

-- A function that closes what an operator has taken over.
function stream.closer(source)
  return function()
    source:close()
  end
end

function stream.stream(fn)
  check.argument("stream", 1, fn, "function")
  return stream.produce(fn, 0)
end

local function close_value(value)
  local _ <close> = value
end

function stream.from(list, state, control, closer)
  local pull, value = from.pull("from", list, state, control, closer)
  if value == list then -- a Stream is one already
    return list, nil, nil, list
  end
  return stream.open(pull, value and function()
    close_value(value)
  end)
end

function stream.is(value)
  return getmetatable(value) == Stream
end

-- A method that says so where it is called with a dot.
local function checked(name, method)
  return function(self, a, b)
    check.own(self, Stream, "stream", name)
    return method(self, a, b)
  end
end

local operators = require "luge.internal.operators"
for name, method in pairs(operators(stream)) do
  Stream[name] = checked(name, method)
end
for _, name in ipairs { "close", "iter", "collect", "each", "reduce" } do
  Stream[name] = checked(name, Stream[name])
end

return stream
