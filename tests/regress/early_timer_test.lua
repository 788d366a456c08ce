-- libuv runs timers that are due before it polls, in the same turn of the loop:
-- a task that one of them had woken then waited for the next event of another
-- handle, such as a listening socket's or, here, the test runner's timer.
local luge = require "luge"
local test = require "luge.test"

test.it("fires a timer that is due before the loop waits", function()
  for _ = 1, 20 do
    test.raises("timeout", luge.timeout, 0, luge.sleep, 3600)
    luge.sleep(1e-9)
  end
end)
