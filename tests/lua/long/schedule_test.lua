-- More of tests/lua/schedule_test.lua: a thousand seeds that are always the
-- same, and thousands that depend on the day.
local test = require "luge.test"

local schedules = dofile "tests/support/schedules.lua"

local SEEDS = require("luge.native.testrun").patience > 1 and 1000 or 10000

test.it("keeps the rules on the first schedules", function()
  schedules(1, 1000)
end, { timeout = 300 })

test.it("keeps the rules on the day's schedules", function()
  local first = os.time() // 86400 * 1000000
  schedules(first, first + SEEDS)
end, { timeout = 600 })
