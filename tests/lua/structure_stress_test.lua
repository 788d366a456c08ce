-- Random trees of `gather`, `race`, `map`, blocks, streams and retries, whose
-- tasks fail, clean up slowly and are cancelled at random: whatever happens, no
-- task outlives its owner, every handler runs, and no error is reported, as each
-- has somebody who gets it or who drops it. A failure names its seed.
local luge = require "luge"
local test = require "luge.test"
local closing = dofile("tests/support/tasks.lua").closing
local generator = dofile "tests/support/generator.lua"
local patience = require("luge.native.testrun").patience

local SEEDS = patience > 1 and 60 or 300
local DEPTH = 4

-- Of the tree that is being run.
local random -- random(n): an integer from 1 to n
local tasks -- all that it has spawned
local handlers -- how many are still to run

local function pause()
  luge.sleep(random(10) / 100)
end

-- A handler that may wait, or try to.
local function handler()
  handlers = handlers + 1
  return closing(function()
    handlers = handlers - 1
    local kind = random(8)
    if kind == 1 then
      pcall(pause)
    elseif kind == 2 then
      luge.shield(pause)
    elseif kind == 3 then
      pcall(luge.shield, luge.gather, { pause })
    end
  end)
end

local run

-- A function to be run as a task.
local function branch(depth)
  return function()
    tasks[#tasks + 1] = luge.current()
    local _ <close> = handler()
    return run(depth - 1)
  end
end

local function branches(depth)
  local list = {}
  for i = 1, random(3) do
    list[i] = branch(depth)
  end
  return list
end

local function numbers(depth)
  return luge.stream(function(emit)
    local _ <close> = handler()
    for i = 1, 4 do
      if random(2) == 1 then
        run(depth - 1)
      end
      emit(i)
    end
  end)
end

-- Reads some items, or all.
local function read(...)
  for _ in ... do
    if random(5) == 1 then
      break
    end
  end
end

local leaves = {
  pause,
  function() luge.sleep(0) end,
  function()
    if random(3) == 1 then
      error("leaf", 0)
    end
  end,
}

local nodes = {
  function(depth)
    local list = branches(depth)
    test.equal(luge.gather(list).n, #list)
  end,
  function(depth)
    local list = branches(depth)
    test.equal(luge.gather(list, { return_errors = true }).n, #list)
  end,
  function(depth)
    luge.race(branches(depth))
  end,
  function(depth)
    for _, task in luge.as_completed(branches(depth)) do
      luge.shield(pcall, task.await, task)
      if random(4) == 1 then
        break
      end
    end
  end,
  function(depth)
    luge.map({ 1, 2, 3, 4 }, branch(depth), {
      concurrency = random(3), return_errors = random(2) == 1,
    })
  end,
  function(depth)
    luge.timeout(random(30) / 100, branch(depth))
  end,
  function(depth)
    luge.shield(branch(depth))
  end,
  function(depth)
    luge.scope(function(scope)
      for _, fn in ipairs(branches(depth)) do
        scope:spawn(fn)
      end
      if random(3) == 1 then
        pause()
        scope:cancel()
      end
      run(depth - 1)
    end)
  end,
  function(depth)
    pcall(run, depth - 1)
  end,
  function(depth) -- an error that ended it would leave handlers that cannot wait
    coroutine.wrap(pcall)(branch(depth))
  end,
  function(depth)
    read(numbers(depth))
  end,
  function(depth)
    read(numbers(depth):map(branch(depth), { concurrency = random(3), ordered = random(2) == 1 }))
  end,
  function(depth)
    read(luge.merge { (numbers(depth)), (numbers(depth):buffer(2)) })
  end,
  function(depth)
    read(luge.zip { (numbers(depth)), (numbers(depth)) })
  end,
  function(depth)
    local task = luge.spawn(pcall, branch(depth))
    local _ <close> = closing(function() task:cancel() end)
    pause()
  end,
  function(depth)
    luge.retry(function() return run(depth - 1) end, {
      attempts = random(3), wait = random(5) / 100, on = function() return true end,
    })
  end,
  function(depth)
    luge.context.with({ depth = depth }, function()
      pcall(run, depth - 1)
      test.equal(luge.context.get "depth", depth)
    end)
  end,
}

function run(depth)
  if depth <= 0 then
    leaves[random(#leaves)]()
  else
    nodes[random(#nodes)](depth)
  end
  return "item" -- no stream holds nil
end

-- Cancels some tasks of the tree at any time, and in the end perhaps its root.
local function cancel_some(root)
  for _ = 1, random(6) do
    pause()
    tasks[random(#tasks)]:cancel()
  end
  if random(2) == 1 then
    root:cancel()
  end
end

local function check(seed)
  random, tasks, handlers = generator(seed), {}, 0
  local before = #luge.tasks()
  local root = luge.spawn(branch(DEPTH))
  luge.sleep(0)
  cancel_some(root)
  pcall(luge.timeout, 1000, root.await, root)
  for _, task in ipairs(tasks) do
    test.ok(task:done(), ("seed %d: %s"):format(seed, task))
  end
  test.equal(handlers, 0, "seed " .. seed)
  test.equal(#luge.tasks(), before, "seed " .. seed)
end

test.it("keeps the structure of random trees", function()
  local _ <close> = test.clock()
  for seed = 1, SEEDS do
    check(seed)
    collectgarbage() -- what nobody has got is reported now
  end
end, { timeout = 60 })
