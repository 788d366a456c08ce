local luge = require "luge"
local fs = require "luge.fs"
local json = require "luge.json"
local test = require "luge.test"
local worker = require "luge.worker"
local process = require "luge.process"
local describe, it = test.describe, test.it

-- What the command makes of a piece of code.
local function run(code, prefix)
  local luge_path = os.getenv "LUGE" or "luge"
  return process.run { "/bin/sh", "-c", (prefix or "") .. [[exec "$0" -e "$1"]], luge_path, code }
end

local JOBS = "tests.support.worker_jobs"

local function echo(...) return ... end

local function spin() while true do end end

-- A job that says by a file that it runs, then goes on for ever.
local function spin_after(path)
  io.open(path, "w"):close()
  while true do pcall(function() while true do end end) end
end

local function wait_for_file(path)
  while not pcall(fs.stat, path) do luge.sleep(0.002) end
end

describe("values", function()
  it("are copied, and come back", function()
    local got = table.pack(worker.run(echo, nil, true, false, 1, math.mininteger, 1.5, "a\0b", ""))
    test.same(got, { nil, true, false, 1, math.mininteger, 1.5, "a\0b", "", n = 8 })
    test.equal(math.type(worker.run(echo, 3.0)), "float")
    test.equal(worker.run(echo, math.huge), math.huge)
    test.equal(worker.run(echo, json.null), json.null)
    test.equal(select("#", worker.run(echo)), 0)
    test.equal(select("#", worker.run(echo, nil, nil)), 2)
    local long = ("x"):rep(1 << 20)
    test.ok(worker.run(echo, long) == long)
  end)

  it("keep shared tables and cycles", function()
    local shared = { "s" }
    local value = { shared, shared, name = "v", [2.5] = { [true] = shared } }
    value.self = value
    local got, again = worker.run(echo, value, shared)
    test.ok(got ~= value)
    test.equal(got.self, got)
    test.equal(got[1], got[2])
    test.equal(got[2.5][true], got[1])
    test.equal(again, got[1])
    test.same(got[1], { "s" })
  end)

  it("keep lists with holes, and the marks of json", function()
    test.same(worker.run(echo, { 1, nil, 3, [-1] = "m", [7] = 7 }),
      { 1, nil, 3, [-1] = "m", [7] = 7 })
    test.equal(json.encode(worker.run(echo, { json.array {}, json.object {} })), "[[],{}]")
  end)

  it("are refused by their place if they cannot be copied", function()
    local function refused(place, ...)
      local err = test.raises("invalid", worker.run, echo, ...)
      test.ok(err.message:find(place, 1, true), err.message)
    end
    refused("argument 1 cannot be copied to another Lua state: a function", print)
    refused("argument 2.a[3][\"b c\"] cannot", 1, { a = { 1, 2, { ["b c"] = io.stdout } } })
    refused("argument 1[true] cannot", { [true] = coroutine.create(print) })
    refused("argument 1, a key cannot", { [print] = 1 })
    refused("a table with a metatable", setmetatable({}, {}))
    refused("nested too deeply", (function()
      local deep = {}
      for _ = 1, 1001 do deep = { deep } end
      return deep
    end)())
    local err = test.raises("invalid", worker.run, function() return 1, { f = print } end)
    test.matches(err.message, "^result 2%.f cannot")
  end)

  it("have a limit", function()
    local pool <close> = worker.pool { size = 1, max_bytes = 1000 }
    local err = test.raises("limit", pool.run, pool, echo, ("x"):rep(1000))
    test.equal(err.limit, 1000)
    err = test.raises("limit", pool.run, pool, function() return ("x"):rep(1000) end)
    test.equal(err.what, "bytes")
    test.equal(pool:run(function() return 1 end), 1)
  end)
end)

