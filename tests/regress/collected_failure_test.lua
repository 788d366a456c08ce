-- The error of a task that fails a scope, or an owner that waits for its tasks,
-- is raised there, and not reported as unawaited, even if its Task is
-- collected in between.
local luge = require "luge"
local test = require "luge.test"

test.it("an error that fails its scope is raised once", function()
  local err = test.raises(nil, luge.scope, function()
    local _ <close> = setmetatable({}, {
      __close = function()
        luge.shield(luge.sleep, 0.01)
        collectgarbage()
        collectgarbage()
      end,
    })
    luge.spawn(function() error("of the task", 0) end)
    luge.sleep(3600)
  end)
  test.equal(err, "of the task")
end)

test.it("an error that fails an owner is raised, though another task goes on", function()
  local owner = luge.spawn(function()
    luge.spawn(function()
      luge.sleep(0)
      error("of the task", 0)
    end)
    luge.spawn(function()
      luge.shield(function()
        luge.sleep(0.01)
        collectgarbage()
        collectgarbage()
      end)
    end)
  end)
  test.equal(test.raises(nil, luge.await, owner), "of the task")
end)
