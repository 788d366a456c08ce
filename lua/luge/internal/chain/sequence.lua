-- Sequences: `a | b | c`, one flat list of steps. An input goes through all of
-- them on its own: in a batch no step waits for the others' inputs.

local runnable = require "luge.internal.chain.runnable"

local call, open, transform = runnable.call, runnable.open, runnable.transform

local Sequence = {}

function Sequence:_invoke(value, run)
  local steps = self.steps
  if run == nil then
    for i = 1, #steps do
      local step = steps[i]
      value = step:_invoke(value)
    end
    return value
  end
  for i = 1, #steps do value = call(steps[i], value, run) end
  return value
end

local function through(steps, run, pull, close, make)
  for i = 2, #steps do
    pull, close, make = transform(steps[i], pull, close, make, run)
  end
  return pull, close, make
end

function Sequence:_open(input, run)
  return through(self.steps, run, open(self.steps[1], input, run))
end

function Sequence:_transform(pull, close, make, run)
  return through(self.steps, run, transform(self.steps[1], pull, close, make, run))
end

function Sequence:_children()
  return self.steps
end

runnable.class("sequence", "chain", Sequence)

local function append(steps, step)
  if getmetatable(step) == Sequence._metatable then
    table.move(step.steps, 1, #step.steps, #steps + 1, steps)
  else
    steps[#steps + 1] = step
  end
end

function runnable.kinds.sequence(a, b)
  local steps = {}
  append(steps, a)
  append(steps, b)
  return runnable.new(Sequence, { steps = steps })
end

return Sequence