describe("functions", function()
  it("may use globals, and themselves", function()
    local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
    test.equal(worker.run(fib, 15), 610)
    test.equal(worker.run(function() return type(string.rep) end), "function")
    test.equal(worker.run(load "local a, b = ... return a .. b", "x", "y"), "xy")
  end)

  it("are refused with the name of what they use besides", function()
    local outside = 1
    local err = test.raises("invalid", worker.run, function() return outside end)
    test.matches(err.message, "uses 'outside'")
    test.matches(err.message, "worker_test.lua:%d+")
    test.raises("invalid", worker.run, load("return x", "c", "t", { x = 1 }))
    test.raises("invalid", worker.run, print)
    test.raises("invalid", worker.run, 7)
    test.raises("invalid", worker.map, { 1 }, setmetatable({}, { __call = print }))
  end)

  it("are found by the name of a module", function()
    test.equal(worker.run(JOBS, 1, nil, 3), 3)
    test.equal(worker.run(JOBS .. ":add", 1, 2), 3)
    test.raises("invalid", worker.run, JOBS .. ":text")
    test.raises("invalid", worker.run, "luge.json")
    test.raises("invalid", worker.run, "no name!")
    local ok, err = pcall(worker.run, "no.such.module")
    test.ok(not ok)
    test.matches(tostring(err), "module 'no.such.module' not found")
  end)

  it("find luge, and what the parent has set up", function()
    local path = package.path
    package.path = path .. ";/some/where/?.lua"
    local pool <close> = worker.pool { size = 1 }
    package.path = path
    test.matches(pool:run(function() return package.path end), "/some/where")
    test.equal(pool:run(function()
      local inner = require "luge"
      return inner.gather { function() inner.sleep(0.001) return "slept" end }[1]
    end), "slept")
    test.equal(pool:run(function() return require "cjson".encode { 1 } end), "[1]")
  end)

  it("keep their globals and modules from job to job", function()
    local pool <close> = worker.pool { size = 1 }
    test.equal(pool:run(JOBS .. ":tally"), 1)
    test.equal(pool:run(JOBS .. ":tally"), 2)
  end)
end)

describe("errors", function()
  it("come back as they were, with the worker's traceback", function()
    local err = test.raises("parse", worker.run, function()
      local new = require("luge").error
      local cause = new { kind = "io", message = "c" }
      error(new { kind = "parse", message = "no", line = 3, cause = cause })
    end)
    test.equal(err.line, 3)
    test.equal(err.cause.kind, "io")
    test.matches(err.traceback, "%[in a worker%]")
    test.matches(err.traceback, "worker_test.lua:%d+")
    local ok, plain = pcall(worker.run, function() error("plain", 0) end)
    test.ok(not ok)
    test.equal(plain, "plain")
    ok, plain = pcall(worker.run, function() error({ 1, f = print }) end)
    test.ok(not ok)
    test.equal(plain[1], 1)
    test.matches(plain.f, "^%(function")
    ok, plain = pcall(worker.run, function()
      error(setmetatable({}, { __tostring = function() return "mine" end }))
    end)
    test.ok(not ok)
    test.equal(plain, "mine")
  end)

  it("that nobody catches are told with the traceback of both", function()
    local result = run([[
      require "luge.worker".run(function() local function inner() error "oops" end inner() end)]])
    test.equal(result.code, 1)
    test.matches(result.stderr, "oops")
    test.matches(result.stderr, "in local 'inner'")
    test.matches(result.stderr, "%[in a worker%].-awaited by")
  end)

  it("of a job that waits for what cannot come", function()
    test.raises("deadlock", worker.run, function() require("luge").event():wait() end)
    test.equal(worker.run(echo, 1), 1)
  end)

  it("of what a job leaves behind are reported, and fail the program", function()
    local result = run([[
      require "luge.worker".run(function()
        require "luge".detach(function() error "left behind" end)
        require "luge".sleep(0.01)
      end)]])
    test.equal(result.code, 1)
    test.matches(result.stderr, "left behind")
  end)
end)

