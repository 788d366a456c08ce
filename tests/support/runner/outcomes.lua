-- What `luge test` says of tests that fail: see tests/lua/test_test.lua.
local luge = require "luge.native.task"
local test = require "luge.test"

describe("outcomes", function()
  it("passes", function() end)
  it("is left out", function() error "ran" end, { skip = "for a reason" })
  it("raises", function() error "plain" end)
  it("asserts", function() test.equal(1, 2) end)
  it("differs", function() test.same({ a = { 1, 2 } }, { a = { 1, 3 }, b = true }) end)
  it("times out", function() luge.sleep(60) end, { timeout = 0.05 })
  it("leaves a task", function()
    luge.spawn(function() luge.sleep(60) end):name("the straggler")
  end)
  it("cannot end", function() luge.future():await() end)
  it("has a child that fails", function()
    luge.spawn(function() error "from a child" end)
    luge.sleep(0)
  end)
  it("drops an error", function()
    luge.future():reject "dropped"
  end)
  it("leaves a clock", function() require("luge.native.clock").install() end)
  it("passes after all", function() print "some output" end)
end)
