-- `:with`: a name, tags, metadata, a default concurrency, and functions that
-- are told of each run. `:bind`: options of a step, set beforehand.

local check = require "luge.internal.chain.check"
local run = require "luge.internal.chain.run"
local runnable = require "luge.internal.chain.runnable"

local with = {}

local known = {
  name = check.string, tags = check.strings, metadata = check.table,
  concurrency = check.count,
  on_start = check.callable, on_end = check.callable, on_error = check.callable,
}

local hook_of = {
  start = "on_start", ["end"] = "on_end", error = "on_error", cancelled = "on_error",
}
local value_of = {
  start = "input", ["end"] = "output", error = "error", cancelled = "error",
}

local With = { _transparent = true, _children = runnable.inner_only }

-- A function that calls the given callbacks for each event of a run; nil if
-- there are none.
local function teller(self)
  local options = self.options
  if not (options.on_start or options.on_end or options.on_error) then return nil end
  return function(what, data)
    local hook = options[hook_of[what]]
    if hook then hook(data[value_of[what]], self.info) end
  end
end

function With:_invoke(input, current)
  local inner, tell = run.configured(current, self.options), teller(self)
  if tell then return run.tell_call(tell, input, runnable.call, self.inner, input, inner) end
  return runnable.call(self.inner, input, inner)
end

function With:_open(input, current)
  return self:_told(input, nil,
    runnable.open(self.inner, input, run.configured(current, self.options)))
end

function With:_transform(pull, close, make, current)
  return self:_told(nil, nil, runnable.transform(self.inner, pull, close, make,
    run.configured(current, self.options)))
end

function With:_told(input, whole, pull, close, make)
  local tell = teller(self)
  if not tell then return pull, close, make end
  return run.tell_source(tell, input, whole, pull, close, make)
end

function With:_bind(options)
  return with.with(self.inner:bind(options), self.options)
end

runnable.class("with", "chain", With)

function with.with(self, options)
  check.options("with", options, known)
  return runnable.new(With, {
    inner = self, options = options, _name = options.name, _concurrency = options.concurrency,
    info = { name = options.name, tags = options.tags, metadata = options.metadata },
  })
end

function with.bind(self, options)
  check.argument("bind", options, check.table)
  if not self._bind then
    check.invalid("bind: '%s' takes no options; bind those of its steps", self._label)
  end
  return self:_bind(options)
end

return with
