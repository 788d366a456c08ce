-- What becomes of errors that nobody awaits, of programs that cannot go on, and
-- what tracebacks say: seen from outside, in what the command writes and how it
-- exits.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it

local run = dofile "tests/support/command.lua"

-- The pieces are found in the text, in this order.
local function contains(text, ...)
  local from = 1
  for _, piece in ipairs { ... } do
    local first, last = text:find(piece, from, true)
    test.ok(first, ("%q is not there, or not in order, in:\n%s"):format(piece, text))
    from = last + 1
  end
end

local function count(text, piece)
  local _, n = text:gsub(piece:gsub("%p", "%%%0"), "")
  return n
end

describe("warnings", function()
  it("are off until they are asked for, and come in pieces", function()
    test.equal(run [[
      warn "no" warn "@on" warn("two ", "pieces") warn "@what" warn "@off" warn "no"
    ]], "luge: warning: two pieces\n")
    local text = run [[warn "@on" warn(("x"):rep(600)) warn("@", "on") warn "end"]]
    test.equal(text, ("luge: warning: %s\nluge: warning: @on\nluge: warning: end\n"):format(
      ("x"):rep(511)))
  end)

  it("tell of errors in finalizers", function()
    contains(run [[
      warn "@on"
      setmetatable({}, { __gc = function() error "unheard" end })
      collectgarbage()
    ]], "luge: warning: error in", "unheard")
  end)
end)

local function fails(code, ...)
  local text, status = run(code)
  test.equal(status, 1, text)
  contains(text, ...)
  return text
end

describe("a full memory", function()
  it("is Lua's own string in the task, and a limit error behind it", function()
    local text, status = run([[
      local function fill()
        local t = {}
        for i = 1, math.huge do t[i] = ("x"):rep(1000) .. i end
      end
      print(pcall(fill))
      local _, err = pcall(luge.await, luge.spawn(fill))
      print(err, err.what, err.limit, err.retryable)
      fill()
    ]], "--memory-limit 16MB")
    contains(text, "false\tnot enough memory\n",
      "limit: not enough memory\tmemory\t16777216\tfalse\n", "luge: limit: not enough memory\n")
    test.equal(status, 1)
  end)
end)

describe("an error of luge", function()
  it("is a table with the metatable luge.Error", function()
    local err = luge.error { kind = "mine", message = "of mine" }
    test.equal(getmetatable(err), luge.Error)
    test.equal(getmetatable(test.raises("invalid", luge.sleep, -1)), luge.Error)
    test.equal(err.retryable, false)
  end)

  it("is told from what is none, and from none at all", function()
    test.equal(luge.is_error(), false)
    test.equal(luge.is_error("invalid", "invalid"), false)
    test.ok(luge.is_error(luge.error { kind = "mine" }, "mine"))
    test.raises("invalid", luge.is_error, nil, 5)
  end)

  it("is retryable as its kind, or as the status of an answer", function()
    for _, kind in ipairs { "network", "timeout", "truncated" } do
      test.equal(luge.error { kind = kind }.retryable, true)
      test.equal(luge.error { kind = kind, retryable = false }.retryable, false)
    end
    for _, status in ipairs { 408, 425, 429, 500, 502, 503, 504 } do
      test.equal(luge.error { kind = "http", status = status }.retryable, true)
      test.equal(luge.error { kind = "io", status = status }.retryable, false)
    end
    for _, status in ipairs { 400, 404, 409, 501, 505 } do
      test.equal(luge.error { kind = "http", status = status }.retryable, false)
    end
    test.equal(luge.error { kind = "http" }.retryable, false)
  end)

  it("is one line as a string, whatever its message", function()
    local function shown(message)
      return tostring(luge.error { kind = "k", message = message })
    end
    test.equal(shown "first:\n\tsecond\r\nthird.\nfourth", "k: first: second; third. fourth")
    test.equal(shown "\n\nalone\n", "k: alone")
    test.equal(shown "\n", "k: ")
    test.equal(shown "", "k")
    test.equal(shown(nil), "k")
  end)
end)

