-- `:fallback`: others that take over when a Runnable fails.

local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local runnable = require "luge.internal.chain.runnable"

local call, open = runnable.call, runnable.open

local Fallback = {}

-- If this task itself was cancelled, that is not a failure of the step.
local function note(errors, err)
  if tasks.is_error(err, "cancelled") then tasks.sleep(0) end
  errors[#errors + 1] = err
end

-- If the last was a fallback too, its error has already those before it.
local function raise_last(errors)
  local last = table.remove(errors)
  if type(last) == "table" then
    local inner = type(last.errors) == "table" and last.errors or {}
    last.errors = table.move(inner, 1, #inner, #errors + 1, errors)
  end
  error(last, 0)
end

function Fallback:_invoke(input, run)
  local errors = {}
  for _, step in ipairs(self.steps) do
    local ok, output = pcall(call, step, input, run)
    if ok then return output end
    note(errors, output)
  end
  raise_last(errors)
end

local function begin_first(self, input, run)
  local errors = {}
  for _, step in ipairs(self.steps) do
    local pull, close, make = open(step, input, run)
    local ok, first = pcall(pull)
    if ok then return runnable.after(first, pull), close, make end
    if close then close() end
    note(errors, first)
  end
  raise_last(errors)
end

function Fallback:_open(input, run)
  return runnable.lazily(function() return begin_first(self, input, run) end)
end

function Fallback:_children()
  return self.steps
end

function Fallback:_bind(options)
  local steps = {}
  for i, step in ipairs(self.steps) do steps[i] = step:bind(options) end
  return runnable.new(Fallback, { steps = steps })
end

runnable.class("fallback", "chain", Fallback)

return function(self, others)
  check.argument("fallback", others, check.table)
  if runnable.is(others) then others = { others } end
  if #others == 0 then check.invalid("fallback: got an empty list, takes Runnables") end
  local steps = { self }
  for _, other in ipairs(others) do steps[#steps + 1] = runnable.coerce(other, "fallback") end
  return runnable.new(Fallback, { steps = steps })
end
