-- Tracebacks as people read them: their own lines, across tasks and coroutines.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it

local function traceback_of(fn)
  local task = luge.spawn(fn)
  pcall(task.await, task)
  return task:traceback()
end

describe("a traceback", function()
  it("says where the task failed, and where it was spawned", function()
    local text = traceback_of(function() error "boom" end)
    test.matches(text, "traceback_test.lua:14: in function")
    test.matches(text, "spawned at .*traceback_test.lua:7")
  end)

  it("goes on where the error was awaited", function()
    local function inner() error(luge.error { kind = "mine", message = "m" }) end
    local text = traceback_of(function() luge.await(luge.spawn(inner)) end)
    local first, second = text:find("awaited by", 1, true)
    test.ok(first, text)
    test.matches(text:sub(1, first), "traceback_test.lua:20")
    test.matches(text:sub(second), "traceback_test.lua:21")
  end)

  it("is carried by luge's own errors", function()
    local ok, err = pcall(luge.await, luge.spawn(function()
      error(luge.error { kind = "mine", message = "m" })
    end))
    test.ok(not ok)
    test.matches(err.traceback, "traceback_test.lua:30")
  end)

  it("is that of the task that failed, whatever its scope waited for", function()
    local function fail() error "in a child" end
    for _, wait in ipairs { function() luge.sleep(3600) end, function() end } do
      local text = traceback_of(function()
        luge.scope(function(scope)
          scope:spawn(fail)
          wait()
        end)
      end)
      local first, second = text:find("awaited by", 1, true)
      test.ok(first, text)
      test.matches(text:sub(1, first), "traceback_test.lua:37")
      test.matches(text:sub(second), "luge.scope")
    end
  end)

  it("goes through coroutines", function()
    local text = traceback_of(function()
      coroutine.wrap(function()
        luge.sleep(0)
        error "inside"
      end)()
    end)
    test.matches(text, "traceback_test.lua:56.*resumed by.*traceback_test.lua:54")
  end)

  it("has each line once, whatever blocks the error passes through", function()
    local text = traceback_of(function()
      luge.timeout(1, function()
        luge.shield(function()
          luge.scope(function() error "in blocks" end)
        end)
      end)
    end)
    test.ok(not text:find("awaited by", 1, true), text)
    test.equal(select(2, text:gsub("luge.timeout", "")), 1)
  end)

  it("has each line once where handlers of luge's own waited in between", function()
    local text = traceback_of(function()
      luge.retry(function()
        luge.gather { function() error "in a sibling" end, function() luge.sleep(60) end }
      end, { on = function() return false end })
    end)
    test.equal(select(2, text:gsub("awaited by", "")), 1, text)
  end)

  it("leaves out what is luge's own", function()
    local text = traceback_of(function()
      luge.map({ 1 }, function() error "in a worker" end)
    end)
    test.ok(not text:find "luge%.internal", text)
    test.matches(text, "traceback_test.lua:85")
  end)

  it("keeps scripts whose names begin as luge's do", function()
    for _, name in ipairs { "luge.lua", "luge.demo.lua" } do
      test.matches(traceback_of(load("error 'boom'", "@" .. name)), name .. ":1: in")
    end
  end)

  it("names C functions as scripts do", function()
    local task = luge.spawn(function() luge.sleep(100) end)
    luge.sleep(0)
    test.matches(task:traceback(), "'luge.sleep'")
    task:cancel()
  end)
end)
