-- More of tests/lua/chain_batch_test.lua: schedules that depend on the day, and
-- a million inputs that are made as they are read.
local test = require "luge.test"

local batch_memory = dofile "tests/support/batch_memory.lua"
local random_batches = dofile "tests/support/random_batches.lua"

local PATIENT = require("luge.native.testrun").patience > 1
local SEEDS, INPUTS = PATIENT and 2000 or 100000, PATIENT and 100000 or 1000000

test.it("keeps order and count on the day's schedules", function()
  local first = os.time() // 86400 * 1000000
  random_batches(first, first + SEEDS)
end, { timeout = 600 })

test.it("takes a million inputs in the memory of some", function()
  local more = batch_memory(INPUTS, 64, function(i)
    return { n = i, text = ("x"):rep(1000) .. i }
  end)
  test.ok(more < 500, more .. " KiB more")
end, { timeout = 600 })
