-- A scope that was cancelled raised, in place of ending without an error, one
-- that a task of it had failed with before, though somebody had awaited that.
local luge = require "luge"
local test = require "luge.test"

test.it("lets a cancelled scope end without an error that was awaited", function()
  test.equal(select("#", luge.scope(function(scope)
    local failing = scope:spawn(error, "awaited", 0)
    test.ok(not pcall(luge.await, failing))
    scope:cancel()
    luge.sleep(0)
  end)), 0)
end)
