-- More of tests/lua/chain_batch_test.lua: schedules that depend on the day, and
-- a million inputs that are made as they are read.
local chain = require "luge.chain"
local test = require "luge.test"

local support = debug.getinfo(1, "S").source:match("^@(.*)lua/long/[^/]*$") .. "support/"
local random_batches = dofile(support .. "random_batches.lua")

local PATIENT = require("luge.native.testrun").patience > 1
local SEEDS, INPUTS = PATIENT and 2000 or 100000, PATIENT and 100000 or 1000000

test.it("keeps order and count on the day's schedules", function()
  local first = os.time() // 86400 * 1000000
  random_batches(first, first + SEEDS)
end, { timeout = 600 })

test.it("takes a million inputs in the memory of some", function()
  local i = 0
  local function inputs()
    i = i + 1
    return i <= INPUTS and { n = i, text = ("x"):rep(1000) .. i } or nil
  end
  local c = chain.fn(function(x) return { x.n } end) | function(x) return x[1] + 1 end
  local most, sum = 0, 0
  collectgarbage()
  local before = collectgarbage "count"
  for _, output in c:batch_as_completed(inputs, { concurrency = 64 }) do
    sum = sum + output
    if output % (INPUTS // 20) == 0 then
      collectgarbage()
      most = math.max(most, collectgarbage "count" - before)
    end
  end
  test.equal(sum, INPUTS * (INPUTS + 1) // 2 + INPUTS)
  test.ok(most < 500, most .. " KiB more")
end, { timeout = 600 })