describe("an uncaught error", function()
  it("is told with all lines of its message", function()
    fails("error(luge.error { kind = 'k', message = 'first\\nsecond' })", "k: first\nsecond\n")
  end)

  it("is told with its traceback, and the status is 1", function()
    fails("error 'broken'", "broken", "stack traceback:", "in main chunk")
  end)

  it("may be any value", function()
    fails("error()", "nil")
    fails("error(nil)", "nil")
    fails("error {}", "table")
    fails("error(setmetatable({}, { __tostring = function() return 'shown' end }))", "shown")
    fails("error(setmetatable({}, { __tostring = function() error 'twice' end }))",
      "__tostring failed")
    fails("error(setmetatable({}, { __tostring = function() return {} end }))",
      "__tostring failed")
    fails("error(setmetatable({}, { __name = 'mine' }))", "table")
    fails("error(12)", "12")
    fails("error(true)", "true")
    fails("luge.await(luge.spawn(error))", "nil")
    fails("luge.spawn(error)", "nil")
    fails("luge.future():reject()", "nil")
  end)

  it("is told with its causes", function()
    fails([[
      local deep = luge.error { kind = "io", message = "no disk" }
      error(luge.error { kind = "store", message = "no store", cause = deep })
    ]], "no store", "no disk")
  end)

  it("in a message handler is Lua's own", function()
    fails([[
      local ok, err = xpcall(error, function() error "again" end, "first")
      print(ok, err)
      error(err)
    ]], "false")
  end)

  it("leaves the exit status 0 when it is caught", function()
    local text, status = run [[
      print(pcall(error, "caught"))
      print(pcall(luge.await, luge.spawn(error, "awaited", 0)))
    ]]
    test.equal(status, 0, text)
    test.equal(text, "false\tcaught\nfalse\tawaited\n")
  end)
end)

describe("an error that nobody awaited", function()
  it("fails the owner, and so the script", function()
    fails([[
      task = luge.spawn(function() error "unawaited" end)
    ]], "unawaited", "stack traceback:", "spawned at")
  end)

  it("is reported when the Task is collected, once", function()
    local text = fails([[
      luge.spawn(function() error "dropped" end)
      luge.sleep(0)
      luge.sleep(0)
      collectgarbage()
      print "goes on"
      collectgarbage()
    ]], "dropped", "goes on")
    test.equal(count(text, "dropped"), 1)
  end)

  it("is reported though `as_completed` told of its task", function()
    fails([[
      for _ in luge.as_completed { function() error "told" end } do end
      collectgarbage()
      print "goes on"
    ]], "told", "goes on")
    local text, status = run [[
      for _ in luge.as_completed { function() end, function() error "untold" end } do break end
      collectgarbage()
    ]]
    test.equal(text .. status, "0")
  end)

  it("beside one that a stream of several raises is dropped", function()
    local text, status = run [[
      local function fail(x)
        luge.sleep(0.001)
        error("item " .. x, 0)
      end
      local function failing(x) return luge.from { x }:map(fail) end
      for _, make in ipairs {
        function() return luge.from { 1, 2, 3 }:map(fail, { concurrency = 3 }) end,
        function() return luge.from { 1, 2, 3 }:map(fail, { concurrency = 3, ordered = false }) end,
        function() return luge.merge { failing(1), failing(2) } end,
        function() return luge.zip { failing(1), failing(2) } end,
      } do
        local stream = make()
        print(pcall(stream.next, stream))
        stream:close()
        collectgarbage()
      end
    ]]
    test.equal(status, 0, text)
    test.equal(text, ("false\titem 1\n"):rep(4))
  end)

  it("of a detached task is reported", function()
    fails([[
      local task = luge.detach(function() error "detached" end)
      luge.sleep(0)
      luge.sleep(0)
      print "goes on"
    ]], "goes on", "detached")
    fails([[
      luge.detach(function()
        local _ <close> = setmetatable({}, { __close = function() error "in its handler" end })
        luge.sleep(60)
      end)
      luge.sleep(0)
    ]], "in its handler")
  end)

  it("of a future is reported", function()
    local text = fails([[
      luge.future():reject "nobody knows"
      collectgarbage()
      print "goes on"
    ]], "nobody knows", "goes on")
    test.equal(count(text, "nobody knows"), 1)
    fails("f = luge.future() f:reject 'to the end'", "to the end")
  end)

  it("does not hide another: one is raised, the others are reported", function()
    local text = fails([[
      a = luge.spawn(error, "error a", 0)
      b = luge.spawn(error, "error b", 0)
      c = luge.spawn(error, "error c", 0)
      luge.sleep(0)
      luge.sleep(0)
    ]])
    for _, err in ipairs { "error a", "error b", "error c" } do
      test.equal(count(text, err), 1, text)
    end
  end)

  it("is reported beside the owner's own", function()
    local text = fails([[
      child = luge.spawn(error, "child's", 0)
      luge.sleep(0)
      luge.sleep(0)
      error("owner's", 0)
    ]])
    test.equal(count(text, "child's"), 1, text)
    test.equal(count(text, "owner's"), 1, text)
  end)

  it("is nobody's that was cancelled", function()
    local text, status = run [[
      luge.spawn(luge.sleep, 60):cancel()
      local task = luge.spawn(luge.sleep, 60)
      luge.sleep(0)
      task:cancel()
      task = nil
      luge.sleep(0)
      collectgarbage()
      luge.detach(luge.sleep, 60)
    ]]
    test.same({ text, status }, { "", 0 })
  end)

  it("of a task that the end of a timeout cancelled is reported", function()
    fails([[
      print(pcall(luge.timeout, 0.001, function()
        child = luge.spawn(function()
          local _ <close> = setmetatable({}, { __close = function() error("while closing", 0) end })
          luge.sleep(60)
        end)
        luge.sleep(60)
      end))
    ]], "while closing")
  end)
end)

