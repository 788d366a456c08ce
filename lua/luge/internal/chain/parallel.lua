-- Parallel steps: one input for several Runnables at once, their outputs in a
-- table. The first error cancels the others. As a stream, what each branch
-- gives comes as `{ key = piece }`, in the order in which it comes.

local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local join = require "luge.internal.chain.join"
local producer = require "luge.internal.chain.producer"
local runnable = require "luge.internal.chain.runnable"
local streams = require "luge.internal.chain.streams"

local parallel = {}
local Parallel, Assign = {}, {}
local call = runnable.call

-- The branches' outputs, by key.
local function gather(self, input, run)
  local keys, steps, outputs, started = self.keys, self.steps, {}, {}
  if #keys == 1 then
    outputs[keys[1]] = call(steps[1], input, run)
    return outputs
  end
  tasks.scope(function()
    for i = 1, #keys do started[i] = tasks.spawn(call, steps[i], input, run) end
    for i = 1, #keys do outputs[keys[i]] = tasks.await(started[i]) end
  end)
  return outputs
end

-- Forwards what a branch gives; without a key its pieces as they are.
local function forward(branch, put)
  local _ <close> = producer.closing(branch.close)
  local key, pull = branch.key, branch.pull
  for piece in pull do
    if key ~= nil then piece = { [key] = piece } end
    put(piece)
  end
end

-- Branches, each run by a task of its own, as one source. Where none gives a
-- piece there is an empty one: the whole is a table.
local function fan_in(branches, make)
  local pull, close = producer.open(function(put)
    local given = false
    local function note(piece)
      given = true
      put(piece)
    end
    tasks.scope(function()
      for _, branch in ipairs(branches) do tasks.spawn(forward, branch, note) end
    end)
    if not given then put {} end
  end)
  for _, branch in ipairs(branches) do close = producer.closing_both(close, branch.close) end
  return pull, close, make
end

-- Adds a branch for each step; `source(i)` opens the i-th.
local function add_branches(self, branches, joins, source)
  for i, key in ipairs(self.keys) do
    local pull, close, make = source(i)
    branches[#branches + 1] = { key = key, pull = pull, close = close }
    joins[key] = make or join.default
  end
  return branches, joins
end

function Parallel:_invoke(input, run)
  return gather(self, input, run)
end

function Parallel:_open(input, run)
  local branches, joins = add_branches(self, {}, {}, function(i)
    return runnable.open(self.steps[i], input, run)
  end)
  return fan_in(branches, join.fields(joins))
end

function Parallel:_transform(pull, close, make, run)
  local sources = streams.tee(pull, close, #self.keys)
  local branches, joins = add_branches(self, {}, {}, function(i)
    return runnable.transform(self.steps[i], sources[i][1], sources[i][2], make, run)
  end)
  return fan_in(branches, join.fields(joins))
end

function Parallel:_branches()
  return self.keys, self.steps
end

--- What tells its outputs from those of others, in a cache.
function Parallel:_identity()
  return self.keys
end

runnable.class("parallel", "chain", Parallel)

-- assign: the input table with the outputs of a parallel step added.

local function check_table(input)
  if type(input) ~= "table" then
    check.invalid("assign: the input is %s, takes a table", check.describe(input))
  end
  return input
end

function Assign:_invoke(input, run)
  local outputs = gather(self, check_table(input), run)
  local whole = {}
  for key, value in pairs(input) do whole[key] = value end
  for _, key in ipairs(self.keys) do whole[key] = outputs[key] end
  return whole
end

-- The input's own pieces, without the keys that are assigned anew. An input of
-- no piece is nil, and no table.
local function others(self, pull)
  local assigned, came = {}, false
  for _, key in ipairs(self.keys) do assigned[key] = true end
  return function()
    for piece in pull do
      came = true
      local kept = {}
      for key, value in pairs(check_table(piece)) do
        if not assigned[key] then kept[key] = value end
      end
      if next(kept) ~= nil then return kept end
    end
    if not came then check_table(nil) end
  end
end

function Assign:_transform(pull, close, make, run)
  local sources = streams.tee(pull, close, #self.keys + 1)
  local first = sources[#sources]
  local joins = setmetatable({}, {
    __index = function(_, key) return join.of_fields(make)[key] end,
  })
  local branches = { { pull = others(self, first[1]), close = first[2] } }
  add_branches(self, branches, joins, function(i)
    return runnable.transform(self.steps[i], sources[i][1], sources[i][2], make, run)
  end)
  return fan_in(branches, join.fields(joins))
end

Assign._branches, Assign._identity = Parallel._branches, Parallel._identity
runnable.class("assign", "chain", Assign)

-- The keys in a fixed order, and the step of each.
local function branches_of(where, branches)
  check.argument(where, branches, check.table)
  local keys, steps = {}, {}
  for key in pairs(branches) do
    if type(key) ~= "string" and type(key) ~= "number" then
      check.invalid("%s: the key %s is no name", where, check.describe(key))
    end
    keys[#keys + 1] = key
  end
  if #keys == 0 then check.invalid("%s: got an empty table, takes Runnables by name", where) end
  table.sort(keys, function(a, b)
    if math.type(a) and math.type(b) then return a < b end
    return tostring(a) < tostring(b)
  end)
  for i, key in ipairs(keys) do
    steps[i] = runnable.coerce(branches[key], ("%s: branch '%s'"):format(where, key))
  end
  return { keys = keys, steps = steps }
end

function parallel.parallel(branches, where)
  return runnable.new(Parallel, branches_of(where or "chain.parallel", branches))
end

runnable.kinds.parallel = parallel.parallel

function parallel.assign(self, branches)
  return self | runnable.new(Assign, branches_of("assign", branches))
end

return parallel
