-- The error of a scope's task was lost if the scope was being cancelled from
-- outside.
local luge = require "luge"
local test = require "luge.test"

test.it("raises the error of a task though the scope is cancelled from outside", function()
  local seen
  local task = luge.spawn(function()
    luge.scope(function(scope)
      seen = scope
      scope:spawn(function()
        luge.shield(luge.sleep, 0.002)
        error("late", 0)
      end)
      luge.sleep(60)
    end)
  end)
  luge.sleep(0.001)
  task:cancel "outside"
  local ok, err = pcall(luge.await, task)
  test.same({ ok, err }, { false, "late" })
  test.same(seen.errors, { "late" })
end)

test.it("raises `cancelled` from outside if no task has failed", function()
  local seen
  local task = luge.spawn(luge.scope, function(scope)
    seen = scope
    scope:spawn(luge.sleep, 60)
    luge.sleep(60)
  end)
  luge.sleep(0.001)
  task:cancel "outside"
  test.equal(test.raises("cancelled", luge.await, task).reason, "outside")
  test.same(seen.errors, {})
end)
