-- Programs to be cancelled anywhere: see tests/lua/cancel_points_test.lua. They
-- are in the folder `scenarios`, by what they are about.
--
-- Each `scenario(name, setup)` is run many times. `setup(env)` prepares what is
-- shared, outside of the task that will be cancelled, and returns the task's
-- function. It declares:
--
--   env:guard()       a value to be closed, counted
--   env:sibling(fn)   a task that must end well, whatever happens
--   env:check(fn)     what holds when all has ended
--
-- Times are virtual, and a few milliseconds at most.
local scenarios = {}

local function scenario(name, setup)
  scenarios[#scenarios + 1] = { name = name, setup = setup }
end

local MS <const> = 0.001

for _, name in ipairs { "tasks", "queues", "sync", "streams", "blocks", "programs" } do
  assert(loadfile("tests/support/scenarios/" .. name .. ".lua"))(scenario, MS)
end

return scenarios
