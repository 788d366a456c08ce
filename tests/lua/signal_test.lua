-- luge.signal: docs/tasks.md.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it

local run = dofile "tests/support/command.lua"
local pid = io.open("/proc/self/stat"):read "n"

-- Not os.execute: that ignores some signals while it waits.
local function kill(name)
  io.popen(("kill -%s %d"):format(name, pid)):close()
end

describe("signal", function()
  it("gives a stream of the signals that come", function()
    local s <close> = luge.signal "SIGUSR2"
    kill "USR2"
    test.equal(s:next(), "SIGUSR2")
    local reader = luge.spawn(s.next, s)
    luge.sleep(0)
    kill "USR2"
    test.equal(reader:await(), "SIGUSR2")
  end)

  it("takes names in any form", function()
    for _, name in ipairs { "SIGHUP", "HUP", "hup", "sighup" } do
      local s <close> = luge.signal(name)
      kill "HUP"
      test.equal(s:next(), name)
    end
  end)

  it("ends the stream when it is closed", function()
    local s = luge.signal "USR2"
    local reader = luge.spawn(s.next, s)
    luge.sleep(0)
    s:close()
    test.equal(reader:await(), nil)
    test.equal(s:next(), nil)
  end)

  it("serves several streams of one signal", function()
    local a <close> = luge.signal "USR2"
    local b = luge.signal "USR2"
    kill "USR2"
    test.same({ a:next(), b:next() }, { "USR2", "USR2" })
    b:close()
    kill "USR2"
    test.equal(a:next(), "USR2")
  end)

  it("runs a handler as a task for each signal", function()
    local names = luge.queue()
    local handler = luge.signal("USR2", function(name)
      luge.sleep(0)
      names:put(name)
    end)
    kill "USR2"
    test.equal(names:get(), "USR2")
    kill "USR2"
    test.equal(names:get(), "USR2")
    handler:cancel()
    pcall(luge.await, handler)
  end)

  it("reports an error of a handler, and goes on handling", function()
    local text, status = run [[
      local pid = io.open("/proc/self/stat"):read "n"
      local names = luge.queue()
      local handler = luge.signal("USR2", function(name)
        names:put(name)
        error("in the handler", 0)
      end)
      for _ = 1, 2 do
        io.popen("kill -USR2 " .. pid):close()
        names:get()
      end
      print(handler:status())
    ]]
    test.matches(text, "luge: in the handler\n.*spawned at %(command line%):4")
    test.matches(text, "waiting\n")
    test.equal(status, 1)
  end)

  it("does not keep its task from ending", function()
    luge.spawn(function()
      luge.signal "USR2"
      luge.signal("USR2", print)
    end):await()
  end)

  it("puts back what was there before", function()
    luge.signal("USR1"):close() -- the command prints the tasks at this one
    kill "USR1"
    luge.sleep(0.01)
  end)

  it("refuses what cannot be handled", function()
    for _, name in ipairs { "KILL", "STOP", "SEGV", "CHLD", "nonsense", "", 9 } do
      test.raises("invalid", luge.signal, name)
    end
    test.raises("invalid", luge.signal)
    test.raises("invalid", luge.signal, "USR2", 5)
  end)
end)
