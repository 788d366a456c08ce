-- Each wait inside a coroutine left a value on the stack of its resumer, until
-- that was overrun.
local luge = require "luge"
local test = require "luge.test"

local function wait_often(...)
  for _ = 1, 5000 do
    luge.sleep(0)
  end
  return ...
end

test.it("waits any number of times in a coroutine", function()
  test.same({ coroutine.resume(coroutine.create(wait_often), 1, 2) }, { true, 1, 2 })
  test.same({ coroutine.wrap(wait_often)(1, 2) }, { 1, 2 })
  test.equal(coroutine.wrap(function() return coroutine.wrap(wait_often)(3) end)(), 3)
end, { timeout = 10 })
