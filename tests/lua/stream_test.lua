-- Streams and their producers: docs/streams.md. The operators:
-- operators_test.lua.
local luge = require "luge"
local test = require "luge.test"
local support = dofile "tests/support/tasks.lua"
local describe, it = test.describe, test.it
local closing, settle = support.closing, support.settle
local paced = dofile("tests/support/streams.lua").paced

-- A stream of 1 to n, or without an end, that logs what its producer does.
local function numbers(n, log)
  log = log or {}
  return (luge.stream(function(emit)
    local _ <close> = closing(function() log[#log + 1] = "closed" end)
    log[#log + 1] = "started"
    for i = 1, n or math.huge do
      log[#log + 1] = i
      emit(i)
    end
  end))
end

describe("a stream", function()
  it("gives what its producer emits, then nil for ever", function()
    local s = numbers(3)
    test.same({ s:next(), s:next(), s:next(), s:next(), s:next() }, { 1, 2, 3 })
  end)

  it("is read by `for`, by `next` and by `collect`", function()
    local got = {}
    for v in numbers(3) do
      got[#got + 1] = v
    end
    test.same(got, { 1, 2, 3 })
    test.same(numbers(4):collect(), { 1, 2, 3, 4 })
    test.same(numbers(0):collect(), {})
  end)

  it("starts its producer with the first `next`", function()
    local log = {}
    local s = numbers(2, log)
    settle()
    test.same(log, {})
    s:next()
    test.equal(log[1], "started")
    s:close()
  end)

  it("does not run ahead: emit waits until the next item is asked for", function()
    local log = {}
    local s = numbers(3, log)
    s:next()
    settle()
    test.same(log, { "started", 1 })
    s:next()
    settle()
    test.same(log, { "started", 1, 2 })
    s:close()
  end)

  it("carries false, and refuses nil", function()
    local err
    local s = luge.stream(function(emit)
      emit(false)
      err = test.raises("invalid", emit, nil)
      test.raises("invalid", emit)
      emit "end"
    end)
    test.same(s:collect(), { false, "end" })
    test.matches(err.message, "other than nil")
  end)

  it("raises the error of the producer in the reader, each time", function()
    local s = luge.stream(function(emit)
      emit(1)
      error("broken", 0)
    end)
    test.equal(s:next(), 1)
    test.equal(test.raises(nil, s.next, s), "broken")
    test.equal(test.raises(nil, s.next, s), "broken")
    s:close()
    test.equal(s:next(), nil)
  end)

  it("joins the tracebacks of producer and reader", function()
    local err = test.raises("io", function()
      luge.stream(function() error(luge.error { kind = "io", message = "m" }) end):collect()
    end)
    test.matches(err.traceback, "stream_test.lua:%d+: in")
    test.matches(err.traceback, "spawned at")
  end)

  it("goes on until the tasks of its producer have ended", function()
    local s = luge.stream(function(emit)
      for i = 1, 3 do
        luge.spawn(function()
          luge.sleep(0)
          emit(i)
        end)
      end
    end)
    test.same(s:collect(), { 1, 2, 3 })
  end)

  it("fails with a task of its producer", function()
    local s = luge.stream(function(emit)
      local child = luge.spawn(function() error("child", 0) end)
      emit(child:status())
    end)
    test.equal(test.raises(nil, s.collect, s), "child")
  end)

  it("serves several readers in the order in which they ask", function()
    local s, got = numbers(6), {}
    local function reader(name)
      return function()
        for v in s do
          got[#got + 1] = name .. v
        end
      end
    end
    luge.gather { reader "a", reader "b", reader "c" }
    test.same(got, { "a1", "b2", "c3", "a4", "b5", "c6" })
  end)

  it("cannot be read by its own producer", function()
    local s
    s = luge.stream(function()
      s:next()
    end)
    test.matches(test.raises("invalid", s.next, s).message, "its own stream")
  end)

  it("has the context of the task that made it", function()
    local s
    luge.context.with({ user = "ann" }, function()
      s = luge.stream(function(emit) emit(luge.context.get "user") end)
    end)
    luge.context.with({ user = "bob" }, function()
      test.equal(s:next(), "ann")
    end)
    s:close()
  end)

  it("says what it waits for", function()
    local emitter
    local s = luge.stream(function(emit)
      emitter = luge.current()
      emit(1)
    end)
    s:next()
    settle()
    test.equal(emitter:waiting_for(), "the reader of its stream")
    s:close()
    local never = luge.stream(function() luge.sleep(3600) end)
    local reader = luge.spawn(never.next, never)
    settle()
    test.equal(reader:waiting_for(), "an item of a stream")
    reader:cancel()
    never:close()
  end)

  it("refuses what is no function", function()
    test.raises("invalid", luge.stream, nil)
    test.raises("invalid", luge.stream, {})
  end)
end)

describe("a reader that is cancelled", function()
  it("leaves the stream whole: no item is lost or comes twice", function()
    local _ <close> = test.clock()
    local s = paced(20)
    local got = {}
    while #got < 20 do
      local ok, err = pcall(luge.timeout, 0.4, function()
        for v in s do
          got[#got + 1] = v
        end
      end)
      test.ok(ok or luge.is_error(err, "timeout"), err)
    end
    for i = 1, 20 do
      test.equal(got[i], i)
    end
    test.equal(s:next(), nil)
  end)

  it("at each of its steps leaves the next item to the next reader", function()
    for k = 0, 12 do
      local s, got = numbers(10), {}
      local function reader()
        for v in s do
          got[#got + 1] = v
          luge.sleep(0)
        end
      end
      local task = luge.spawn(reader)
      for _ = 1, k do
        luge.sleep(0)
      end
      task:cancel()
      pcall(luge.await, task)
      reader()
      test.same(got, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, k)
    end
  end)

  it("does not disturb other readers", function()
    local _ <close> = test.clock()
    local s = paced(3)
    local first = luge.spawn(s.next, s)
    local second = luge.spawn(s.collect, s)
    luge.sleep(0.5)
    first:cancel()
    test.same(second:await(), { 1, 2, 3 })
  end)
end)

describe("closing a stream", function()
  it("cancels the producer and waits for its handlers", function()
    local _ <close> = test.clock()
    local log = {}
    local s = luge.stream(function(emit)
      local _ <close> = closing(function()
        luge.shield(luge.sleep, 2)
        log[#log + 1] = "closed"
      end)
      emit(1)
      log[#log + 1] = "not reached"
    end)
    s:next()
    s:close()
    test.same(log, { "closed" })
    test.equal(s:next(), nil)
    s:close()
  end)

  it("waits for five seconds at most", function()
    local _ <close> = test.clock()
    local s = luge.stream(function(emit)
      local _ <close> = closing(function() luge.shield(luge.sleep, 8) end)
      emit(1)
    end)
    s:next()
    local start = luge.now()
    s:close()
    test.ok(math.abs(luge.now() - start - 5) < 0.01, luge.now() - start)
    luge.sleep(4)
  end)

  it("before it has begun runs nothing", function()
    local log = {}
    local s = numbers(3, log)
    s:close()
    test.equal(s:next(), nil)
    settle()
    test.same(log, {})
  end)

  it("gives nil to those that wait for an item", function()
    local s = luge.stream(function() luge.sleep(3600) end)
    local reader = luge.spawn(s.next, s)
    settle()
    s:close()
    test.equal(reader:await(), nil)
  end)

  it("raises what a handler of the producer raises", function()
    local s = luge.stream(function(emit)
      local _ <close> = closing(function() error("in the handler", 0) end)
      emit(1)
    end)
    s:next()
    test.equal(test.raises(nil, s.close, s), "in the handler")
    s:close()
  end)

  it("ends an emit that is shielded with `closed`", function()
    local err
    local s = luge.stream(function(emit)
      luge.shield(function()
        err = test.raises("closed", emit, 1)
      end)
    end)
    s:next()
    s:close()
    test.ok(err)
  end)

  it("works from the producer itself", function()
    local s
    s = luge.stream(function(emit)
      s:close()
      emit(1)
    end)
    test.equal(s:next(), nil)
  end)

  it("comes with leaving a loop over the call that opened it", function()
    local log = {}
    for v in luge.stream(function(emit)
      local _ <close> = closing(function() log[#log + 1] = "closed" end)
      while true do
        emit(1)
      end
    end) do
      log[#log + 1] = v
      if v == 1 then
        break
      end
    end
    test.same(log, { 1, "closed" })
  end)

  it("comes with leaving a loop over iter(), also by an error", function()
    local log = {}
    local s = numbers(nil, log)
    test.raises(nil, function()
      for _ in s:iter() do
        error "out"
      end
    end)
    test.same(log, { "started", 1, "closed" })
    test.equal(s:next(), nil)
  end)

  it("does not come with leaving a loop over a variable", function()
    local s = numbers()
    for v in s do
      if v == 1 then
        break
      end
    end
    test.equal(s:next(), 2)
    s:close()
  end)

  it("comes with the end of a `<close>` variable", function()
    local log = {}
    do
      local s <close> = numbers(nil, log)
      s:next()
    end
    test.same(log, { "started", 1, "closed" })
  end)

  it("comes with the end of the task that opened it, which does not wait", function()
    local log = {}
    local task = luge.spawn(function()
      local s = numbers(nil, log)
      return s:next(), s
    end)
    local item, s = task:await()
    test.equal(item, 1)
    test.same(log, { "started", 1, "closed" })
    test.raises("closed", s.next, s)
  end)

  it("comes only when the other tasks of the owner have ended", function()
    local _ <close> = test.clock()
    local got = {}
    luge.spawn(function()
      local s = numbers(3)
      luge.spawn(function()
        for v in s do
          luge.sleep(1)
          got[#got + 1] = v
        end
      end)
    end):await()
    test.same(got, { 1, 2, 3 })
  end)

  it("comes with the cancellation of the task that opened it", function()
    local log = {}
    local task = luge.spawn(function()
      for _ in numbers(nil, log) do
        luge.sleep(3600)
      end
    end)
    settle()
    task:cancel()
    test.raises("cancelled", luge.await, task)
    test.equal(log[#log], "closed")
  end)

  it("is not done by a timeout around its making", function()
    local s = luge.timeout(5, numbers, 3)
    test.same(s:collect(), { 1, 2, 3 })
  end)

  it("is not done to a stream in a shield, until that ends", function()
    local log, got = {}, {}
    local task = luge.spawn(function()
      luge.shield(function()
        local s = numbers(nil, log)
        for v in s do
          luge.sleep(0)
          got[#got + 1] = v
          if v == 5 then
            break
          end
        end
      end)
    end)
    settle()
    task:cancel()
    pcall(luge.await, task)
    test.same(got, { 1, 2, 3, 4, 5 })
    test.equal(log[#log], "closed")
  end)

  it("comes when nobody has it any more", function()
    local log = {}
    local function open()
      numbers(nil, log):next()
    end
    open()
    collectgarbage()
    collectgarbage()
    settle()
    test.same(log, { "started", 1, "closed" })
  end)
end)

describe("where Lua cannot suspend", function()
  it("a stream is closed without waiting for its producer", function()
    local log = {}
    local co = coroutine.create(function()
      for v in numbers(nil, log):iter() do
        coroutine.yield(v)
      end
    end)
    test.same({ coroutine.resume(co) }, { true, 1 })
    test.ok(coroutine.close(co))
    settle()
    test.equal(log[#log], "closed")
  end)

  it("reading says why it cannot", function()
    local s = numbers(3)
    local err = test.raises("invalid", table.sort, { 2, 1 }, function() return s:next() end)
    test.matches(err.message, "table.sort")
    test.same(s:collect(), { 1, 2, 3 })
  end)

  it("a stream can be read inside the script's own coroutines", function()
    local s = numbers(4)
    local doubled = coroutine.wrap(function()
      for v in s do
        coroutine.yield(v * 2)
      end
    end)
    local got = {}
    for v in doubled do
      got[#got + 1] = v
    end
    test.same(got, { 2, 4, 6, 8 })
  end)

  it("a producer may emit from its own coroutines", function()
    local s = luge.stream(function(emit)
      local inner = coroutine.wrap(function()
        for i = 1, 3 do
          emit(i)
        end
      end)
      inner()
    end)
    test.same(s:collect(), { 1, 2, 3 })
  end)
end)

describe("emit", function()
  it("works from any task, until the producer has ended", function()
    local emit_it
    local stop = luge.event()
    local s = luge.stream(function(emit)
      emit_it = emit
      stop:wait()
    end)
    local other = luge.spawn(function()
      while not emit_it do
        luge.sleep(0)
      end
      emit_it "from outside"
      emit_it "again"
      stop:set()
    end)
    test.same({ s:next(), s:next() }, { "from outside", "again" })
    test.equal(s:next(), nil)
    other:await()
    test.raises("closed", emit_it, "late")
    s:close()
    test.raises("closed", emit_it, "later")
  end)

  it("of a task that is cancelled while it waits is taken back", function()
    local _ <close> = test.clock()
    local first
    local s = luge.stream(function(emit)
      first = luge.spawn(function()
        luge.sleep(1)
        emit "first"
      end)
      luge.spawn(function()
        luge.sleep(2)
        emit "second"
      end)
      luge.sleep(5)
    end)
    test.raises("timeout", luge.timeout, 0.5, s.next, s)
    luge.sleep(1) -- the first one has emitted, and nobody reads
    first:cancel()
    test.equal(s:next(), "second")
    test.equal(s:next(), nil)
  end)
end)

describe("a stream whose task was cancelled by others", function()
  it("raises `closed`: it is not complete", function()
    local producer
    local s = luge.stream(function(emit)
      producer = luge.current()
      emit(1)
      emit(2)
    end)
    s:next()
    producer:cancel "by somebody"
    local err = test.raises("closed", s.next, s)
    test.equal(err.cause.reason, "by somebody")
    test.raises("closed", s.next, s)
  end)
end)

describe("from", function()
  it("reads lists up to the first nil", function()
    test.same(luge.from({ 1, 2, nil, 4 }):collect(), { 1, 2 })
    test.same(luge.from({}):collect(), {})
    test.same(luge.from({ false, 1 }):collect(), { false, 1 })
  end)

  it("reads iterators, their state and what is to be closed", function()
    local n, closed = 0, 0
    local function iterator()
      n = n + 1
      return n <= 3 and n or nil, "dropped"
    end
    test.same(luge.from(iterator):collect(), { 1, 2, 3 })
    test.equal(n, 4)
    test.same(luge.from(ipairs { "a", "b" }):collect(), { 1, 2 })
    local value = closing(function() closed = closed + 1 end)
    for _ in luge.from(iterator, nil, nil, value) do
      error "has ended"
    end
    test.equal(closed, 1)
  end)

  it("does not call an iterator that has ended", function()
    local calls = 0
    local s = luge.from(function() calls = calls + 1 end)
    test.same({ s:next(), s:next() }, {})
    test.equal(calls, 1)
  end)

  it("returns a Stream as it is", function()
    local s = luge.from {}
    test.equal(luge.from(s), s)
  end)

  it("reads a queue until that is closed", function()
    local q = luge.queue()
    luge.spawn(function()
      for i = 1, 3 do
        q:put(i)
        luge.sleep(0)
      end
      q:close()
    end)
    test.same(luge.from(q:iter()):collect(), { 1, 2, 3 })
  end)

  it("gives nil after close", function()
    local s = luge.from { 1, 2, 3 }
    s:next()
    s:close()
    test.equal(s:next(), nil)
    test.same(s:collect(), {})
  end)

  it("is a wait: a task that was cancelled does not go on", function()
    local task = luge.spawn(function()
      luge.current():cancel()
      luge.from({ 1 }):next()
    end)
    test.raises("cancelled", luge.await, task)
  end)

  it("refuses what cannot be read", function()
    test.matches(test.raises("invalid", luge.from, 5).message, "takes? a list")
    test.raises("invalid", luge.from, nil)
  end)
end)
