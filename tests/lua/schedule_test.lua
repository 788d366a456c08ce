-- Random trees of tasks, queues, timeouts, shields, scopes and cancellations:
-- every task has one outcome, nothing outlives its owner, waiters are served in
-- their order, counts add up. More of it: tests/lua/long/schedule_test.lua.
local test = require "luge.test"

local schedules = dofile "tests/support/schedules.lua"

local SEEDS = require("luge.native.testrun").patience > 1 and 60 or 1000

test.it(("keeps the rules on %d schedules"):format(SEEDS), function()
  schedules(1, SEEDS)
end, { timeout = 120 })
