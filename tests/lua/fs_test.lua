local luge = require "luge"
local fs = require "luge.fs"
local test = require "luge.test"
local run = dofile "tests/support/command.lua"
local describe, it = test.describe, test.it
local eventually = dofile("tests/support/tasks.lua").eventually

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

local function raises(errno, fn, ...)
  local err = test.raises("io", fn, ...)
  test.equal(err.errno, errno)
  return err
end

describe("whole files", function()
  it("are written and read, of any bytes and length", function()
    local name = path "binary \1\255\n"
    for _, size in ipairs { 0, 1, 16383, 16384, 16385, 200000 } do
      local data = ("\0\255\r\n\1"):rep(size // 5 + 1):sub(1, size)
      fs.write(name, data)
      test.ok(fs.read(name) == data)
    end
    fs.remove(name)
  end)

  it("have a limit", function()
    fs.write(path "long", ("x"):rep(100000))
    test.equal(#fs.read(path "long", { limit = 100000 }), 100000)
    local err = test.raises("limit", fs.read, path "long", { limit = 99999 })
    test.equal(err.limit, 99999)
    test.raises("limit", fs.read, "/dev/zero", { limit = 100000 })
    fs.write(path "empty", "")
    test.equal(fs.read(path "empty", { limit = 0 }), "")
  end)

  it("of unknown size are read to their end", function()
    test.matches(fs.read "/proc/self/status", "^Name:")
    test.equal(fs.read "/dev/null", "")
  end)

  it("tell what is wrong", function()
    local err = raises("ENOENT", fs.read, path "none")
    test.equal(err.path, path "none")
    raises("EISDIR", fs.read, dir.path)
    raises("EISDIR", fs.write, dir.path, "x")
    raises("ENOENT", fs.write, path "no/such", "x")
    raises("ENOTDIR", fs.read, "/dev/null/x")
    raises("ENOENT", fs.read, "")
    raises("ENAMETOOLONG", fs.read, path(("x"):rep(300)))
    test.raises("invalid", fs.read, "a\0b")
    test.raises("invalid", fs.read, 1)
    test.raises("invalid", fs.read, "x", { limits = 1 })
    test.raises("invalid", fs.write, "x", {})
  end)

  it("on a full disk are errors", function()
    raises("ENOSPC", fs.write, "/dev/full", "x")
    raises("ENOSPC", fs.append, "/dev/full", "x")
    local file <close> = fs.open("/dev/full", "w")
    raises("ENOSPC", file.write, file, "x")
  end)

  it("that grow too large are errors, and the old one stays", function()
    local name = path "limited"
    fs.write(name, "old")
    local text = run(([[
      local fs = require "luge.fs"
      local text = ("x"):rep(100000)
      for _, write in ipairs { fs.write, fs.append } do
        local ok, err = pcall(write, %q, text)
        print(ok, err.kind, err.errno)
      end
    ]]):format(name), nil, "ulimit -f 8; ")
    test.equal(text, ("false\tio\tEFBIG\n"):rep(2))
    test.equal(fs.read(name):sub(1, 3), "old")
  end)

  it("in a place that is only for reading are errors", function()
    local place
    for line in fs.read "/proc/mounts":gmatch "[^\n]+" do
      local at, options = line:match "^%S+ (%S+) %S+ (%S+)"
      place = options:find "^ro%f[%W]" and fs.stat(at).type == "directory" and at or place
    end
    if place then -- in most containers /sys is one
      raises("EROFS", fs.write, place .. "/luge-test", "x")
      raises("EROFS", fs.append, place .. "/luge-test", "x")
      raises("EROFS", fs.mkdir, place .. "/luge-test")
      raises("EROFS", fs.temp, { dir = place })
    end
  end)

  it("may have any bytes in their names", function()
    local odd = fs.temp { directory = true, dir = dir.path }
    local names = { "\255\254", "a\nb", "-rf", " ", "\27[31m", "\195(", "'\"`$(x)" }
    for i, name in ipairs(names) do
      fs.write(odd.path .. "/" .. name, tostring(i))
    end
    local list = fs.list(odd.path)
    test.equal(#list, #names)
    for i, name in ipairs(names) do
      test.equal(fs.read(odd.path .. "/" .. name), tostring(i))
      fs.rename(odd.path .. "/" .. name, odd.path .. "/" .. name .. "\1")
      fs.remove(odd.path .. "/" .. name .. "\1")
    end
    local _, err = pcall(fs.read, odd.path .. "/\255\27")
    test.equal(err.path, odd.path .. "/\255\27")
    odd:close()
  end)

  it("keep their mode, and stay behind a link", function()
    fs.write(path "real", "old", { mode = 384 }) -- 0600
    assert(os.execute(("ln -s real %s"):format(path "link")))
    fs.write(path "link", "new")
    test.equal(fs.stat(path "link", { follow = false }).type, "link")
    assert(os.execute(("ln -s 'not yet' '%s'"):format(path "early")))
    fs.write(path "early", "now")
    test.equal(fs.read(path "not yet"), "now")
    test.equal(fs.stat(path "early", { follow = false }).type, "link")
    test.equal(fs.read(path "real"), "new")
    test.equal(fs.stat(path "real").mode, 384)
  end)

  it("leave nothing behind when writing fails", function()
    local before = #fs.list(dir.path)
    assert(os.execute(("ln -s nowhere/else %s"):format(path "dangling")))
    raises("ENOENT", fs.write, path "dangling", "x")
    fs.remove(path "dangling")
    test.equal(#fs.list(dir.path), before)
  end)

  it("are appended to", function()
    fs.append(path "log", "a\n")
    fs.append(path "log", "b\n", { sync = true })
    test.equal(fs.read(path "log"), "a\nb\n")
  end)

  it("are old or new after a kill, and never half", function()
    local name = path "atomic"
    fs.write(name, ("0"):rep(300000))
    for i = 1, 8 do
      local digit = tostring(i)
      run(([[
        local fs = require "luge.fs"
        luge.spawn(function() luge.sleep(%g) os.execute("kill -9 $PPID") end)
        while true do fs.write(%q, (%q):rep(300000)) end
      ]]):format(i * 0.004, name, digit))
      local text = fs.read(name)
      test.equal(#text, 300000)
      test.ok(text == text:sub(1, 1):rep(300000))
    end
  end, { timeout = 20 })
end)

describe("open files", function()
  it("give lines with either end, long ones and a last one without", function()
    local long = ("y"):rep(200000)
    fs.write(path "lines", "a\r\n\n" .. long .. "\nb\r")
    test.same(fs.lines(path "lines"):collect(), { "a", "", long, "b\r" })
    test.equal(fs.lines(path "lines", { limit = 3 }):next(), "a")
    test.raises("limit", function() fs.lines(path "lines", { limit = 3 }):collect() end)
    test.raises("invalid", fs.lines, path "lines", { limits = 3 })
    fs.write(path "lines", "")
    test.same(fs.lines(path "lines"):collect(), {})
    local file <close> = fs.open("/dev/zero")
    test.raises("limit", function()
      file:lines { limit = 100000 }:next()
    end)
  end)

  it("mix lines, reads and writes", function()
    local file <close> = fs.open(path "mixed", "w+")
    file:write("one\n", "two\nthree", 4):seek("set", 0)
    local lines = file:lines()
    test.equal(lines:next(), "one")
    test.equal(file:read(2), "tw")
    test.equal(lines:next(), "o")
    test.equal(file:seek(), 8)
    file:write "THREE"
    file:seek("set", 0)
    test.equal(file:read(), "one\ntwo\nTHREE4")
    test.equal(file:read(), "")
    test.equal(file:read(1), nil)
    test.equal(file:seek("end", -1), 13)
    test.equal(file:read(9), "4")
    file:sync()
    test.equal(file:stat().size, 14)
  end)

  it("give chunks to the end", function()
    fs.write(path "chunks", ("z"):rep(150000))
    local file <close> = fs.open(path "chunks")
    local sizes = file:chunks():map(function(piece) return #piece end):collect()
    test.same(sizes, { 65536, 65536, 150000 - 131072 })
  end)

  it("can be appended to, and must be new if asked", function()
    local name = path "modes"
    fs.open(name, "wx"):close()
    raises("EEXIST", fs.open, name, "wx")
    local file <close> = fs.open(name, "a")
    file:write("a", "b")
    test.equal(fs.read(name), "ab")
    raises("EBADF", file.read, file, 1)
    test.raises("invalid", fs.open, name, "q")
    raises("ENOENT", fs.open, path "none")
    raises("EISDIR", fs.open, dir.path)
  end)

  it("raise closed afterwards, and close twice", function()
    local file = fs.open(path "modes")
    file:close()
    file:close()
    test.raises("closed", file.read, file, 1)
  end)

  it("that are collected are closed", function()
    local function count()
      return #fs.list "/proc/self/fd"
    end
    local before = count()
    for _ = 1, 50 do
      fs.open(path "modes")
    end
    collectgarbage()
    collectgarbage()
    test.ok(eventually(function() return count() <= before + 2 end))
  end)
end)

describe("directories", function()
  it("are made, listed, walked and removed", function()
    local root = path "tree"
    fs.mkdir(root .. "/b/c", { parents = true })
    fs.mkdir(root .. "/b/c/", { parents = true })
    raises("EEXIST", fs.mkdir, root)
    raises("ENOTDIR", fs.mkdir, "/dev/null/b", { parents = true })
    fs.write(root .. "/a", "1")
    fs.write(root .. "/b/c/d", "2")
    assert(os.execute(("ln -s .. %s/loop"):format(root)))
    test.same(fs.list(root), { "a", "b", "loop" })
    local seen = fs.walk(root):map(function(entry)
      return ("%d %s %s"):format(entry.depth, entry.path:sub(#root + 2), entry.type)
    end):collect()
    test.same(seen, {
      "1 a file", "1 b directory", "2 b/c directory", "3 b/c/d file", "1 loop link",
    })
    raises("ENOTEMPTY", fs.remove, root)
    fs.remove(root, { recursive = true })
    test.equal(fs.exists(root), false)
    test.ok(fs.exists(dir.path))
    raises("ENOENT", fs.remove, root, { recursive = true })
    raises("ENOTDIR", fs.list, "/dev/null")
  end)

  it("of many entries are listed whole", function()
    local many <close> = fs.temp { directory = true }
    luge.map({ table.unpack((function()
      local list = {}
      for i = 1, 700 do
        list[i] = ("%s/%03d%s"):format(many.path, i, ("n"):rep(200))
      end
      return list
    end)()) }, function(name)
      fs.write(name, "", { sync = false })
    end)
    test.equal(#fs.list(many.path), 700)
  end)
end)

describe("entries", function()
  it("are copied with their mode, and renamed", function()
    fs.write(path "from", ("c"):rep(700000), { mode = 448 })
    fs.copy(path "from", path "to")
    test.ok(fs.read(path "to") == fs.read(path "from"))
    test.equal(fs.stat(path "to").mode, 448)
    fs.rename(path "to", path "moved")
    test.equal(fs.exists(path "to"), false)
    raises("ENOENT", fs.rename, path "to", path "moved")
    raises("ENOENT", fs.copy, path "to", path "moved")
    raises("EISDIR", fs.copy, dir.path, path "moved")
  end)

  it("have a status", function()
    fs.write(path "status", "12345")
    local status = fs.stat(path "status")
    test.equal(status.type, "file")
    test.equal(status.size, 5)
    test.ok(math.abs(status.modified - luge.time()) < 60)
    test.equal(fs.stat("/dev/null").type, "device")
    raises("ENOENT", fs.stat, path "none")
  end)

  it("that are temporary go when closed", function()
    local name
    do
      test.raises("invalid", fs.temp, { dir = dir.path, prefix = "t/" })
    local file <close> = fs.temp { dir = dir.path, prefix = "t-" }
      name = file.path
      file:write "x"
      test.equal(fs.read(name), "x")
      test.equal(fs.stat(name).mode, 384)
    end
    test.equal(fs.exists(name), false)
  end)
end)

describe("what never comes", function()
  it("does not hold up who no longer waits for it", function()
    local name = path "fifo"
    assert(os.execute(("mkfifo '%s'"):format(name)))
    local other <close> = assert(io.open(name, "r+"))
    for _, call in ipairs { "fs.read, %q", "fs.write, %q, ('x'):rep(1 << 20)" } do
      local text, status = run(([[
        local fs = require "luge.fs"
        print(pcall(luge.timeout, 0.01, ]] .. call .. [[))
      ]]):format(name))
      test.equal(text, "false\ttimeout: timed out after 0.01 seconds\n")
      test.equal(status, 0)
    end
    other:write ""
  end)
end)

describe("what happens meanwhile", function()
  it("is told by a watch", function()
    local watch <close> = fs.watch(dir.path)
    fs.open(path "news", "w"):close()
    local event = watch:next()
    test.equal(event.name, "news")
    test.equal(event.path, path "news")
    raises("ENOENT", fs.watch, path "none")
  end)

  it("does not hold the loop up", function()
    local ticks, ended = 0, false
    luge.spawn(function()
      while not ended do
        luge.sleep(0)
        ticks = ticks + 1
      end
    end)
    fs.write(path "big", ("b"):rep(4 << 20), { sync = false })
    test.equal(#fs.read(path "big"), 4 << 20)
    fs.remove(path "big")
    ended = true
    test.ok(ticks >= 3)
  end)

  it("ends by itself when its task is cancelled, and leaves nothing open", function()
    local before = #fs.list "/proc/self/fd"
    fs.write(path "cancel", ("b"):rep(100000))
    for i = 1, 60 do
      local task = luge.spawn(function()
        local file <close> = fs.open(path "cancel")
        fs.read(path "cancel")
        file:read(1000)
        fs.write(path "cancelled", "whole", { sync = false })
        fs.temp { dir = dir.path }
      end)
      luge.sleep((i % 10) * 0.0003)
      task:cancel()
      pcall(task.await, task)
    end
    test.ok(eventually(function()
      collectgarbage()
      return #fs.list "/proc/self/fd" <= before + 1
    end))
    if fs.exists(path "cancelled") then
      test.equal(fs.read(path "cancelled"), "whole")
    end
  end)

  it("is limited by the descriptors there are, until some are closed", function()
    local code = [[
      local fs = require "luge.fs"
      local files = {}
      local ok, err
      repeat
        ok, err = pcall(fs.open, "/etc/passwd")
        files[#files + 1] = ok and err or nil
      until not ok
      for i = 1, #files do files[i]:close() end
      print(err.kind, err.what, err.errno, err.limit, #fs.read "/etc/passwd" > 0)
    ]]
    local pipe <close> = io.popen(("ulimit -n 64; '%s' -e '%s' 2>&1"):format(
      os.getenv "LUGE", code))
    test.equal(pipe:read "a", "limit\topen files\tEMFILE\t64\ttrue\n")
  end)
end)
