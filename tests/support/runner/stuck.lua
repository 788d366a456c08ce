-- A test that does not end, even when it is cancelled.
local test = require "luge.test"
local luge = require "luge"

test.it("hangs", function()
  luge.shield(luge.sleep, 1e9)
end, { timeout = 0.01 })
