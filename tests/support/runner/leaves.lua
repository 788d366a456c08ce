-- What goes on behind a test's back: see tests/lua/test_test.lua.
local luge = require "luge"

it("detaches", function()
  luge.detach(function() luge.sleep(60) end):name("the stowaway")
end)
it("detaches what ends", function()
  luge.detach(function() luge.sleep(0) end)
end)
it("computes", function()
  while true do pcall(function() while true do end end) end
end, { timeout = 0.05 })
it("asks the demo model", function()
  require("luge.llm").model "demo":invoke "hello"
end)