describe("a deadlock", function()
  it("is told in the root, task by task", function()
    fails([[
      local queue, event = luge.queue(), luge.event()
      luge.spawn(function() queue:get() end):name "the consumer"
      luge.spawn(function() event:wait() end):name "the guard"
      luge.future():await()
    ]], "deadlock", "waits for a future", "the consumer waits for an item in a queue",
      "the guard waits for an event")
  end)

  it("is told where the root only waits for its children", function()
    fails([[
      local lock = luge.lock()
      lock:acquire()
      luge.spawn(function() lock:acquire() end):name "the heir"
    ]], "deadlock", "the heir waits for")
  end)

  it("can be caught, and has the tasks", function()
    local text, status = run [[
      local waiter = luge.spawn(function() luge.event():wait() end)
      waiter:name "the waiter"
      local ok, err = pcall(function() luge.future():await() end)
      print(ok, err.kind, #err.tasks, err.tasks[2].task, err.tasks[2].waits_for)
      waiter:cancel()
    ]]
    test.equal(text, "false\tdeadlock\t2\tthe waiter\tan event\n")
    test.equal(status, 0)
  end)

  it("is told again if the script walks into it again", function()
    local text, status = run [[
      for i = 1, 3 do
        print(i, select(2, pcall(function() luge.future():await() end)).kind)
      end
    ]]
    test.equal(text, "1\tdeadlock\n2\tdeadlock\n3\tdeadlock\n")
    test.equal(status, 0)
  end)

  it("of a parent and the child that awaits it", function()
    fails([[
      local parent = luge.current()
      luge.spawn(function() luge.await(parent) end)
    ]], "deadlock", "its tasks to end", "task 2 waits for task 1 to end")
  end)

  it("names who waits for whom, for what, and the lines of the script", function()
    local text = fails([[
      local lock, a, b = luge.lock()
      lock:acquire()
      a = luge.spawn(function() luge.sleep(0) b:await() end)
      b = luge.spawn(function() luge.sleep(0) luge.gather { a } end)
      luge.spawn(function() local _ <close> = lock:hold() end)
      a:name "first" b:name "second"
      luge.spawn(function() b:await() end)
    ]], "deadlock")
    test.matches(text, "first waits for second to end at [^\n]-:4\n")
    test.matches(text, "second waits for several tasks at [^\n]-:5\n")
    test.matches(text, "task 4 waits for a lock at [^\n]-:6\n")
    test.matches(text, "task 5 waits for second to end at [^\n]-:8\n")
  end)

  it("behind a shield is told too", function()
    fails([[
      luge.spawn(function() luge.shield(function() luge.event():wait() end) end)
      luge.event():wait()
    ]], "deadlock")
    fails("luge.shield(function() luge.event():wait() end)", "deadlock")
    fails([[
      luge.spawn(function() luge.shield(function() luge.event():wait() end) end)
    ]], "deadlock")
  end)

  it("of detached tasks alone is none", function()
    local text, status = run [[
      luge.detach(function() luge.event():wait() end)
    ]]
    test.same({ text, status }, { "", 0 })
  end)

  it("among hundreds lists the first twenty", function()
    local text = fails([[
      local event = luge.event()
      for _ = 1, 300 do luge.spawn(event.wait, event) end
      event:wait()
    ]], "deadlock", "281 more")
    test.ok(select(2, text:gsub("waits for an event", "")) <= 20)
  end)

  it("is none while a timer runs", function()
    local text, status = run [[
      local future = luge.future()
      luge.spawn(function() luge.sleep(0.01) future:resolve(7) end)
      print(future:await())
    ]]
    test.same({ text, status }, { "7\n", 0 })
  end)

  it("lets handlers run", function()
    fails([[
      local _ <close> = setmetatable({}, { __close = function() print "closed" end })
      luge.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() print "child closed" end })
        luge.event():wait()
      end)
      luge.event():wait()
    ]], "closed", "child closed", "deadlock")
  end)
