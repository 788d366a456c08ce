-- The traceback of a plain error survives what luge waits for while the error is
-- on its way: siblings that fail in turn, producers that are closed.
local luge = require "luge"
local test = require "luge.test"

local function deep_inside()
  error("plain", 0)
end

local function trace_of(fn)
  local task = luge.spawn(fn)
  test.equal(test.raises(nil, task.await, task), "plain")
  return task:traceback()
end

-- A wait that ends by another error when it is cancelled.
local function fails_when_cancelled()
  pcall(luge.sleep, 3600)
  luge.shield(luge.sleep, 0)
  error("another", 0)
end

test.it("gather", function()
  local trace = trace_of(function()
    luge.gather { function()
      luge.sleep(0)
      deep_inside()
    end, fails_when_cancelled }
  end)
  test.matches(trace, "deep_inside")
  test.matches(trace, "awaited by")
end)

test.it("a stream that is closed by an error", function()
  local trace = trace_of(function()
    for _ in luge.stream(function(emit)
      local _ <close> = setmetatable({}, { __close = function()
        pcall(fails_when_cancelled)
      end })
      emit(1)
    end) do
      deep_inside()
    end
  end)
  test.matches(trace, "deep_inside")
end)

test.it("an error of the producer, when its stream is closed", function()
  local trace = trace_of(function()
    luge.stream(function(emit)
      emit(1)
      deep_inside()
    end):map(function(x) return x end):collect()
  end)
  test.matches(trace, "deep_inside")
  test.matches(trace, "awaited by")
end)

-- A handler that waits, while the error that runs it is on its way.
local function closing_by(handler)
  return function()
    local _ <close> = setmetatable({}, { __close = handler })
    deep_inside()
  end
end

test.it("a handler that waits while other tasks fail", function()
  local others = {}
  local trace = trace_of(closing_by(function()
    for i = 1, 20 do
      others[i] = luge.detach(error, "plain " .. i)
    end
    for i = 1, 20 do
      test.raises(nil, others[i].await, others[i])
    end
  end))
  test.matches(trace, "deep_inside")
end)

test.it("a handler that catches what a block of its own raises", function()
  local trace = trace_of(closing_by(function()
    pcall(luge.timeout, 0, luge.sleep, 1)
    pcall(luge.scope, function() error("in the handler", 0) end)
  end))
  test.matches(trace, "deep_inside")
end)

test.it("error(nil)", function()
  local task = luge.spawn(function() error() end)
  pcall(task.await, task)
  test.matches(task:traceback(), "trace_over_close_test")
end)
