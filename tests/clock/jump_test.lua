-- The wall clock is set a day forward or back (see jump.c) while timers run:
-- they go by another clock, and fire once, when they are due.
local luge = require "luge"

local start, fired = luge.now(), 0
local before = luge.time()
local sleeper = luge.spawn(function()
  luge.sleep(0.05)
  fired = fired + 1
end)
luge.sleep(0)
local after = luge.time()
assert(math.abs(after - before) > 80000, "the clock did not jump")

sleeper:await()
local ok, err = pcall(luge.timeout, 0.05, luge.sleep, 1000)
assert(not ok and luge.is_error(err, "timeout"), "the deadline was missed")
local limiter = luge.limiter { rate = 100, burst = 1 }
limiter:acquire()
limiter:acquire()
luge.retry(function() fired = fired + 1 end, { wait = luge.wait.fixed(0.01), deadline = 10 })

local elapsed = luge.now() - start
assert(fired == 2)
assert(elapsed >= 0.1 and elapsed < 30, "it took " .. elapsed)
