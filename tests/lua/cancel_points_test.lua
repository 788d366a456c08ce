-- Cancels each program of tests/support/scenarios.lua at every point where it
-- may be, one run for each: at its k-th turn, for every k until it has ended.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it

local scenarios = dofile "tests/support/scenarios.lua"

-- Builds for finding bugs are slow: they try every few points.
local stride = require("luge.native.testrun").patience > 1 and 3 or 1

-- Half a millisecond, after every third turn.
local STEP, MAX_TURNS = 0.0005, 2000

-- Seconds that a cancelled task may take. The scenarios' shields take 2 ms.
local PROMPT = 0.05

local Env = {}
Env.__index = Env

local function new_env()
  return setmetatable({ opened = 0, closed = 0, siblings = {}, checks = {} }, Env)
end

function Env:guard()
  self.opened = self.opened + 1
  local open = true
  return setmetatable({}, { __close = function()
    test.ok(open, "a handler ran twice")
    open = false
    self.closed = self.closed + 1
  end })
end

function Env:sibling(fn)
  local task = luge.spawn(fn)
  self.siblings[#self.siblings + 1] = task
  return task
end

function Env:check(fn)
  self.checks[#self.checks + 1] = fn
end

-- Lets the others have `k` turns; says how many there were before `task` ended.
local function let_run(task, k)
  for turn = 1, k do
    if task:done() then
      return turn - 1
    end
    luge.sleep(turn % 3 == 0 and STEP or 0)
  end
  return k
end

local function finish(env, task)
  local start = luge.now()
  local ok, err = pcall(luge.await, task)
  test.ok(ok or luge.is_error(err, "cancelled"), err)
  test.ok(luge.now() - start < PROMPT, "it was not prompt")
  for _, sibling in ipairs(env.siblings) do
    sibling:await()
  end
  for _, check in ipairs(env.checks) do
    check()
  end
  test.equal(env.closed, env.opened, "handlers that ran")
  return ok and "done" or "cancelled"
end

-- Each takes a function, to be run as a task, and returns the task and a
-- function that cancels it.
local ways = {
  task = function(fn)
    local task = luge.spawn(fn)
    return task, function() task:cancel "here" end
  end,
  owner = function(fn)
    local task
    local owner = luge.spawn(function()
      task = luge.spawn(fn)
      pcall(luge.await, task)
    end)
    luge.sleep(0)
    return task, function() owner:cancel "from above" end
  end,
  block = function(fn)
    local kept
    local task = luge.spawn(luge.scope, function(scope)
      kept = scope
      return fn()
    end)
    luge.sleep(0)
    return task, function() kept:cancel() end
  end,
}

local function run_once(scenario, way, k)
  local env = new_env()
  local task, cancel = ways[way](scenario.setup(env))
  local turns = let_run(task, k)
  local ended = task:done()
  cancel()
  local outcome = finish(env, task)
  test.ok(not ended or outcome == "done")
  return ended and turns < k
end

describe("cancelled at every point,", function()
  for _, scenario in ipairs(scenarios) do
    for _, way in ipairs { "task", "owner", "block" } do
      it(("%s (through the %s)"):format(scenario.name, way), function()
        local _ <close> = test.clock()
        for k = 0, MAX_TURNS, stride do
          local ok, ended = pcall(run_once, scenario, way, k)
          if not ok then
            error(("at turn %d: %s"):format(k, ended), 0)
          elseif ended then
            return
          end
        end
        error "it did not end by itself"
      end, { timeout = 20 })
    end
  end
end)
