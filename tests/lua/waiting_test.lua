-- Where a task may wait, and the named error where Lua cannot suspend. In
-- coroutines: coroutine_test.lua.
local luge = require "luge"
local test = require "luge.test"
local describe, it = test.describe, test.it
local wait = dofile("tests/support/tasks.lua").wait

-- The call raises `invalid` with a message that matches.
local function cannot_wait(pattern, fn, ...)
  local err = test.raises("invalid", fn, ...)
  test.matches(err.message, pattern)
end

describe("a task waits", function()
  it("in pcall and xpcall", function()
    test.same({ pcall(wait) }, { true, "waited" })
    test.same({ xpcall(wait, debug.traceback) }, { true, "waited" })
    test.same({ pcall(pcall, pcall, wait) }, { true, true, true, "waited" })
    local ok, err = pcall(function()
      wait()
      error("after", 0)
    end)
    test.same({ ok, err }, { false, "after" })
  end)

  it("in metamethods that Lua code calls", function()
    local log = {}
    local function handler(name, result)
      return function()
        wait()
        log[#log + 1] = name
        return result
      end
    end
    local mt = {
      __index = handler("index", 1), __newindex = handler("newindex"),
      __call = handler("call", 2), __add = handler("add", 3), __concat = handler("concat", "4"),
      __eq = handler("eq", true), __lt = handler("lt", true), __le = handler("le", true),
      __len = handler("len", 5), __unm = handler("unm", 6), __band = handler("band", 7),
    }
    local a, b = setmetatable({}, mt), setmetatable({}, mt)
    test.same({ a.x, a(), a + b, a .. b, a == b, a < b, a <= b, #a, -a, a & b },
      { 1, 2, 3, "4", true, true, true, 5, 6, 7 })
    a.y = 1
    test.same(log, { "index", "call", "add", "concat", "eq", "lt", "le", "len", "unm", "band",
      "newindex" })
  end)

  it("in iterators", function()
    local got = {}
    for i in function(_, last)
      wait()
      return last < 3 and last + 1 or nil
    end, nil, 0 do
      got[#got + 1] = i
    end
    test.same(got, { 1, 2, 3 })
  end)

  it("in __pairs and what it returns", function()
    local t = setmetatable({}, { __pairs = function()
      wait()
      return function(_, key)
        wait()
        return not key and "only" or nil
      end
    end })
    for key in pairs(t) do
      test.equal(key, "only")
    end
  end)

  it("in handlers of a block: left in order, by break, return, goto and error", function()
    local log = {}
    local function closing(text)
      return setmetatable({}, { __close = function()
        wait()
        log[#log + 1] = text
      end })
    end
    do
      local _ <close> = closing "order"
    end
    for i = 1, 3 do
      local _ <close> = closing("break " .. i)
      if i == 2 then
        break
      end
    end
    local function returning()
      local _ <close> = closing "return"
      return "value"
    end
    test.equal(returning(), "value")
    test.ok(not pcall(function()
      local _ <close> = closing "error, outer"
      local _ <close> = closing "error, inner"
      error "x"
    end))
    for _ in function() return nil end, nil, nil, closing "the fourth value" do
      error "no turn"
    end
    test.same(log, { "order", "break 1", "break 2", "return", "error, inner", "error, outer",
      "the fourth value" })
  end)

  it("in a tail call, and with many values on the stack", function()
    local function tail(n)
      if n == 0 then
        return wait()
      end
      return tail(n - 1)
    end
    test.equal(tail(1000), "waited")
    local function deep(n)
      if n == 0 then
        return wait()
      end
      return (deep(n - 1))
    end
    test.equal(deep(5000), "waited")
    local function pass(...)
      wait()
      return select("#", ...)
    end
    local many = {}
    for i = 1, 1000 do
      many[i] = i
    end
    test.equal(pass(table.unpack(many)), 1000)
  end)

  it("in dofile and in chunks that were loaded", function()
    local path = os.tmpname()
    local file <close> = io.open(path, "w")
    file:write "require 'luge'.sleep(0.0001) return 'from a file'"
    file:close()
    test.equal(dofile(path), "from a file")
    os.remove(path)
    test.equal(load "require 'luge'.sleep(0.0001) return 1" (), 1)
  end)
end)

describe("require", function()
  local function preload(name, fn)
    package.preload[name] = fn
    package.loaded[name] = nil
  end

  it("lets a module wait at its top level", function()
    preload("waiting", function(name)
      return { name = name, waited = wait() }
    end)
    local module = require "waiting"
    test.same(module, { name = "waiting", waited = "waited" })
    test.equal(require "waiting", module)
  end)

  it("lets modules that require each other wait", function()
    preload("outer", function() return { inner = require "inner", waited = wait() } end)
    preload("inner", function() return { waited = wait() } end)
    test.same(require "outer", { inner = { waited = "waited" }, waited = "waited" })
  end)

  it("loads once, whoever asks meanwhile waits for it", function()
    local loads = 0
    preload("shared", function()
      loads = loads + 1
      wait()
      return {}
    end)
    local a = luge.spawn(require, "shared")
    local b = luge.spawn(require, "shared")
    local c = luge.spawn(require, "shared")
    test.equal(luge.await(a), luge.await(b))
    test.equal(luge.await(b), luge.await(c))
    test.equal(loads, 1)
  end)

  it("tries again after an error, for those that waited too", function()
    local loads = 0
    preload("flaky", function()
      loads = loads + 1
      wait()
      if loads == 1 then
        error "the first load fails"
      end
      return "second"
    end)
    local a, b = luge.spawn(pcall, require, "flaky"), luge.spawn(pcall, require, "flaky")
    test.equal((luge.await(a)), false)
    local ok, second = luge.await(b)
    test.same({ ok, second }, { true, "second" })
  end)

  it("goes on when the task that loads is cancelled", function()
    local loads = 0
    preload("cancelled", function()
      loads = loads + 1
      luge.sleep(loads == 1 and 60 or 0)
      return loads
    end)
    local a = luge.spawn(require, "cancelled")
    local b = luge.spawn(require, "cancelled")
    luge.sleep(0)
    luge.sleep(0)
    a:cancel()
    test.equal((luge.await(b)), 2)
  end)

  it("names a cycle", function()
    preload("cycle", function() return require "cycle" end)
    local ok, err = pcall(require, "cycle")
    test.ok(not ok)
    test.matches(tostring(err), "cycle.*requires itself")
  end)

  it("behaves as Lua's otherwise", function()
    preload("returns nothing", function() end)
    test.equal(require "returns nothing", true)
    preload("sets it", function(name) package.loaded[name] = "set" end)
    test.equal(require "sets it", "set")
    preload("returns false", function() return false end)
    test.equal(require "returns false", false)
    local ok, err = pcall(require, "there.is.no.such.module")
    test.ok(not ok)
    test.matches(tostring(err), "module 'there%.is%.no%.such%.module' not found:")
    test.ok(not pcall(require))
    test.ok(not pcall(require, {}))
  end)
end)

describe("a wait is refused, by name,", function()
  it("in functions that table.sort, string.gsub and the like call", function()
    cannot_wait("table%.sort", table.sort, { 2, 1 }, function(a, b)
      luge.sleep(0)
      return a < b
    end)
    cannot_wait("string%.gsub", string.gsub, "x", "x", function() luge.sleep(0) end)
    cannot_wait("load", function()
      assert(load(function() luge.sleep(0) end))
    end)
    cannot_wait("tostring", tostring, setmetatable({}, { __tostring = function()
      luge.sleep(0)
      return ""
    end }))
    cannot_wait("table%.concat", table.concat, setmetatable({}, {
      __len = function() return 1 end, __index = function() luge.sleep(0) end }))
    cannot_wait("table%.unpack", table.unpack, setmetatable({}, {
      __len = function() return 1 end, __index = function() luge.sleep(0) end }))
    cannot_wait("print", print, setmetatable({}, { __tostring = function() luge.sleep(0) end }))
  end)

  it("in ipairs over __index", function()
    cannot_wait("a function that", function()
      for _ in ipairs(setmetatable({}, { __index = function() luge.sleep(0) end })) do
        error "no turn"
      end
    end)
  end)

  it("in an xpcall handler", function()
    local seen
    xpcall(error, function()
      seen = select(2, pcall(luge.sleep, 0))
    end, "x")
    test.equal(seen.kind, "invalid")
    test.matches(seen.message, "xpcall handler")
  end)

  it("in a finalizer", function()
    local seen
    setmetatable({}, { __gc = function() seen = select(2, pcall(luge.sleep, 0)) end })
    collectgarbage()
    test.equal(seen.kind, "invalid")
    test.matches(seen.message, "__gc")
  end)

  it("in a debug hook", function()
    local seen
    local co = coroutine.create(function()
      local x = 1
      return x
    end)
    debug.sethook(co, function()
      seen = seen or select(2, pcall(luge.sleep, 0))
    end, "l")
    coroutine.resume(co)
    test.equal(seen.kind, "invalid")
    test.matches(seen.message, "hook")
  end)

  it("in a coroutine that is resumed there", function()
    cannot_wait("where Lua cannot suspend", function()
      table.sort({ 2, 1 }, function(a, b)
        coroutine.wrap(function() luge.sleep(0) end)()
        return a < b
      end)
    end)
  end)

  it("also where nothing would have been waited for", function()
    local event = luge.event()
    event:set()
    local done = luge.spawn(function() end)
    luge.sleep(0)
    luge.sleep(0)
    for _, fn in ipairs { function() event:wait() end, function() luge.await(done) end } do
      cannot_wait("string%.gsub", string.gsub, "x", "x", fn)
    end
  end)

  it("and leaves the task unharmed", function()
    for _ = 1, 100 do
      pcall(table.sort, { 2, 1 }, function() luge.sleep(0) end)
    end
    test.equal(wait(), "waited")
  end)
end)

describe("what does not wait may run there", function()
  it("spawn, cancel, resolve, try_put", function()
    local queue, future, task = luge.queue(), luge.future(), nil
    table.sort({ 2, 1 }, function(a, b)
      task = task or luge.spawn(function() return "spawned in a comparison" end)
      if not future:done() then
        future:resolve(1)
      end
      queue:try_put(1)
      return a < b
    end)
    test.equal(task:await(), "spawned in a comparison")
    test.equal(future:await(), 1)
  end)
end)
