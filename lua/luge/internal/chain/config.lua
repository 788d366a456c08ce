-- The `config` of a call: name, tags, metadata, timeout, concurrency.

local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local producer = require "luge.internal.chain.producer"
local run = require "luge.internal.chain.run"
local runnable = require "luge.internal.chain.runnable"

local config = {}

config.known = {
  name = check.string,
  tags = check.strings,
  metadata = check.table,
  timeout = check.seconds,
  concurrency = check.count,
}

--- The run that a call with this config belongs to; nil if nobody watches.
function config.start(options)
  return run.configured(run.current(), options)
end

local function invoke(step, input, options, current)
  if options.timeout then
    return tasks.timeout(options.timeout, runnable.call, step, input, current)
  end
  return runnable.call(step, input, current)
end

--- Runs a step under a checked config.
config.invoke = invoke

--- `step:invoke(input, config?)`
function config.invoke_checked(self, input, options)
  if options == nil then
    local current = run.current()
    if current == nil then return (self:_invoke(input)) end
    return (runnable.call(self, input, current))
  end
  check.options("invoke", options, config.known)
  return (invoke(self, input, options, config.start(options)))
end

--- The config of a stream, checked; nil becomes an empty one.
function config.check(where, options)
  return check.options(where, options or {}, config.known)
end

--- Opens a step as a source under a checked config.
function config.open(self, input, options)
  if options.timeout then
    return producer.within(options.timeout,
      runnable.open(self, input, config.start(options)))
  end
  return runnable.open(self, input, config.start(options))
end

--- Puts a step behind a source, under a checked config.
function config.transform(self, pull, close, options)
  local current = config.start(options)
  if options.timeout then
    return producer.within(options.timeout,
      runnable.transform(self, pull, close, nil, current))
  end
  return runnable.transform(self, pull, close, nil, current)
end

return config
