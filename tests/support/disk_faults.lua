-- luge.fs, luge.store and what writes through them, on the disk that
-- tests/unit/disk_faults_test.c breaks: `disk.fail(call, pattern)` makes "fsync",
-- "write" or "close" of files whose paths match fail with EIO, `disk.mend()` ends
-- that.
local luge = require "luge"
local chain = require "luge.chain"
local fs = require "luge.fs"
local http = require "luge.http"
local llm = require "luge.llm"
local store = require "luge.store"
local test = require "luge.test"

local dir <close> = fs.temp { directory = true }

local function path(name)
  return dir.path .. "/" .. name
end

-- Its error, where the call failed on such files.
local function broken(kind, call, pattern, fn, ...)
  disk.fail(call, pattern)
  local ok, err = pcall(fn, ...)
  test.ok(disk.mend() > 0, call .. " did not fail")
  test.ok(not ok, call .. " failed, and nobody was told")
  test.ok(luge.is_error(err, kind), tostring(err))
  return err
end

local function eio(at, ...)
  local err = broken("io", ...)
  test.equal(err.errno, "EIO")
  test.equal(err.path, at)
end

-- Whole files: the old one stays, and nothing beside it.
local function whole_files()
  fs.write(path "old", "old")
  fs.write(path "other", "new")
  for _, call in ipairs { "fsync", "write", "close" } do
    eio(path "old", call, "*/.old.*", fs.write, path "old", "new")
    eio(path "other", call, "*/.old.*", fs.copy, path "other", path "old")
  end
  test.equal(fs.read(path "old"), "old")
  test.same(fs.list(dir.path), { "old", "other" })
  eio(path "old", "fsync", dir.path, fs.write, path "old", "new")
  test.equal(fs.read(path "old"), "new")
  fs.write(path "old", "newer", { sync = false })
  for _, call in ipairs { "fsync", "write", "close" } do
    eio(path "log", call, "*/log", fs.append, path "log", "x", { sync = true })
  end
end

-- What is lost is not on the disk however often one asks.
local function open_files()
  local file = fs.open(path "file", "w")
  eio(path "file", "write", "*/file", file.write, file, "x")
  file:write "y"
  eio(path "file", "fsync", "*/file", file.sync, file)
  for _ = 1, 2 do
    test.equal(test.raises("io", file.sync, file).errno, "EIO")
  end
  eio(path "file", "close", "*/file", file.close, file)
  file:close()
  test.raises("closed", file.sync, file)
  eio(path "file", "close", "*/file", function()
    local _ <close> = fs.open(path "file", "a")
  end)
end

-- The next message of an error that nobody can handle. Garbage is freed when
-- the collector likes.
local function reported()
  for _ = 1, 500 do
    local text = disk.said()
    if text ~= "" then
      return text
    end
    luge.sleep(0.01)
  end
end

-- Files that nobody waits for: they are collected, closed where Lua cannot wait,
-- or in use by what was cancelled.
local function forgotten_files()
  local told = ("io: cannot close %s: i/o error"):format(path "file")
  local function close_where_nothing_waits()
    local _ <close> = fs.open(path "file")
    coroutine.yield()
  end
  for _, forget in ipairs {
    function()
      fs.open(path "file")
      collectgarbage()
      collectgarbage()
    end,
    function()
      local suspended = coroutine.create(close_where_nothing_waits)
      coroutine.resume(suspended)
      coroutine.close(suspended)
    end,
    function()
      local file <close> = fs.open(path "file")
      local task = luge.spawn(file.read, file)
      luge.sleep(0)
      task:cancel()
      luge.sleep(0)
    end,
  } do
    disk.fail("close", "*/file")
    forget()
    test.equal(reported(), told)
    test.equal(disk.mend(), 1)
  end
end

-- After a synchronization that failed nothing more is believed, but what was
-- acknowledged before it; until the store is opened anew.
local function poisoned_store()
  local s = store.sqlite(path "store")
  s:put("k", "kept")
  test.equal(s:log("l"):append "kept", 1)
  disk.fail("fsync", "*/store-wal")
  local results = luge.gather({
    function() s:put("k", "lost") end,
    function() s:put("other", "lost") end,
    function() s:log("l"):append "lost" end,
  }, { return_errors = true })
  test.equal(disk.mend(), 1) -- and not tried again
  for i = 1, 3 do
    test.ok(luge.is_error(results[i], "store"), tostring(results[i]))
    test.equal(results[i].code, "SQLITE_IOERR")
    test.equal(results[i].retryable, false)
    test.equal(results[i].path, path "store")
  end
  for _, call in ipairs { s.get, s.put, s.delete } do
    test.equal(test.raises("store", call, s, "k", 1).code, "SQLITE_IOERR")
  end
  s:close()
  local again <close> = store.sqlite(path "store")
  test.equal(again:get "k", "kept")
  test.equal(again:get "other", nil)
  test.equal(again:log("l"):append "next", 2)
