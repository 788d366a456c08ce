-- Batches: every input goes through the whole pipeline on its own, at most
-- `concurrency` at once; a worker takes the next input when it is done with
-- one. Inputs are read only when a worker is free, so they may be endless.

local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local config = require "luge.internal.chain.config"
local producer = require "luge.internal.chain.producer"
local read_inputs = require "luge.internal.chain.inputs"
local runnable = require "luge.internal.chain.runnable"
local streams = require "luge.internal.chain.streams"

local batch = {}

local known = {
  concurrency = check.count,
  return_errors = check.boolean,
  progress = check.boolean,
  checkpoint = check.string,
}
for name, validator in pairs(config.known) do known[name] = known[name] or validator end

-- As `work`, but an error becomes the output.
local function caught(work)
  return function(input)
    local ok, output = pcall(work, input)
    if not ok and tasks.is_error(output, "cancelled") then
      tasks.sleep(0) -- raises if this task itself was cancelled
    end
    return output
  end
end

--- Calls deliver(index, output) for each input, from several tasks, and returns
--- their number. Workers start one by one, each when the one before has an input: no more
--- is read than there are workers.
function batch.run(next_input, concurrency, work, deliver)
  local count = 0
  tasks.scope(function(scope)
    local workers = 0
    local function worker()
      local started = false
      while true do
        local index, input = next_input()
        if index == nil then return end
        if not started and workers < concurrency then
          workers = workers + 1
          scope:spawn(worker)
        end
        started = true
        count = count + 1
        deliver(index, work(input))
      end
    end
    workers = 1
    worker()
  end)
  return count
end

-- Returns what a worker does with an input, and a function that closes what
-- that needs. The concurrency of the options is for this batch, and not for
-- batches inside.
local function work_of(self, options)
  local run, each = config.start(options), { timeout = options.timeout }
  local work, close = function(input) return config.invoke(self, input, each, run) end
  if run == nil and not options.timeout then
    work = function(input) return (self:_invoke(input)) end
  end
  if options.checkpoint then
    work, close = require("luge.internal.chain.checkpoint").open(options.checkpoint, work)
  end
  return options.return_errors and caught(work) or work, close
end

local function progress_bar(options, count)
  return options.progress and require("luge.internal.progress").new(count) or nil
end

local function prepare(self, where, inputs, options)
  options = check.options(where, options or {}, known)
  local next_input, close = read_inputs(where, inputs)
  local concurrency = options.concurrency or config.concurrency(self)
  local listed = type(inputs) == "table" and not check.is_callable(inputs)
  local count = listed and (math.tointeger(inputs.n) or #inputs) or nil
  return next_input, close, concurrency, options, count
end

--- The outputs of many inputs, in their order.
function batch.batch(self, inputs, options)
  local next_input, close, concurrency, count
  next_input, close, concurrency, options, count = prepare(self, "batch", inputs, options)
  local outputs = {}
  local _ <close> = producer.closing(close)
  local work, close_work = work_of(self, options)
  local _ <close> = producer.closing(close_work)
  local bar <close> = progress_bar(options, count)
  outputs.n = batch.run(next_input, concurrency, work, function(index, output)
    outputs[index] = output
    if bar then bar:step() end
  end)
  return outputs
end

--- index, output in the order in which they are done.
function batch.as_completed(self, inputs, options)
  local next_input, close, concurrency, count
  next_input, close, concurrency, options, count =
    prepare(self, "batch_as_completed", inputs, options)
  local pull, shut = producer.open(function(put)
    local _ <close> = producer.closing(close)
    local work, close_work = work_of(self, options)
    local _ <close> = producer.closing(close_work)
    local bar <close> = progress_bar(options, count)
    batch.run(next_input, concurrency, work, function(index, output)
      put { index, output }
      if bar then bar:step() end
    end)
  end)
  return streams.open_pairs(pull, shut)
end

-- map: a list through a Runnable, item by item.
local Map = {}

-- A list with nils names its length in `n`, so that none is lost to who reads it.
function Map:_invoke(list, run)
  local next_input, close = read_inputs("map", list)
  local _ <close> = producer.closing(close)
  local outputs, inner, has_nil = {}, self.inner, false
  local count = batch.run(next_input, config.concurrency(inner), function(input)
    return (runnable.call(inner, input, run))
  end, function(index, output)
    outputs[index] = output
    has_nil = has_nil or output == nil
  end)
  outputs.n = has_nil and count or nil
  return outputs
end

function Map:_children()
  return { self.inner }
end

runnable.class("map", "chain", Map)

function batch.map(self)
  return runnable.new(Map, { inner = self })
end

return batch
