-- `:timeout`: a Runnable under a deadline.

local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local producer = require "luge.internal.chain.producer"
local runnable = require "luge.internal.chain.runnable"

local Timeout = {
  _transparent = true, _children = runnable.inner_only, _bind = runnable.bind_inner,
}

function Timeout:_invoke(input, run)
  return tasks.timeout(self.seconds, runnable.call, self.inner, input, run)
end

function Timeout:_open(input, run)
  return producer.within(self.seconds, runnable.open(self.inner, input, run))
end

function Timeout:_transform(pull, close, make, run)
  return producer.within(self.seconds,
    runnable.transform(self.inner, pull, close, make, run))
end

runnable.class("timeout", "chain", Timeout)

return function(self, seconds)
  check.argument("timeout", seconds, check.seconds)
  return runnable.new(Timeout, { inner = self, seconds = seconds })
end
