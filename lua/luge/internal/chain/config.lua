-- The `config` of a call: name, tags, metadata, timeout, concurrency.

local tasks = require "luge.native.task"
local context = require "luge.internal.context"
local check = require "luge.internal.chain.check"
local producer = require "luge.internal.chain.producer"
local run = require "luge.internal.chain.run"
local runnable = require "luge.internal.chain.runnable"

local type = type
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

-- The key in the context: how many inputs batches and maps inside work on at
-- once.
local CONCURRENCY = "luge.chain.concurrency"

--- How many inputs a batch or map has under way that is not told so itself.
function config.concurrency(step)
  while not step._concurrency and step._children == runnable.inner_only do step = step.inner end
  return step._concurrency or context.get(CONCURRENCY) or 16
end

-- Calls fn(...) with the concurrency of the options.
local function within(options, fn, ...)
  if options.concurrency == nil then return fn(...) end
  return context.with({ [CONCURRENCY] = options.concurrency }, fn, ...)
end

local function invoke(step, input, options, current)
  if options.timeout then
    return within(options, tasks.timeout, options.timeout, runnable.call, step, input, current)
  end
  return within(options, runnable.call, step, input, current)
end

--- Runs a step under a checked config.
config.invoke = invoke

--- `step:invoke(input, config?)`
function config.invoke_checked(self, input, options)
  if type(self) ~= "table" then runnable.check_self(self, "invoke") end
  if options == nil then
    local current = run.current()
    if current == nil then
      return ((self._invoke or runnable.check_self(self, "invoke"))(self, input))
    end
    return (runnable.call(self, input, current))
  end
  check.options("invoke", options, config.known)
  return (invoke(self, input, options, config.start(options)))
end

--- The config of a stream, checked; nil becomes an empty one.
function config.check(where, options)
  return check.options(where, options or {}, config.known)
end

-- A source that is opened by `fn(...)`, and its pulls, under the options.
local function bounded(options, fn, ...)
  local pull, close, make = within(options, fn, ...)
  if options.concurrency then
    local pull_inside = pull
    function pull() return within(options, pull_inside) end
  end
  if options.timeout then return producer.within(options.timeout, pull, close, make) end
  return pull, close, make
end

--- Opens a step as a source under a checked config.
function config.open(self, input, options)
  return bounded(options, runnable.open, self, input, config.start(options))
end

--- Puts a step behind a source, under a checked config.
function config.transform(self, pull, close, options)
  return bounded(options, runnable.transform, self, pull, close, nil, config.start(options))
end

return config
