-- The operators of streams that need no task: functions around the `raw` of
-- the stream they take over; see stream.lua. An item whose function raises or
-- is cancelled is kept for the next call.
local check = require "luge.internal.check"

local map_options = { concurrency = "count", ordered = "boolean" }

return function(stream)
  local open, closer, spread = stream.open, stream.closer, stream.spread

  ---@class luge.Stream
  local methods = {}

  -- `apply(item)` for each item; what it returns is the item of the new
  -- stream, nil leaves it out.
  local function through(source, apply, wide)
    local kept
    return open(function()
      while true do
        local item = kept
        if item == nil then
          item = source.raw()
          if item == nil then
            return nil
          end
          kept = item
        end
        local result = apply(item)
        kept = nil
        if result ~= nil then
          return result
        end
      end
    end, closer(source), wide)
  end

  --- A stream of `fn(item)`. With a `concurrency` above 1, that many items are
  --- worked on at once, each in a task of its own, as soon as the first is
  --- asked for; `ordered = false` gives each as soon as it is there. `fn` may
  --- wait, and must not return nil (`invalid`).
  ---@param fn fun(item: any, ...: any): any
  ---@param options? { concurrency?: integer, ordered?: boolean } 1, true
  ---@return luge.Stream
  function methods:map(fn, options)
    check.argument("map", 1, fn, "function")
    options = check.options("map", options, map_options)
    fn = spread(self, fn)
    local function apply(item)
      local result = fn(item)
      if result == nil then
        check.fail("the function of 'map' returned nil, which no stream can hold")
      end
      return result
    end
    if (options.concurrency or 1) > 1 then
      local parallel = require "luge.internal.parallel"
      return parallel(stream, self, apply, options)
    end
    return through(self, apply)
  end

  --- A stream of the items for which `fn(item)` is true. `fn` may wait.
  ---@param fn fun(item: any, ...: any): any
  ---@return luge.Stream
  function methods:filter(fn)
    check.argument("filter", 1, fn, "function")
    fn = spread(self, fn)
    return through(self, function(item)
      if fn(item) then
        return item
      end
      return nil
    end, self.wide)
  end

  --- A stream of the first `n` items. When it ends, it closes the rest.
  ---@param n integer from 0
  ---@return luge.Stream
  function methods:take(n)
    local left = check.argument("take", 1, n, "whole")
    return open(function()
      if left == 0 then
        self:close()
        return nil
      end
      local item = self.raw()
      if item ~= nil then
        left = left - 1
      end
      return item
    end, closer(self), self.wide)
  end

  --- A stream without the first `n` items.
  ---@param n integer from 0
  ---@return luge.Stream
  function methods:skip(n)
    local left = check.argument("skip", 1, n, "whole")
    return open(function()
      while left > 0 do
        if self.raw() == nil then
          return nil
        end
        left = left - 1
      end
      return self.raw()
    end, closer(self), self.wide)
  end

  --- A stream of lists of `n` items; the last may be shorter.
  ---@param n integer from 1
  ---@return luge.Stream
  function methods:chunk(n)
    check.argument("chunk", 1, n, "count")
    local list, count = {}, 0
    return open(function()
      while count < n do
        local item = self.raw()
        if item == nil then
          break
        end
        count = count + 1
        list[count] = item
      end
      local full = count > 0 and list or nil
      list, count = {}, 0
      return full
    end, closer(self))
  end

  --- The same items, read up to `n` ahead of whoever asks, by a task.
  ---@param n integer from 1
  ---@return luge.Stream
  function methods:buffer(n)
    check.argument("buffer", 1, n, "count")
    return stream.produce(function(emit)
      for item in self.raw do
        emit(item)
      end
    end, n, closer(self), self.wide)
  end

  --- `n` streams of the same items. They read from one source: the fastest may
  --- be `buffer` items ahead of the slowest that is open, then it waits. Close
  --- those that are not read.
  ---@param n integer from 1
  ---@param options? { buffer?: integer } default: 16
  ---@return luge.Stream ...
  function methods:tee(n, options)
    check.argument("tee", 1, n, "count")
    options = check.options("tee", options, { buffer = "count" })
    return require("luge.internal.tee")(stream, self, n, options.buffer or 16)
  end

  return methods
end
