-- The user's own coroutines, in which tasks wait: docs/tasks.md.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it
local wait = dofile("tests/support/tasks.lua").wait

describe("coroutines", function()
  it("let a wait through, and their yields to their resumer", function()
    local co = coroutine.wrap(function(a)
      wait()
      local b = coroutine.yield(a + 1)
      wait()
      local c = coroutine.yield(b + 1)
      return wait() .. c
    end)
    test.equal(co(1), 2)
    test.equal(co(10), 11)
    test.equal(co " then", "waited then")
    test.raises(nil, co)
  end)

  it("pass any number of values both ways across a wait", function()
    local co = coroutine.create(function(...)
      wait()
      local got = table.pack(coroutine.yield(...))
      wait()
      return table.unpack(got, 1, got.n)
    end)
    test.same(table.pack(coroutine.resume(co, 1, nil, nil)), { n = 4, true, 1, nil, nil })
    test.same(table.pack(coroutine.resume(co)), { n = 1, true })
    local big = {}
    for i = 1, 300 do
      big[i] = i
    end
    co = coroutine.wrap(function(...)
      wait()
      return ...
    end)
    test.equal(select("#", co(table.unpack(big))), 300)
  end)

  it("nest: generators inside generators that wait", function()
    local function numbers(n)
      return coroutine.wrap(function()
        for i = 1, n do
          luge.sleep(0)
          coroutine.yield(i)
        end
      end)
    end
    local function squares(n)
      return coroutine.wrap(function()
        for i in numbers(n) do
          wait()
          coroutine.yield(i * i)
        end
      end)
    end
    local got = {}
    for square in squares(4) do
      got[#got + 1] = square
    end
    test.same(got, { 1, 4, 9, 16 })
  end)

  it("nest a hundred deep", function()
    local function nest(depth)
      if depth == 0 then
        wait()
        coroutine.yield "bottom"
        return wait()
      end
      local inner = coroutine.wrap(nest)
      coroutine.yield(inner(depth - 1))
      return inner()
    end
    local co = coroutine.wrap(nest)
    test.equal(co(100), "bottom")
    test.equal(co(), "waited")
  end)

  it("of many tasks do not mix", function()
    local tasks = {}
    for i = 1, 50 do
      tasks[i] = luge.spawn(function()
        local sum = 0
        for n in coroutine.wrap(function()
          for n = 1, 10 do
            luge.sleep(n % 3 == 0 and 0.0001 or 0)
            coroutine.yield(n * i)
          end
        end) do
          sum = sum + n
        end
        return sum
      end)
    end
    for i = 1, 50 do
      test.equal(luge.await(tasks[i]), 55 * i)
    end
  end)

  it("raise across a wait, for wrap and for resume", function()
    local function fail()
      wait()
      error("broken", 0)
    end
    local co = coroutine.create(fail)
    test.same({ coroutine.resume(co) }, { false, "broken" })
    test.equal(coroutine.status(co), "dead")
    local ok, err = pcall(coroutine.wrap(fail))
    test.ok(not ok)
    test.matches(err, "broken$")
    local value = {}
    ok, err = pcall(coroutine.wrap(function()
      wait()
      error(value)
    end))
    test.same({ ok, rawequal(err, value) }, { false, true })
  end)

  it("run their handlers when an error ends them, wrapped", function()
    local closed
    local co = coroutine.wrap(function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      wait()
      error "x"
    end)
    test.ok(not pcall(co))
    test.ok(closed)
  end)

  it("are `normal` while they wait: nobody else can resume or close them", function()
    local seen = {}
    local co = coroutine.create(function()
      luge.sleep(0.001)
      return "end"
    end)
    local task = luge.spawn(function() return coroutine.resume(co) end)
    luge.sleep(0)
    luge.sleep(0)
    seen[1] = coroutine.status(co)
    seen[2], seen[3] = coroutine.resume(co)
    seen[4], seen[5] = pcall(coroutine.close, co)
    test.same(seen, { "normal", false, "cannot resume non-suspended coroutine", false,
      "cannot close a normal coroutine" })
    test.same({ task:await() }, { true, "end" })
    test.equal(coroutine.status(co), "dead")
    local wrapped = coroutine.wrap(function() luge.sleep(0.001) end)
    task = luge.spawn(wrapped)
    luge.sleep(0)
    luge.sleep(0)
    test.ok(not pcall(wrapped))
    task:await()
  end)

  it("move between tasks while they are suspended", function()
    local generator = coroutine.wrap(function()
      for i = 1, 6 do
        wait()
        coroutine.yield(i)
      end
    end)
    local got = {}
    for _ = 1, 3 do
      luge.await(luge.spawn(function()
        got[#got + 1] = generator()
        got[#got + 1] = generator()
      end))
    end
    test.same(got, { 1, 2, 3, 4, 5, 6 })
  end)

  it("may be resumed by a task after the one that began them has ended", function()
    local co
    luge.await(luge.spawn(function()
      co = coroutine.wrap(function()
        coroutine.yield(1)
        return luge.await(luge.spawn(function() return 2 end))
      end)
      co()
    end))
    test.equal(co(), 2)
  end)

  it("end at once when a cancellation ends them; handlers run, and cannot wait", function()
    local log, co = {}, nil
    local task = luge.spawn(function()
      co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function()
          log[#log + 1] = "closed"
          log[#log + 1] = select(2, pcall(luge.sleep, 0)).kind
        end })
        luge.sleep(60)
      end)
      local ok, err = coroutine.resume(co)
      log[#log + 1] = ok
      log[#log + 1] = err.kind
      log[#log + 1] = coroutine.status(co)
      luge.sleep(0)
    end)
    luge.sleep(0)
    luge.sleep(0)
    task:cancel()
    pcall(luge.await, task)
    test.same(log, { "closed", "invalid", false, "cancelled", "dead" })
    test.equal(task:status(), "cancelled")
  end)

  it("are closed by coroutine.close, whose handlers cannot wait", function()
    local seen
    local co = coroutine.create(function()
      local _ <close> = setmetatable({}, { __close = function()
        seen = select(2, pcall(luge.sleep, 0))
      end })
      wait()
      coroutine.yield()
    end)
    coroutine.resume(co)
    test.ok(coroutine.close(co))
    test.equal(coroutine.status(co), "dead")
    test.equal(seen.kind, "invalid")
    test.matches(seen.message, "a __close handler of a coroutine that coroutine%.close")
    seen = nil
    pcall(coroutine.wrap(function()
      local _ <close> = setmetatable({}, { __close = function()
        seen = select(2, pcall(luge.sleep, 0))
      end })
      error "ends it"
    end))
    test.matches(seen.message, "a __close handler of a coroutine that [^\n]* an error ends")
    co = coroutine.create(function()
      local _ <close> = setmetatable({}, { __close = function() error("in close", 0) end })
      coroutine.yield()
    end)
    coroutine.resume(co)
    test.same({ coroutine.close(co) }, { false, "in close" })
  end)

  it("that close each other in a long chain do not overflow the C stack", function()
    local refused, co
    for _ = 1, 20000 do
      local inner = co
      co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function()
          local ok, err = pcall(coroutine.close, inner)
          refused = refused or inner and not ok and err
        end })
        coroutine.yield()
      end)
      coroutine.resume(co)
    end
    test.ok(coroutine.close(co))
    test.equal(refused, "C stack overflow")
  end)

  it("are told apart from tasks: running, isyieldable, yield", function()
    local thread, is_main = coroutine.running()
    test.equal(type(thread), "thread")
    test.equal(is_main, true)
    test.equal(coroutine.isyieldable(), false)
    test.equal(coroutine.status(thread), "running")
    test.raises(nil, coroutine.yield)
    coroutine.wrap(function()
      local inner, main = coroutine.running()
      test.equal(main, false)
      test.equal(coroutine.isyieldable(), true)
      test.equal(coroutine.status(inner), "running")
      test.equal(coroutine.status(thread), "normal")
    end)()
    wait()
    test.equal(coroutine.running(), thread)
  end)

  it("do not lend a task's thread: resume, close, wrap, sethook", function()
    local thread = coroutine.running()
    for _, fn in ipairs { coroutine.resume, coroutine.close, debug.sethook } do
      local err = test.raises("invalid", fn, thread, print, "c")
      test.matches(err.message, "belongs to a task")
    end
    test.raises("invalid", debug.sethook, print, "l")
    local other
    local task = luge.spawn(function()
      other = coroutine.running()
      luge.sleep(0.001)
    end)
    luge.sleep(0)
    test.raises("invalid", coroutine.resume, other)
    test.raises("invalid", coroutine.close, other)
    test.equal(coroutine.status(other), "normal")
    test.equal(coroutine.isyieldable(other), false)
    task:await()
    test.equal(coroutine.status(other), "dead")
  end)

  it("take what Lua's take, and no more", function()
    for _, name in ipairs { "create", "wrap", "resume", "close", "status" } do
      test.ok(not pcall(coroutine[name]), name)
      test.ok(not pcall(coroutine[name], 1), name)
    end
    local co = coroutine.create(function() end)
    test.ok(coroutine.resume(co))
    test.same({ coroutine.resume(co) }, { false, "cannot resume dead coroutine" })
    co = coroutine.create(function() end)
    test.ok(coroutine.close(co))
    test.equal(coroutine.status(co), "dead")
    local self
    self = coroutine.wrap(function() return self() end)
    test.matches(test.raises(nil, self), "non%-suspended")
    test.equal(coroutine.status(coroutine.create(print)), "suspended")
  end)

  it("keep their hooks, and count through waits", function()
    local lines = 0
    local co = coroutine.create(function()
      wait()
      local x = 1
      wait()
      return x
    end)
    debug.sethook(co, function() lines = lines + 1 end, "l")
    test.ok(coroutine.resume(co))
    test.ok(lines >= 4)
  end)
end)
