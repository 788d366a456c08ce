-- The order of hooks: see tests/lua/test_test.lua.
local luge = require "luge.native.task"

local function say(text)
  return function() print(text) end
end

before(say "file before")
after(say "file after")
before_each(say "file before_each")
after_each(say "file after_each")

describe("outer", function()
  local heart
  before(function()
    print "outer before"
    heart = luge.spawn(function() while true do luge.sleep(0.001) end end)
  end)
  after(function()
    print "outer after"
    heart:cancel()
  end)
  after(say "outer after, declared last")
  before_each(say "outer before_each")
  after_each(say "outer after_each")
  it("first", function() assert(not heart:done()) print "first" end)
  describe("inner", function()
    before_each(say "inner before_each")
    after_each(say "inner after_each")
    it("second", function() print "second" error "fails" end)
  end)
end)

describe("whose before fails", function()
  before(function() error "no base" end)
  it("never runs", function() print "ran" end)
end)

describe("without tests to run", function()
  before(say "never")
  it("is skipped", function() end, { skip = true })
end)
