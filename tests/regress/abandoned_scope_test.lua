-- The object of a scope whose coroutine was dropped inside it led to the
-- scope's memory, which was free.
local luge = require "luge"
local test = require "luge.test"

test.it("ends a scope for those who keep its object", function()
  local kept
  coroutine.wrap(function()
    luge.scope(function(scope)
      kept = scope
      scope:spawn(luge.sleep, 60)
      coroutine.yield()
    end)
  end)()
  collectgarbage()
  collectgarbage()
  luge.sleep(0)
  test.raises("invalid", kept.spawn, kept, print)
  kept:cancel()
  test.same(kept.errors, {})
end)
