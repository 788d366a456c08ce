-- A coroutine that a cancellation had ended kept the error on its stack: it
-- was `suspended` instead of `dead`, and resuming it called the error. So did
-- a wrapped one that had failed.
local luge = require "luge"
local test = require "luge.test"

test.it("leaves a coroutine dead that a cancellation has ended", function()
  local co, resumed
  local task = luge.spawn(function()
    co = coroutine.create(function() luge.sleep(60) end)
    coroutine.resume(co)
    resumed = table.pack(coroutine.resume(co))
  end)
  luge.sleep(0)
  task:cancel()
  pcall(luge.await, task)
  test.equal(coroutine.status(co), "dead")
  test.same(resumed, { n = 2, false, "cannot resume dead coroutine" })
end)

test.it("leaves a wrapped coroutine dead that has failed", function()
  local failing = coroutine.wrap(function()
    error(luge.error { kind = "closed", message = "m" })
  end)
  test.raises("closed", failing)
  test.matches(test.raises(nil, failing), "dead coroutine")
end)
