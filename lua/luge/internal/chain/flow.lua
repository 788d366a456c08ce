-- Runnables around another one: what happens when it fails, takes long, or
-- has been asked before.

local tasks = require "luge.native.task"
local luge = require "luge"
local check = require "luge.internal.chain.check"
local producer = require "luge.internal.chain.producer"
local runnable = require "luge.internal.chain.runnable"

local flow = {}
local call, open = runnable.call, runnable.open

local function children(self)
  return { self.inner }
end

-- A wrapper's options are those of what it wraps.
local function bind_inner(self, options)
  local copy = {}
  for name, value in pairs(self) do copy[name] = value end
  copy.inner = self.inner:bind(options)
  return setmetatable(copy, getmetatable(self))
end

-- retry

local Retry = { _children = children, _bind = bind_inner }

function Retry:_invoke(input, run)
  return luge.retry(function() return call(self.inner, input, run) end, self.options)
end

-- What was delivered cannot be taken back: attempts end with the first piece.
local function begin_retried(self, input, run)
  local pull, close, make, first
  luge.retry(function()
    pull, close, make = open(self.inner, input, run)
    local ok, piece = pcall(pull)
    if not ok then
      if close then close() end
      error(piece, 0)
    end
    first = piece
  end, self.options)
  return flow.after(first, pull), close, make
end

function Retry:_open(input, run)
  return runnable.lazily(function() return begin_retried(self, input, run) end)
end

--- A source that has been pulled once already.
function flow.after(first, pull)
  local given = false
  return function()
    if given then return pull() end
    given = true
    return first
  end
end

runnable.class("retry", "chain", Retry)

function flow.retry(self, options)
  if options ~= nil then check.argument("retry", options, check.table) end
  return runnable.new(Retry, { inner = self, options = options })
end

-- fallback

local Fallback = {}

-- Cancellation of this task is nobody's failure.
local function note(errors, err)
  if tasks.is_error(err, "cancelled") then tasks.sleep(0) end
  errors[#errors + 1] = err
end

local function raise_last(errors)
  local last = table.remove(errors)
  if type(last) == "table" then last.errors = errors end
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
    if ok then return flow.after(first, pull), close, make end
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

function flow.fallback(self, others)
  check.argument("fallback", others, check.table)
  if runnable.is(others) then others = { others } end
  if #others == 0 then check.invalid("fallback: got an empty list, takes Runnables") end
  local steps = { self }
  for _, other in ipairs(others) do steps[#steps + 1] = runnable.coerce(other, "fallback") end
  return runnable.new(Fallback, { steps = steps })
end

-- timeout

local Timeout = { _transparent = true, _children = children, _bind = bind_inner }

function Timeout:_invoke(input, run)
  return tasks.timeout(self.seconds, call, self.inner, input, run)
end

function Timeout:_open(input, run)
  return producer.within(self.seconds, open(self.inner, input, run))
end

function Timeout:_transform(pull, close, make, run)
  return producer.within(self.seconds,
    runnable.transform(self.inner, pull, close, make, run))
end

runnable.class("timeout", "chain", Timeout)

function flow.timeout(self, seconds)
  check.argument("timeout", seconds, check.seconds)
  return runnable.new(Timeout, { inner = self, seconds = seconds })
end

-- branch

local Branch = {}

function Branch:_choose(input)
  for i, condition in ipairs(self.conditions) do
    local holds
    if runnable.is(condition) then
      holds = condition:invoke(input)
    else
      holds = condition(input)
    end
    if holds then return self.steps[i] end
  end
  return self.steps[#self.conditions + 1]
end

function Branch:_invoke(input, run)
  return call(self:_choose(input), input, run)
end

function Branch:_open(input, run)
  return runnable.lazily(function()
    return open(self:_choose(input), input, run)
  end)
end

function Branch:_branches()
  local names = {}
  for i = 1, #self.conditions do names[i] = tostring(i) end
  names[#names + 1] = "default"
  return names, self.steps
end

runnable.class("branch", "chain", Branch)

local function add_choice(self, choice, i)
  local where = "chain.branch: choice " .. i
  if type(choice) ~= "table" or runnable.is(choice) or #choice ~= 2 then
    check.invalid("%s is %s, takes { condition, runnable }", where, check.describe(choice))
  end
  if not runnable.is(choice[1]) then check.argument(where, choice[1], check.callable) end
  self.conditions[i] = choice[1]
  self.steps[i] = runnable.coerce(choice[2], where)
end

function flow.branch(choices)
  check.argument("chain.branch", choices, check.table)
  if #choices < 2 then
    check.invalid("chain.branch: takes choices { condition, runnable } and, last, the default")
  end
  local self = { conditions = {}, steps = {} }
  for i = 1, #choices - 1 do add_choice(self, choices[i], i) end
  self.steps[#choices] = runnable.coerce(choices[#choices], "chain.branch: the default")
  return runnable.new(Branch, self)
end

return flow