describe("a worker", function()
  it("is replaced when its memory is full, or it calls os.exit", function()
    local pool <close> = worker.pool { size = 1, memory_limit = 8 << 20 }
    pool:run(function() _G.mark = true end)
    test.equal(pool:run(function() return _G.mark end), true)
    local err = test.raises("limit", pool.run, pool, function()
      local kept = {}
      while true do kept[#kept + 1] = ("x"):rep(100000) .. #kept end
    end)
    test.equal(err.what, "memory")
    test.equal(pool:run(function() return _G.mark end), nil)
    err = test.raises("process", pool.run, pool, function() os.exit(3) end)
    test.equal(err.code, 3)
    test.equal(pool:run(echo, 1), 1)
  end)

  it("that has no memory to begin with says so", function()
    local pool <close> = worker.pool { size = 2, memory_limit = 1000 }
    test.equal(test.raises("limit", pool.run, pool, echo).what, "memory")
    test.equal(test.raises("limit", pool.run, pool, echo).what, "memory")
  end)

  it("prints and logs through the host", function()
    local result = run([[
      local worker = require "luge.worker"
      worker.run(function()
        print "out"
        io.stderr:write "err\n"
        require "luge.log".warn("logged", { n = 1 })
        for _ = 1, 20000 do io.write(("x"):rep(99), "\n") end
      end)
      print "end"]])
    test.equal(result.code, 0)
    test.equal(#result.stdout, 4 + 20000 * 100 + 4)
    test.matches(result.stdout, "^out\n.*end\n$")
    test.matches(result.stderr, "err\n")
    test.matches(result.stderr, "logged")
  end)

  it("may not handle signals", function()
    test.raises("permission", worker.run, function() require("luge").signal "TERM" end)
  end)

  it("has workers of its own if it wants", function()
    test.equal(worker.run(function()
      return require("luge.worker").run(function() return "inner" end)
    end), "inner")
  end)
end)

describe("cancelling", function()
  it("interrupts what runs, pcall or not; the pool goes on", function()
    local dir <close> = fs.temp { directory = true }
    local pool <close> = worker.pool { size = 1 }
    local task = luge.spawn(pool.run, pool, spin_after, dir.path .. "/started")
    wait_for_file(dir.path .. "/started")
    task:cancel()
    test.raises("cancelled", task.await, task)
    test.equal(pool:run(echo, "next"), "next")
    test.raises("timeout", luge.timeout, 0.01, pool.run, pool, spin)
    test.equal(pool:run(echo, "next"), "next")
  end)

  it("runs the handlers of a job that waits", function()
    local dir <close> = fs.temp { directory = true }
    local pool <close> = worker.pool { size = 1 }
    local task = luge.spawn(pool.run, pool, function(path)
      local _ <close> = setmetatable({}, {
        __close = function() io.open(path .. "/closed", "w"):close() end,
      })
      io.open(path .. "/started", "w"):close()
      require("luge").sleep(1000)
    end, dir.path)
    wait_for_file(dir.path .. "/started")
    task:cancel()
    wait_for_file(dir.path .. "/closed")
    test.equal(pool:run(echo, "next"), "next")
  end)

  it("takes a job out of the queue", function()
    local dir <close> = fs.temp { directory = true }
    local pool <close> = worker.pool { size = 1 }
    local first = luge.spawn(pool.run, pool, spin_after, dir.path .. "/first")
    wait_for_file(dir.path .. "/first")
    local second = luge.spawn(pool.run, pool, spin_after, dir.path .. "/second")
    luge.sleep(0)
    second:cancel()
    test.raises("cancelled", second.await, second)
    first:cancel()
    test.equal(pool:run(echo, 1), 1)
    test.ok(not pcall(fs.stat, dir.path .. "/second"))
  end)

  it("closes a pool at once, whatever its workers do", function()
    local dir <close> = fs.temp { directory = true }
    local pool = worker.pool { size = 1 }
    local running = luge.spawn(pool.run, pool, spin_after, dir.path .. "/started")
    wait_for_file(dir.path .. "/started")
    local queued = luge.spawn(pool.run, pool, spin)
    luge.sleep(0)
    pool:close()
    test.raises("closed", running.await, running)
    test.raises("closed", queued.await, queued)
    test.raises("closed", pool.run, pool, echo)
    pool:close()
  end)

  it("leaves nothing to wait for, though the job cannot be interrupted yet", function()
    local open = require("luge.native.testrun").open
    local dir <close> = fs.temp { directory = true }
    local pool <close> = worker.pool { size = 1 }
    local fifo, started = dir.path .. "/fifo", dir.path .. "/started"
    process.run { "mkfifo", fifo, check = true }
    local before = open()
    local task = luge.spawn(pool.run, pool, function(gate, mark)
      io.open(mark, "w"):close()
      io.open(gate):close() -- blocks until somebody opens the other end
    end, fifo, started)
    wait_for_file(started)
    task:cancel()
    test.raises("cancelled", task.await, task)
    test.equal(open(), before)
    io.open(fifo, "r+"):close()
  end)

  it("ends the program with jobs in flight", function()
    local result = run([[
      local luge, worker = require "luge", require "luge.worker"
      for _ = 1, 4 do
        luge.detach(worker.run, function()
          while true do pcall(function() while true do end end) end
        end)
      end
      luge.detach(worker.run, function() require "luge".sleep(1000) end)
      luge.sleep(0.05)
      print "over"]])
    test.equal(result.code, 0)
    test.equal(result.stdout, "over\n")
  end)

  it("works where the host may not use a signal", function()
    -- A worker's own workers: it may handle no signals.
    test.equal(worker.run(function()
      local inner = require "luge.worker"
      local pool = inner.pool { size = 1 }
      local function spins() while true do end end
      local ok = pcall(require "luge".timeout, 0.01, pool.run, pool, spins)
      return not ok and pool:run(function() return "goes on" end)
    end), "goes on")
  end)
end)

describe("several", function()
  it("run at the same time", function()
    local dir <close> = fs.temp { directory = true }
    local pool <close> = worker.pool { size = 2 }
    local a, b = dir.path .. "/a", dir.path .. "/b"
    test.same(luge.gather {
      function() return pool:run(JOBS .. ":meet", a, b) end,
      function() return pool:run(JOBS .. ":meet", b, a) end,
    }, { true, true, n = 2 })
  end)

  it("leave the loop to others", function()
    local dir <close> = fs.temp { directory = true }
    local pool <close> = worker.pool { size = 2 }
    local busy = {
      luge.spawn(pool.run, pool, spin_after, dir.path .. "/1"),
      luge.spawn(pool.run, pool, spin_after, dir.path .. "/2"),
    }
    wait_for_file(dir.path .. "/1")
    wait_for_file(dir.path .. "/2")
    for _ = 1, 20 do luge.sleep(0.001) end -- the heart beats while both compute
    for _, task in ipairs(busy) do task:cancel() end
  end)

  it("are served first come, first served", function()
    local pool <close> = worker.pool { size = 1 }
    local order = {}
    luge.map({ 1, 2, 3, 4, 5 }, function(i)
      local result = pool:run(echo, i)
      order[#order + 1] = result
    end)
    test.same(order, { 1, 2, 3, 4, 5 })
  end)
end)

describe("map", function()
  it("keeps the order of the list, and gives the index", function()
    local results = worker.map({ 5, 1, 3 }, function(n, index) return n * 10 + index end)
    test.same(results, { 51, 12, 33, n = 3 })
    test.same(worker.map({}, echo), { n = 0 })
    test.same(worker.map({ "a" }, JOBS .. ":add", { return_errors = true }).n, 1)
  end)

  it("reads iterators and Streams as it goes", function()
    local read = 0
    local function numbers()
      read = read + 1
      return read <= 50 and read or nil
    end
    local pool <close> = worker.pool { size = 1 }
    local ok = pcall(pool.map, pool, numbers, function(n)
      if n == 3 then error "three" end
    end, { concurrency = 2 })
    test.ok(not ok)
    test.ok(read < 10)
    test.same(worker.map(luge.from { 1, 2 }, echo), { 1, 2, n = 2 })
  end)

  it("stops at the first error, or keeps them", function()
    local results = worker.map({ 1, 2 }, function(n)
      if n == 1 then error("one", 0) end
      return n
    end, { return_errors = true })
    test.same(results, { "one", 2, n = 2 })
    local ok, err = pcall(worker.map, { 1, 2, 3, 4 }, function(n)
      if n == 2 then error("two", 0) end
      while true do end
    end, { size = 2 })
    test.ok(not ok)
    test.equal(err, "two")
  end)

  it("checks its options", function()
    test.raises("invalid", worker.map, { 1 }, echo, { concurrency = 0 })
    test.raises("invalid", worker.map, { 1 }, echo, { colour = 1 })
    test.raises("invalid", worker.map, 7, echo)
    test.raises("invalid", worker.pool, { size = 0 })
    test.raises("invalid", worker.pool, { size = 100000 })
  end)
end)

describe("permissions", function()
  it("are those of the host, and audited by it", function()
    local dir <close> = fs.temp { directory = true }
    fs.write(dir.path .. "/in", "inside")
    local command = { os.getenv "LUGE" or "luge", "--allow-read=" .. dir.path,
      "--audit", dir.path .. "/log", "-e", [[
        local worker = require "luge.worker"
        local function read(path) return require "luge.fs".read(path) end
        local dir = ]] .. ("%q"):format(dir.path) .. [[
        print(worker.run(read, dir .. "/in"))
        local ok, err = pcall(worker.run, read, "/etc/passwd")
        print(ok, err.kind, err.resource)]] }
    local result = process.run(command)
    test.equal(result.stdout, "inside\nfalse\tpermission\t/etc/passwd\n", result.stderr)
    local audit = fs.read(dir.path .. "/log")
    test.matches(audit, '/in".-"allow"')
    test.matches(audit, '/etc/passwd".-"deny"')
  end)
end)

it("tells that there are no descriptors for it", function()
  local result = run([[
    local worker, files = require "luge.worker", {}
    repeat
      files[#files + 1] = io.open "/dev/null"
      local file, _, errno = io.open "/dev/null"
      files[#files + 1] = file
    until errno
    local ok, err = pcall(worker.run, function() end)
    for _, file in ipairs(files) do file:close() end
    print(ok, err.kind, err.what, worker.run(function() return "again" end))]],
    "ulimit -n 40 && ")
  test.equal(result.stdout, "false\tlimit\topen files\tagain\n", result.stderr)
end)

describe("a thread that cannot be started", function()
  it("is an error", function()
    local limits = "ulimit -s 1000000 && ulimit -v 500000 && "
    if run("print(1)", limits).stdout ~= "1\n" then
      return -- a sanitizer's memory is larger, or the limit is not ours to set
    end
    local result = run([[
      local ok, err = pcall(require "luge.worker".run, function() end)
      print(ok, err.kind, err.what)]], limits)
    test.equal(result.stdout, "false\tlimit\tthreads\n", result.stderr)
  end)
end)
