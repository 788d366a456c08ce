-- Runs that are watched. A run is a table { id, parent_ids, tags, metadata,
-- name, emit }: `emit(event, what, kind)` is told of everything below it. The
-- run that a task is in is inherited through its context, so that what a
-- function calls nests in the run of that function. Where nobody watches there
-- is no run.

local tasks = require "luge.native.task"
local context = require "luge.internal.context"
local join = require "luge.internal.chain.join"
local runnable = require "luge.internal.chain.runnable"

local run = {}

local function nothing() end
local KEY = "luge.chain.run"

--- The run that this task is in, or nil.
function run.current()
  local values = tasks.context()
  return values and values[KEY]
end

-- Calls fn(...) inside the run. The context is kept: most pieces of a source are
-- pulled in the same one.
local function within(current, fn, ...)
  local outer = tasks.context()
  if current.inner == nil or current.outer ~= outer then
    current.outer, current.inner = outer, context.extended(outer, { [KEY] = current })
  end
  return context.call(current.inner, fn, ...)
end

run.within = within

local function appended(list, more)
  local all = table.move(list, 1, #list, 1, {})
  return table.move(more or {}, 1, #(more or {}), #all + 1, all)
end

local function merged(a, b)
  local all = {}
  for key, value in pairs(a) do all[key] = value end
  for key, value in pairs(b or {}) do all[key] = value end
  return all
end

--- The run with a config's name, tags and metadata for what it calls next. Of
--- several configs for the same step the outermost, which comes first, wins.
function run.configured(current, options)
  if current == nil then return nil end
  local above = current.above or current
  local own = merged(options.metadata or {}, current.own)
  return {
    id = current.id, parent_ids = current.parent_ids, emit = current.emit, life = current.life,
    tags = appended(current.tags, options.tags),
    metadata = merged(above.metadata, own),
    next_name = current.next_name or options.name,
    above = above, own = own,
  }
end

--- A run that nothing is above.
function run.root(emit)
  return { parent_ids = {}, tags = {}, metadata = {}, emit = emit, life = { open = {} } }
end

-- Ids are told apart by their count, and those of other processes by the date
-- and the clock's nanoseconds; random numbers are the script's, which may seed
-- them.
local first_half, count = os.time() << 32 ~ math.tointeger(tasks.now() * 1e9 // 1), 0

local function new_id()
  count = count + 1
  return ("%016x%016x"):format(first_half, count)
end

-- `life` is that of the run, whoever has a configured copy of it: whether it is
-- over, which runs below it are open, and the life of the run above.
local function child_of(current, step)
  return {
    id = new_id(), emit = current.emit, kind = step._kind,
    parent_ids = appended(current.parent_ids, { current.id }),
    tags = current.tags, metadata = current.metadata,
    name = current.next_name or step._name or step._label,
    life = { above = current.life, open = {} },
  }
end

local report

-- What goes on in a task that a step has left behind is told of no longer: a run
-- lies within its parents.
local function end_life(self)
  local life = self.life
  for child in pairs(life.open) do
    report(child, "cancelled", { error = tasks.error {
      kind = "cancelled", message = "the step that began it has ended", reason = "ended",
    } })
  end
  life.over, life.above.open[self] = true, nil
end

function report(self, what, data)
  local life, kind = self.life, self.kind
  life.over = life.over or life.above.over
  if life.over then return end
  if what == "start" then
    life.above.open[self] = true
  elseif what ~= "stream" then
    end_life(self)
  end
  self.emit({
    event = "on_" .. kind .. "_" .. what, name = self.name, run_id = self.id,
    parent_ids = self.parent_ids, tags = self.tags, metadata = self.metadata, data = data,
  }, what, kind)
end

local function report_failure(tell, err)
  tell(tasks.is_error(err, "cancelled") and "cancelled" or "error", { error = err })
end

--- Runs fn(...), telling of its start, and of its end, error or cancellation.
function run.tell_call(tell, input, fn, ...)
  local ok, output = pcall(tell, "start", { input = input })
  if ok then ok, output = pcall(fn, ...) end
  if not ok then
    report_failure(tell, output)
    error(output, 0)
  end
  tell("end", { input = input, output = output })
  return output
end

-- A source that tells of its start, each piece, and its one end.
local Told = {}
Told.__index = Told

local function fail(self, err)
  self.over = true
  if self.close then pcall(self.close) end
  report_failure(self.tell, err)
  error(err, 0)
end

local function finish(self, what, data)
  self.over = true
  local ok, err = pcall(self.close or nothing)
  if not ok then fail(self, err) end
  self.tell(what, data)
end

local function note_piece(self, piece)
  if not self.push then
    self.push, self.result = (self.make or join.default)()
  end
  self.push(piece)
  self.tell("stream", { chunk = piece })
end

-- The next piece, told of; the first time, of the start too.
local function told_piece(self)
  if not self.begun then
    self.begun = true
    self.tell("start", { input = self.input })
  end
  local piece = self.pull()
  if piece ~= nil then note_piece(self, piece) end
  return piece
end

local function pull_told(self)
  if self.over then return nil end
  local ok, piece = pcall(told_piece, self)
  if not ok then fail(self, piece) end
  if piece ~= nil then return piece end
  local input = self.input
  if self.whole_input then input = self.whole_input() end
  finish(self, "end", { input = input, output = self.result and self.result() })
end

local function close_told(self)
  if self.over or not self.begun then
    if self.close then self.close() end
    return
  end
  finish(self, "cancelled", { error = tasks.error {
    kind = "cancelled", message = "the stream was closed", reason = "closed",
  } })
end

--- A source that tells. `whole_input()` gives the input once it is known.
function run.tell_source(tell, input, whole_input, pull, close, make)
  local self = setmetatable({
    tell = tell, input = input, whole_input = whole_input,
    pull = pull, close = close, make = make,
  }, Told)
  return function() return pull_told(self) end, function() close_told(self) end, make
end

local watch = runnable.watch

function watch.call(step, input, current)
  if step._transparent then return step:_invoke(input, current) end
  local child = child_of(current, step)
  local function tell(what, data) report(child, what, data) end
  return run.tell_call(tell, input, within, child, step._invoke, step, input, child)
end

local function told(child, input, whole_input, pull, close, make)
  local function tell(what, data) report(child, what, data) end
  return run.tell_source(tell, input, whole_input, function()
    return within(child, pull)
  end, close, make)
end

function watch.open(step, input, current)
  if step._transparent then return step:_open(input, current) end
  local child = child_of(current, step)
  return told(child, input, nil, within(child, step._open, step, input, child))
end

-- A step that transforms a stream starts before its input is known; one that
-- needs the whole input starts after.
function watch.transform(step, pull, close, make, current)
  if step._transparent then return step:_transform(pull, close, make, current) end
  if step._needs_all then
    return runnable.lazily(function()
      return watch.open(step, join.collect(pull, make), current)
    end, close)
  end
  local child = child_of(current, step)
  local push, result
  local function noted()
    local piece = pull()
    if piece ~= nil then
      if not push then push, result = (make or join.default)() end
      push(piece)
    end
    return piece
  end
  return told(child, nil, function() return result and result() end,
    within(child, step._transform, step, noted, close, make, child))
end

return run