end)

describe("a task that holds the loop", function()
  it("is told with the lines of the script, and not luge's own", function()
    local text = run([[
      luge.from { 1 }:each(function()
        local start = luge.now()
        repeat until luge.now() - start > 0.1
      end)
    ]], "--slow 0.01")
    contains(text, "task 1 has held the loop for", "(command line):4", "(command line):2")
    test.equal(text:find("luge.internal", 1, true), nil, text)
  end)
end)

describe("a traceback", function()
  it("has the failing line, the awaits, and where each task was spawned", function()
    fails([[
      local function fail() error "at the bottom" end
      local function middle()
        luge.await(luge.spawn(fail))
        return nil
      end
      local function outer()
        luge.await(luge.spawn(middle))
        return nil
      end
      outer()
    ]], ":2: at the bottom", "stack traceback:", ":2: in function <",
      "spawned at", ":4]", "[awaited by]", ":4: in function <", "spawned at", ":8]",
      "[awaited by]", ":8: in local 'outer'", "in main chunk")
  end)

  it("is in the error too, if it is luge's", function()
    local err = test.raises("invalid", function()
      luge.await(luge.spawn(function() luge.spawn(nil) end))
    end)
    contains(err.traceback, "stack traceback:", "reports_test.lua", "spawned at")
    local _, caught = pcall(luge.spawn, nil) -- where it was raised
    test.equal(caught.traceback, nil)
  end)

  it("is the task's, failed or alive", function()
    local failed = luge.spawn(function() error "x" end)
    pcall(luge.await, failed)
    contains(failed:traceback(), "stack traceback:", "reports_test.lua")
    local alive <const> = luge.spawn(function() luge.sleep(60) end)
    luge.sleep(0)
    contains(alive:traceback(), "sleep", "reports_test.lua")
    alive:cancel()
    luge.sleep(0)
  end)

  it("passes through coroutines", function()
    fails([[
      local function inner() luge.sleep(0) error "inside" end
      local wrapped = coroutine.wrap(function() inner() end)
      wrapped()
    ]], "inside", "in upvalue 'inner'", "in main chunk")
  end)

  it("is not that of an older error with the same text", function()
    local text = fails([[
      local function first() error("same", 0) end
      local function second() error("same", 0) end
      pcall(luge.await, luge.spawn(first))
      second()
    ]], "same", "'second'")
    test.equal(count(text, "'first'"), 0, text)
  end)
end)

describe("the end of a script", function()
  it("cancels detached tasks, and lets their handlers run", function()
    local text, status = run [[
      luge.detach(function()
        local _ <close> = setmetatable({}, { __close = function()
          luge.shield(luge.sleep, 0.005)
          print "detached closed"
        end })
        luge.sleep(60)
      end)
      luge.sleep(0)
      print "main ends"
    ]]
    test.same({ text, status }, { "main ends\ndetached closed\n", 0 })
  end)

  it("waits for what the script owns", function()
    local text, status = run [[
      luge.spawn(function() luge.sleep(0.005) print "child" end)
      print "main"
    ]]
    test.same({ text, status }, { "main\nchild\n", 0 })
  end)

  it("runs finalizers that look around", function()
    local text, status = run [[
      keep = setmetatable({}, { __gc = function()
        print(luge.now() > 0, pcall(luge.current))
        print(pcall(luge.sleep, 0))
        print(pcall(luge.spawn, print))
      end })
    ]]
    test.equal(status, 0, text)
    contains(text, "true\tfalse", "false\tinvalid: cannot wait outside of a task", "false\tinvalid")
  end)
end)
