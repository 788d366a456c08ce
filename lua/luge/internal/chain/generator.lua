-- Generators: a step that makes pieces of pieces, in a task of its own.

local check = require "luge.internal.chain.check"
local join = require "luge.internal.chain.join"
local producer = require "luge.internal.chain.producer"
local runnable = require "luge.internal.chain.runnable"
local streams = require "luge.internal.chain.streams"

local Generator = {}

function Generator:_transform(pull, close)
  local input = streams.of(producer.lazily(function() return pull, close end, close))
  local pull_made, close_made = producer.open(function(emit)
    self.fn(input, emit)
  end)
  return pull_made, producer.closing_both(close_made, function() input:close() end)
end

function Generator:_invoke(input)
  local pull, close = self:_transform(runnable.once(input))
  local _ <close> = producer.closing(close)
  return join.collect(pull)
end

runnable.class("generator", "chain", Generator)

return function(f)
  check.argument("chain.generator", f, check.callable)
  return runnable.new(Generator, { fn = f })
end
