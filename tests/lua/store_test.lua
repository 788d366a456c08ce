local luge = require "luge"
local chain = require "luge.chain"
local fs = require "luge.fs"
local json = require "luge.json"
local llm = require "luge.llm"
local process = require "luge.process"
local store = require "luge.store"
local test = require "luge.test"
local describe, it = test.describe, test.it

local command = os.getenv "LUGE" or "luge"
local dir

test.before(function()
  dir = fs.temp { directory = true }
end)

test.after(function()
  dir:close()
end)

local function path(name)
  return dir.path .. "/" .. name
end

local function raises(code, fn, ...)
  local err = test.raises("store", fn, ...)
  test.equal(err.code, code, err.message)
  return err
end

local function collect(stream)
  local list = {}
  for key, value in stream:iter() do
    list[#list + 1] = key
    list[#list + 1] = value
  end
  return list
end

-- The same promises, wherever the store is.
local function contract(name, open)
  local s

  describe(name, function()
    test.before_each(function()
      s = open()
    end)
    test.after_each(function()
      s:close()
    end)

    it("keeps strings of any bytes, and what JSON has a form for", function()
      local all = {}
      for i = 0, 255 do
        all[i + 1] = string.char(i)
      end
      local bytes = table.concat(all)
      for i, value in ipairs { bytes, "", "\0", "true", 1, 1.5, -0.1, math.maxinteger,
        math.mininteger, true, false, {}, { 1, 2, { x = "y" } },
        { a = { b = { c = "\u{20ac}" } } } } do
        s:put("k" .. i, value)
        test.same(s:get("k" .. i), value)
      end
      s:put("float", 3.0)
      test.equal(math.type(s:get "float"), "float")
      s:put("null", json.null)
      test.equal(s:get "null", json.null)
      s:put(bytes, "under any key")
      test.equal(s:get(bytes), "under any key")
      s:put("", "under none")
      test.equal(s:get "", "under none")
      test.equal(s:get "nowhere", nil)
    end)

    it("says what it does not take", function()
      test.raises("invalid", s.put, s, "k", nil)
      test.raises("invalid", s.put, s, "k", print)
      test.raises("invalid", s.put, s, "k", 0 / 0)
      test.raises("invalid", s.put, s, "k", { "\xFF" })
      test.raises("invalid", s.put, s, 1, "v")
      test.raises("invalid", s.get, s, nil)
      test.raises("invalid", s.put, s, "k", "v", { ttl = 0 })
      test.raises("invalid", s.put, s, "k", "v", { tll = 1 })
      test.raises("invalid", s.scan, s, "", { limit = 0 })
      test.raises("limit", s.put, s, ("k"):rep((1 << 20) + 1), "v")
      test.equal(s:get(("k"):rep(1 << 20)), nil)
    end)

    it("replaces and deletes", function()
      s:put("k", "old")
      s:put("k", { "new" })
      test.same(s:get "k", { "new" })
      test.equal(s:delete "k", true)
      test.equal(s:delete "k", false)
      test.equal(s:get "k", nil)
    end)

    it("sets what is as expected", function()
      test.equal(s:compare_and_set("k", "v", "w"), false)
      test.equal(s:compare_and_set("k", nil, { a = 1, b = { 2 } }), true)
      test.equal(s:compare_and_set("k", nil, "w"), false)
      test.equal(s:compare_and_set("k", { b = { 2 }, a = 1.0 }, "w"), false)
      test.equal(s:compare_and_set("k", { b = { 2 }, a = 1 }, "1"), true)
      test.equal(s:compare_and_set("k", 1, "w"), false)
      test.equal(s:compare_and_set("k", "1", nil), true)
      test.equal(s:get "k", nil)
      test.equal(s:compare_and_set("k", nil, nil), true)
    end)

    it("lets nobody's compare_and_set be lost", function()
      s:put("n", 0)
      luge.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, function()
        for _ = 1, 10 do
          repeat
            local n = s:get "n"
          until s:compare_and_set("n", n, n + 1)
        end
      end)
      test.equal(s:get "n", 80)
    end)

    it("forgets what has expired", function()
      s:put("short", "v", { ttl = 0.01 })
      s:put("long", "v", { ttl = 1000 })
      s:put("other", "v")
      while s:get "short" do
        luge.sleep(0.002)
      end
      test.same(collect(s:scan()), { "long", "v", "other", "v" })
      test.equal(s:compare_and_set("short", "v", "w"), false)
      test.equal(s:delete "short", false)
      test.equal(s:compare_and_set("short", nil, "w"), true)
      test.equal(s:get "short", "w")
      s:put("long", "w")
      test.equal(s:get "long", "w")
    end)

    it("scans in the order of the keys' bytes", function()
      for _, key in ipairs { "b", "a\xFF", "a", "a\0", "\xFF\xFF", "aa", "\xFF", "b\0" } do
        s:put(key, #key)
      end
      local function keys(...)
        local list = {}
        for key, value in s:scan(...) do
          test.equal(value, #key)
          list[#list + 1] = key
        end
        return list
      end
      test.same(keys(), { "a", "a\0", "aa", "a\xFF", "b", "b\0", "\xFF", "\xFF\xFF" })
      test.same(keys "a", { "a", "a\0", "aa", "a\xFF" })
      test.same(keys "a\xFF", { "a\xFF" })
      test.same(keys "\xFF", { "\xFF", "\xFF\xFF" })
      test.same(keys("a", { limit = 2 }), { "a", "a\0" })
      test.same(keys "c", {})
    end)

    it("scans in pages", function()
      local large = ("x"):rep(300000)
      luge.map(luge.from { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, function(i)
        s:put("large" .. i, large)
      end)
      for i = 1, 300 do
        luge.spawn(s.put, s, ("small%03d"):format(i), i)
      end
      while not s:get "small300" do
        luge.sleep(0)
      end
      local n = 0
      for key, value in s:scan "large" do
        n = n + 1
        test.equal(key, "large" .. n)
        test.ok(value == large)
      end
      test.equal(n, 9)
      n = 0
      for key, value in s:scan("small", { limit = 290 }) do
        n = n + 1
        test.equal(key, ("small%03d"):format(n))
        test.equal(value, n)
      end
      test.equal(n, 290)
      for _ in s:scan "small" do
        break
      end
    end)

    it("has parts that are like stores", function()
      local part = s:at "a/"
      part:put("x", 1)
      s:put("a0", 2)
      s:put("a/y", 3)
      test.equal(s:get "a/x", 1)
      test.same(collect(part:scan()), { "x", 1, "y", 3 })
      test.same(collect(part:at("x"):scan()), { "", 1 })
      test.equal(part:log("l"):append "e", 1)
      test.equal(s:log("a/l"):length(), 1)
      local brief = s:at("b/", { ttl = 0.01 })
      brief:put("k", 1)
      brief:put("kept", 1, { ttl = 1000 })
      while brief:get "k" do
        luge.sleep(0.002)
      end
      test.equal(brief:get "kept", 1)
    end)

    it("numbers the entries of logs", function()
      local log = s:log "l"
      test.equal(log:length(), 0)
      test.equal(log:last(), nil)
      test.same(log:read():collect(), {})
      test.equal(log:truncate(10), 0)
      for i = 1, 5 do
        test.equal(log:append { i = i }, i)
      end
      test.equal(s:log("other"):append "\0", 1)
      test.equal(log:length(), 5)
      test.same({ log:last() }, { 5, { i = 5 } })
      test.same(collect(log:read { from = 4 }), { 4, { i = 4 }, 5, { i = 5 } })
      test.same(collect(log:read { from = 2, limit = 1 }), { 2, { i = 2 } })
      test.same(collect(log:read { from = 6 }), {})
    end)

    it("never gives the number of an entry twice", function()
      local log = s:log "l"
      for _ = 1, 3 do
        log:append "x"
      end
      test.equal(log:truncate(3), 2)
      test.equal(log:truncate(2), 0)
      test.same(collect(log:read()), { 3, "x" })
      test.equal(log:truncate(100), 1)
      test.equal(log:length(), 0)
      test.equal(log:last(), nil)
      test.equal(log:append "y", 4)
      test.same(collect(log:read()), { 4, "y" })
    end)

    it("reads long logs in pages, in the order of their coming", function()
      local log, all = s:log "l", {}
      for i = 1, 400 do
        all[i] = function() return log:append(i) end
      end
      test.same(luge.gather(all)[400], 400)
      local n = 0
      for number, value in log:read() do
        n = n + 1
        test.equal(number, n)
        test.equal(value, n)
      end
      test.equal(n, 400)
    end)

    it("ends what was asked before it is closed", function()
      local task = luge.spawn(s.put, s, "k", 1)
      luge.sleep(0)
      s:close()
      test.equal(task:done(), true)
      task:await()
      test.raises("closed", s.get, s, "k")
      test.raises("closed", s.put, s, "k", 1)
      test.raises("closed", s:log("l").append, s:log "l", 1)
      s:close()
    end)

    it("goes on after a cancelled call", function()
      for i = 1, 20 do
        local task = luge.spawn(s.put, s, "k", i)
        luge.sleep(0)
        task:cancel()
        test.raises("cancelled", task.await, task)
      end
      s:put("k", "last")
      test.equal(s:get "k", "last")
    end)

    it("takes a failed write for no reason to fail others", function()
      local small = open { max_size = 200000 }
      local tasks = {}
      for i = 1, 20 do
        tasks[i] = function() small:put("k" .. i, i) end
      end
      tasks[21] = function() small:put("large", ("x"):rep(1000000)) end
      local results = luge.gather(tasks, { return_errors = true })
      test.ok(luge.is_error(results[21], "store"))
      test.equal(results[21].code, "SQLITE_FULL")
      for i = 1, 20 do
        test.equal(results[i], nil)
        test.equal(small:get("k" .. i), i)
      end
      test.equal(small:get "large", nil)
      small:put("large", "small")
      small:close()
    end)

    it("has a limit for values", function()
      local small = open { max_value = 10 }
      small:put("k", ("x"):rep(10))
      local err = test.raises("limit", small.put, small, "k", ("x"):rep(11))
      test.equal(err.limit, 10)
      test.raises("limit", small.compare_and_set, small, "k", nil, { "123456789" })
      test.raises("limit", small:log("l").append, small:log "l", ("x"):rep(11))
      small:close()
    end)

    it("is what caches take", function()
      local calls = 0
      local cached = chain.fn(function(text)
        calls = calls + 1
        return { text = text, n = 1 }
      end):cache(s:at "cache/")
      test.same(cached:invoke "a", { text = "a", n = 1 })
      test.same(cached:invoke "a", { text = "a", n = 1 })
      test.equal(calls, 1)
    end)

    it("is what histories take", function()
      local history = llm.history { store = s, id = "chat" }
      history:add { "user", "hello" }
      local again = llm.history { store = s, id = "chat" }
      test.equal(again:messages()[1].content, "hello")
    end)
  end)
end

local count = 0

contract("a store in a file", function(options)
  count = count + 1
  return store.sqlite(path("contract" .. count), options)
end)

contract("a store in memory", function(options)
  return store.memory(options)
end)

describe("a file", function()
  it("keeps everything when it is closed", function()
    local name = path "file:kept?mode=memory"
    local s = store.sqlite(name)
    s:put("k", { 1 })
    s:log("l"):append "e"
    s:close()
    test.ok(fs.stat(name).size > 0)
    local _ <close> = store.sqlite(name)
    test.same(_:get "k", { 1 })
    test.same({ _:log("l"):last() }, { 1, "e" })
  end)

  it("is open more than once", function()
    local a <close> = store.sqlite(path "twice")
    local b <close> = store.sqlite(path "twice")
    a:put("k", "a")
    test.equal(b:get "k", "a")
    luge.map({ 1, 2, 3, 4 }, function(i)
      for _ = 1, 10 do
        (i % 2 == 0 and a or b):log("l"):append(i)
      end
    end)
    test.equal(a:log("l"):length(), 40)
    test.equal(b:log("l"):last(), 40)
  end)

  it("is opened by many at once", function()
    local stores = luge.map({ 1, 2, 3, 4, 5, 6 }, function()
      return store.sqlite(path "many")
    end)
    for i, s in ipairs(stores) do
      s:put("k", i)
      test.equal(stores[1]:get "k", i)
    end
    for _, s in ipairs(stores) do
      s:close()
    end
  end)

  it("that is none of ours is left alone", function()
    raises("SQLITE_CANTOPEN", store.sqlite, dir.path)
    raises("SQLITE_CANTOPEN", store.sqlite, path "no/such")
    test.raises("invalid", store.sqlite, "")
    test.raises("invalid", store.sqlite, "a\0b")
    test.raises("invalid", store.sqlite, path "x", { max_value = 1 << 30 })
    fs.write(path "text", ("no database\n"):rep(100))
    local err = raises("SQLITE_NOTADB", store.sqlite, path "text")
    test.equal(err.path, path "text")
    test.equal(fs.read(path "text"), ("no database\n"):rep(100))
  end)

  -- Bytes of the header: https://www.sqlite.org/fileformat2.html
  local function with_header(name, offset, bytes)
    store.sqlite(path(name)):close()
    local text = fs.read(path(name))
    text = text:sub(1, offset) .. bytes .. text:sub(offset + #bytes + 1)
    fs.write(path(name), text)
    return text
  end

  it("of another program or a newer luge is left alone", function()
    local before = with_header("foreign", 68, "\0\0\0\1")
    raises("FOREIGN", store.sqlite, path "foreign")
    test.ok(fs.read(path "foreign") == before)
    before = with_header("newer", 60, "\0\0\0\9")
    local err = raises("NEWER", store.sqlite, path "newer")
    test.matches(err.message, "format 9")
    test.ok(fs.read(path "newer") == before)
  end)

  it("that is damaged says so", function()
    local name = path "damaged"
    local s = store.sqlite(name)
    for i = 1, 200 do
      luge.spawn(s.put, s, "k" .. i, ("x"):rep(500))
    end
    luge.sleep(0)
    s:close()
    local text = fs.read(name)
    fs.write(name, text:sub(1, 4096) .. ("\xA5"):rep(#text - 4096))
    local ok, err = pcall(function()
      local again <close> = store.sqlite(name)
      return again:get "k100"
    end)
    test.ok(not ok and luge.is_error(err, "store"))
    test.equal(err.code, "SQLITE_CORRUPT")
    fs.write(name, text:sub(1, #text // 2))
    ok = pcall(function()
      local again <close> = store.sqlite(name)
      return again:scan():collect()
    end)
    test.equal(ok, false)
  end)

  it("that grows too large leaves what is in it", function()
    local name = path "grown"
    local script = [[
      local store = require("luge").is_error and require "luge.store"
      local s <close> = store.sqlite(arg[1])
      s:put("first", "kept")
      local ok, err = pcall(s.put, s, "k", ("x"):rep(4 << 20))
      print(ok, err.kind, err.code, s:get "first", s:get "k")
    ]]
    fs.write(path "grow.lua", script)
    local result = process.run { "sh", "-c",
      'trap "" XFSZ; ulimit -f 512; exec "$0" "$1" "$2"', command, path "grow.lua", name }
    test.equal(result.stderr, "")
    test.matches(result.stdout, "^false\tstore\tSQLITE_[IF]%u+\tkept\tnil\n")
    local s <close> = store.sqlite(name)
    test.equal(s:get "first", "kept")
  end)
end)

it("opens where it could not, once there are descriptors again", function()
  local script = [[
    local fs, store = require "luge.fs", require "luge.store"
    local files, ok, file = {}
    repeat
      ok, file = pcall(fs.open, "/etc/passwd")
      files[#files + 1] = ok and file or nil
    until not ok
    local ok, err = pcall(store.sqlite, arg[1])
    for _, file in ipairs(files) do file:close() end
    print(ok, err.kind, err.what)
    local s <close> = store.sqlite(arg[1])
    s:put("k", 1)
    print(s:get "k")
  ]]
  fs.write(path "descriptors.lua", script)
  local result = process.run { "sh", "-c", 'ulimit -n 40; exec "$0" "$1" "$2"', command,
    path "descriptors.lua", path "descriptors" }
  test.equal(result.stderr, "")
  test.equal(result.stdout, "false\tlimit\topen files\n1\n")
end)

-- Somebody who may not write everywhere; nil if we cannot become one.
local function unprivileged()
  local user = process.run({ "id", "-u" }).stdout:match "%d+"
  if user ~= "0" then
    return {}
  end
  local prefix = { "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups" }
  local probe = { table.unpack(prefix) }
  probe[#probe + 1], probe[#probe + 2] = command, "--version"
  local ok, result = pcall(process.run, probe)
  return ok and result.code == 0 and prefix or nil
end

local prefix = unprivileged()

it("says that it may not write", function()
  local name = path "readonly"
  store.sqlite(name):close()
  assert(os.execute(("chmod 444 '%s' && chmod 755 '%s'"):format(name, dir.path)))
  local words = { table.unpack(prefix) }
  words[#words + 1] = command
  words[#words + 1] = "-e"
  words[#words + 1] = ([[
    local _, err = pcall(require("luge.store").sqlite, %q)
    print(err.kind, err.code, err.message)
  ]]):format(name)
  local result = process.run(words)
  test.equal(result.stderr, "")
  test.equal(result.stdout,
    ("store\tSQLITE_READONLY\tcannot open %s: the file is read-only\n"):format(name))
end, { skip = not prefix and "cannot become another user" or nil })

it("keeps several processes from losing what others wrote", function()
  local name = path "processes"
  local script = path "count.lua"
  fs.write(script, [[
    local luge, store = require "luge", require "luge.store"
    local s <close> = store.sqlite(arg[1], { timeout = 100 })
    for _ = 1, 25 do
      repeat
        local n = s:get "n"
      until s:compare_and_set("n", n, (n or 0) + 1)
      s:log("l"):append(arg[2])
    end
  ]])
  luge.map({ "a", "b", "c", "d" }, function(who)
    local result = process.run { command, script, name, who }
    test.equal(result.stderr, "")
    test.equal(result.code, 0)
  end)
  local s <close> = store.sqlite(name)
  test.equal(s:get "n", 100)
  local counts, total = {}, 0
  for number, who in s:log("l"):read() do
    total = total + 1
    test.equal(number, total)
    counts[who] = (counts[who] or 0) + 1
  end
  test.same(counts, { a = 25, b = 25, c = 25, d = 25 })
end, { timeout = 60 })
