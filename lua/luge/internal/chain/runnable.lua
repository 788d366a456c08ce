-- Runnables and the protocol between them. A kind of Runnable is a class with
--
--   _invoke(self, input, run)               -> output
--   _open(self, input, run)                 -> source
--   _transform(self, pull, close, make, run) -> source
--
-- where `_invoke` is required; the other two follow from it. A source is three
-- values: `pull()`, which gives the next piece, nil at the end, and may wait;
-- `close()` or nil, which frees what it holds, and may be called at any time and
-- again; and its join (see join.lua), nil for the default one.
-- A stream is a chain of such functions, however many steps it has: there are
-- no tasks or queues between them, so it has backpressure by nature. One task
-- behind the Stream calls the last function, and so all of them: it owns what
-- they spawn, and a reader whose wait is cancelled does not disturb them.
--
-- `run` is nil, or what is watched of this run: see run.lua.

local check = require "luge.internal.chain.check"
local join = require "luge.internal.chain.join"

local collect, getmetatable = join.collect, getmetatable

local function nothing() end

local Runnable = {}

local runnable = { methods = Runnable }

local metatables = setmetatable({}, { __mode = "k" })

--- The metatables of Runnables -> true.
runnable.metatables = metatables

--- Whether a value is a Runnable.
function runnable.is(value)
  return metatables[getmetatable(value)] == true
end

--- Raises where a method was called with a dot: its `self` is no Runnable.
function runnable.check_self(self, method)
  if not runnable.is(self) then
    check.invalid("%s: called on %s: write step:%s(...), with a colon", method,
      check.describe(self), method)
  end
end

-- Filled in by run.lua: what watches a step. It is here so that the path of a
-- step that nobody watches is short.
runnable.watch = {}
local watch = runnable.watch

--- Runs one step.
function runnable.call(step, input, run)
  if run then return watch.call(step, input, run) end
  return step:_invoke(input)
end

--- Opens a step as a source.
function runnable.open(step, input, run)
  if run then return watch.open(step, input, run) end
  return step:_open(input)
end

--- Puts a step behind a source.
function runnable.transform(step, pull, close, make, run)
  if run then return watch.transform(step, pull, close, make, run) end
  return step:_transform(pull, close, make)
end

--- A source of one value.
function runnable.once(value)
  return function()
    local piece = value
    value = nil
    return piece
  end
end

--- A source that has been pulled once already.
function runnable.after(first, pull)
  local given = false
  return function()
    if given then return pull() end
    given = true
    return first
  end
end

--- The output as a single piece, computed when it is asked for.
local function open_by_invoke(self, input, run)
  local done = false
  return function()
    if done then return nil end
    done = true
    return self:_invoke(input, run)
  end
end

runnable.open_by_invoke = open_by_invoke

local function open_by_transform(self, input, run)
  return self:_transform(runnable.once(input), nil, nil, run)
end

--- A source that is opened by the first pull: `begin()` returns one. `close`
--- closes what it is opened from.
function runnable.lazily(begin, close)
  local inner_pull, inner_close, inner_make
  local function pull()
    if inner_pull then return inner_pull() end
    inner_pull, inner_close, inner_make = begin()
    return inner_pull()
  end
  local function close_both()
    inner_pull = inner_pull or nothing
    if inner_close then inner_close() end
    if close then close() end
  end
  return pull, close_both, join.deferred(function() return inner_make end)
end

-- For a step that needs its whole input: waits for that, and then streams the
-- output.
local function transform_by_open(self, pull, close, make, run)
  return runnable.lazily(function()
    return self:_open(collect(pull, make), run)
  end, close)
end

--- `_children` and `_bind` of what wraps one Runnable: its options are those of
--- what it wraps.
function runnable.inner_only(self)
  return { self.inner }
end

function runnable.bind_inner(self, options)
  local copy = {}
  for name, value in pairs(self) do copy[name] = value end
  copy.inner = self.inner:bind(options)
  return setmetatable(copy, getmetatable(self))
end

local function tostring_runnable(self)
  return self._name and ("%s (%s)"):format(self._label, self._name) or self._label
end

--- Makes a class: `label` is what `tostring` and graphs call it, `kind` what
--- events call it.
function runnable.class(label, kind, class)
  class._label = label
  class._kind = kind or "chain"
  class._needs_all = class._transform == nil
  class._open = class._open or class._transform and open_by_transform or open_by_invoke
  class._transform = class._transform or transform_by_open
  for name, method in pairs(Runnable) do
    if class[name] == nil then class[name] = method end
  end
  local metatable = {
    __index = class,
    __name = "luge.Runnable",
    __bor = runnable.bor,
    __tostring = tostring_runnable,
  }
  metatables[metatable] = true
  class._metatable = metatable
  runnable.classes[#runnable.classes + 1] = class
  return class
end

runnable.classes = {}

-- A method that says so where it is called with a dot. `invoke`, which is called
-- most, does it by itself.
local function checked(name, method)
  if name == "invoke" then return method end
  return function(self, ...)
    runnable.check_self(self, name)
    return method(self, ...)
  end
end

--- Adds a method to every Runnable.
function runnable.method(name, method)
  method = checked(name, method)
  Runnable[name] = method
  for _, class in ipairs(runnable.classes) do
    if rawget(class, name) == nil then class[name] = method end
  end
end

--- A new Runnable of the class.
function runnable.new(class, fields)
  return setmetatable(fields, class._metatable)
end

-- Filled in by the modules of the kinds.
runnable.kinds = {}

--- A Runnable as it is; a function as a step that calls it; a table of such
--- as a parallel step. `where` names who asks, in the error.
function runnable.coerce(value, where)
  if runnable.is(value) then return value end
  if type(value) == "table" and getmetatable(value) == nil then
    return runnable.kinds.parallel(value, where)
  end
  if check.is_callable(value) then return runnable.kinds.fn(value) end
  check.invalid("%s: got %s, takes a Runnable, a function, or a table of them", where,
    check.describe(value))
end

--- `a | b`: one after the other.
function runnable.bor(a, b)
  return runnable.kinds.sequence(runnable.coerce(a, "a | b"), runnable.coerce(b, "a | b"))
end

return runnable