end

-- The write-ahead log has it all, whatever becomes of the file behind it.
local function unwritten_store()
  local s = store.sqlite(path "slow")
  local keys, long = {}, ("x"):rep(4000)
  for i = 1, 1200 do
    keys[i] = "k" .. i
  end
  for _, call in ipairs { "fsync", "write" } do
    disk.fail(call, "*/slow")
    luge.map(keys, function(key) s:put(key, call .. long) end, { concurrency = #keys })
    s:close()
    test.ok(disk.mend() > 0)
    s = store.sqlite(path "slow")
    for _, key in ipairs(keys) do
      test.ok(s:get(key) == call .. long)
    end
  end
  s:close()
end

-- Each store has a thread of its own.
local function no_thread()
  for _, at in ipairs { path "thread", false } do
    disk.fail("thread", "")
    local ok, err = pcall(at and store.sqlite or store.memory, at or nil)
    test.equal(disk.mend(), 1)
    test.equal(ok, false)
    test.equal(err.kind, "limit")
    test.equal(err.what, "threads")
    test.equal(err.path, at or nil)
  end
  local s <close> = store.sqlite(path "thread")
  s:put("k", 1)
end

-- A write that failed has not happened, and is nobody else's business.
local function failed_write()
  local s <close> = store.sqlite(path "write")
  s:put("k", "kept")
  local err = broken("store", "write", "*/write-wal", s.put, s, "k", "lost")
  test.equal(err.code, "SQLITE_IOERR")
  test.equal(s:get "k", "kept")
  s:put("k", "next")
  test.equal(s:get "k", "next")
end

-- How long files may become while `fn` runs.
local function with_limit(bytes, fn, ...)
  disk.limit(bytes)
  local ok, err = pcall(fn, ...)
  disk.limit()
  return ok, err
end

-- An output that could not be kept is an error, and the last that the file has
-- of that run; the next run drops what there is of it, which takes no room.
local function checkpoints()
  local long = ("x"):rep(100000)
  local c = chain.fn(function(i)
    if i == 3 then disk.limit() end -- there is room again
    return i == 2 and long or i
  end)
  local options = { checkpoint = path "batch", concurrency = 1, return_errors = true }
  local _, out = with_limit(4096, c.batch, c, { 1, 2, 3 }, options)
  test.equal(out[1], 1)
  for i = 2, 3 do
    test.ok(luge.is_error(out[i], "io"), tostring(out[i]))
    test.equal(out[i].errno, "EFBIG")
  end
  test.same(c:batch({ 1, 2, 3 }, options), { 1, long, 3, n = 3 })
  local text = fs.read(path "batch")
  fs.append(path "batch", '{"input')
  test.same({ with_limit(4096, c.batch, c, { 1 }, options) }, { true, { 1, n = 1 } })
  test.ok(fs.read(path "batch") == text)
  eio(path "batch", "close", "*/batch", c.batch, c, { 1 }, options)
end

-- A recording is kept as a whole, or not at all.
local function recordings()
  local model = llm.model "demo"
  local ok, err = with_limit(100, llm.record, path "recording", model.invoke, model, "hi")
  require("luge.internal.llm.demo").close()
  test.ok(not ok)
  test.equal(err.errno, "EFBIG")
  test.equal(fs.exists(path "recording"), false)
end

-- A download that cannot be kept leaves the old file.
local function downloads()
  local server <close> = http.server { handler = function() return { body = "new" } end }
  fs.write(path "download", "old")
  for _, call in ipairs { "write", "close" } do
    local err = broken("io", call, "*/download.*.part", http.download, server.url, path "download")
    test.equal(err.errno, "EIO")
    test.equal(fs.read(path "download"), "old")
  end
  for name in luge.from(fs.list(dir.path)):iter() do
    test.equal(name:find("part", 1, true), nil)
  end
end

whole_files()
open_files()
forgotten_files()
poisoned_store()
unwritten_store()
no_thread()
failed_write()
checkpoints()
recordings()
downloads()
