-- Files are decided about by what is opened, and not by what it is called.
local test = require "luge.test"
local luge = require "luge"
local process = require "luge.process"
local describe, it = test.describe, test.it
local permission = dofile "tests/support/permission.lua"

local function sh(folder, command)
  return process.run { command, shell = true, cwd = folder.path, check = true }
end

local inside = { "--allow-read=in", "--allow-write=in" }

describe("a directory that is allowed", function()
  it("is what is in it, by whatever name", function()
    local folder <close> = permission.folder()
    sh(folder, "ln -s in other && ln -s a in/link && mkdir in/sub")
    test.same(folder:lines(inside, [[
      for _, path in ipairs { "in/a", "./in//a", "in/sub/../a", "other/a", "in/link",
          "out/../in/a", fs.stat and "in/./a" } do
        try(fs.read, path)
      end
      try(fs.list, "in/")
      try(fs.list, "in/sub/.")
    ]]), { "ok\ta", "ok\ta", "ok\ta", "ok\ta", "ok\ta", "ok\ta", "ok\ta", "ok\ttable",
      "ok\ttable" })
  end)

  it("is not left by links, dots or similar names", function()
    local folder <close> = permission.folder()
    sh(folder, "ln -s ../out/secret in/link; ln -s ../out in/dir; ln -s link in/chain;" ..
      "ln -s $PWD/out/new in/dangling; mkdir inside; echo x > inside/x; ln -s loop in/loop")
    local lines = folder:lines(inside, [[
      for _, path in ipairs { "out/secret", "in/../out/secret", "in/link", "in/chain",
        "in/dir/secret",
          "in/dir/../out/secret", "inside/x", "in/dangling", "/etc/passwd" } do
        try(fs.read, path)
        try(io.open, path)
      end
      for _, path in ipairs { "in/link", "in/dangling", "in/dir/new", "in/../new" } do
        try(fs.write, path, "x")
        try(fs.append, path, "x")
        try(io.open, path, "w")
        try(fs.mkdir, path .. "/d", { parents = true })
      end
      try(fs.read, "in/loop")
      try(fs.read, "in/a/../../out/secret")
    ]])
    test.equal(#lines, 36)
    test.matches(lines[35], "^io\tELOOP")
    test.equal(lines[36], "io\tENOTDIR\tnil")
    for i = 1, 34 do
      test.matches(lines[i], "^permission\t")
    end
    test.equal(folder:read "out/secret", "secret\n")
    test.equal(sh(folder, "ls . out").stdout:gsub("\n", " "),
      ".: in inside out script.lua  out: secret ")
  end)

  it("tells of what is elsewhere neither whether it is there", function()
    local folder <close> = permission.folder()
    local lines = folder:lines(inside, [[
      for _, path in ipairs { "out/secret", "out/missing", "out/missing/too" } do
        try(fs.exists, path)
        try(fs.read, path)
        try(os.remove, path)
        try(os.rename, path, "in/b")
        try(loadfile, path)
        try(io.lines, path)
      end
      try(fs.exists, "in/missing")
      try(fs.read, "in/missing")
    ]])
    for i = 1, 18 do
      test.matches(lines[i], "^permission\t%l+\t~/out/")
    end
    test.same({ lines[19], lines[20] }, { "ok\tboolean", "io\tENOENT\tnil" })
  end)

  it("is removed and renamed inside, links as links", function()
    local folder <close> = permission.folder()
    sh(folder, "ln -s ../out in/dir; mkdir in/tree; ln -s ../../out in/tree/dir; echo x > in/x")
    test.same(folder:lines(inside, [[
      try(fs.rename, "in/x", "in/y")
      try(fs.rename, "in/y", "out/y")
      try(fs.rename, "out/secret", "in/z")
      try(os.rename, "in/y", "in/dir/y")
      try(os.remove, "in/dir/secret")
      try(fs.remove, "in/dir")
      try(fs.remove, "in/tree", { recursive = true })
      try(fs.copy, "in/y", "in/k")
      try(fs.copy, "out/secret", "in/k")
      try(fs.copy, "in/y", "out/k")
    ]]), {
      "ok\tnil", "permission\twrite\t~/out/y", "permission\twrite\t~/out/secret",
      "permission\twrite\t~/out/y", "permission\twrite\t~/out/secret", "ok\tnil", "ok\tnil",
        "ok\tnil",
      "permission\tread\t~/out/secret", "permission\twrite\t~/out/k",
    })
    test.equal(folder:read "out/secret", "secret\n")
  end)

  it("has directories made, and files that go when they are closed", function()
    local folder <close> = permission.folder()
    test.same(folder:lines(inside, [[
      try(fs.mkdir, "in/p/q/r", { parents = true })
      try(fs.mkdir, "in/p/q/r", { parents = true })
      try(fs.mkdir, "in/p")
      try(fs.mkdir, "in/m/../n", { parents = true })
      try(fs.mkdir, "new/p", { parents = true })
      local file = fs.temp { dir = "in" }
      file:write("x")
      try(fs.exists, file.path)
      file:close()
      try(fs.read, file.path)
      local dir = fs.temp { dir = "in", directory = true }
      fs.write(dir.path .. "/x", "x")
      dir:close()
      try(fs.read, dir.path)
      try(fs.temp)
    ]], { TMPDIR = "/tmp" }), {
      "ok\tnil", "ok\tnil", "io\tEEXIST\tnil", "io\tENOENT\tnil", "permission\twrite\t~/new/p",
      "ok\tboolean", "io\tENOENT\tnil", "io\tENOENT\tnil", "permission\twrite\t/tmp/luge-XXXXXX",
    })
  end)
end)

describe("rules for files", function()
  it("name what is on the way of a link, or does not exist yet", function()
    local folder <close> = permission.folder()
    sh(folder, "ln -s in link")
    test.same(folder:lines({ "--allow-read=link,out/new,dir/sub/",
      "--allow-write=out/new,dir/sub/" }, [[
      try(fs.read, "in/a")
      try(fs.write, "out/new", "x")
      try(fs.read, "out/new")
      try(fs.mkdir, "dir/sub", { parents = true })
      try(fs.read, "out/newer")
    ]]), { "ok\ta", "ok\tnil", "ok\tx", "permission\twrite\t~/dir",
      "permission\tread\t~/out/newer" })
  end)

  it("deny what is allowed, also when it is moved with what it is in", function()
    local folder <close> = permission.folder()
    sh(folder, "mkdir -p in/p/no; echo x > in/p/no/x; echo y > in/p/y")
    local options = { "--allow-read=in", "--allow-write=in", "--deny-read=in/p/no" }
    test.same(folder:lines(options, [[
      try(fs.read, "in/p/y")
      try(fs.read, "in/p/no/x")
      try(fs.rename, "in/p", "in/q")
      try(os.rename, "in/p", "in/q")
      try(fs.rename, "in/p/no/x", "in/x")
      try(fs.read, "in/q/no/x")
    ]]), {
      "ok\ty", "permission\tread\t~/in/p/no/x", "permission\tread\t~/in/p",
        "permission\tread\t~/in/p",
      "permission\tread\t~/in/p/no/x", "io\tENOENT\tnil",
    })
    test.same(folder:lines({ "--allow-read", "--allow-write", "--deny-write=in/p/no" }, [[
      try(fs.remove, "in/p", { recursive = true })
      try(fs.remove, "in/p/no/x")
      try(fs.write, "in/p/y", "z")
    ]]), { "permission\twrite\t~/in/p", "permission\twrite\t~/in/p/no/x", "ok\tnil" })
  end)

  it("for writing alone do not let files be moved to where they can be read", function()
    local folder <close> = permission.folder()
    local options = { "--allow-write=in,out", "--allow-read=out/pub,out/d/pub" }
    sh(folder, "mkdir out/pub in/d; echo x > in/d/pub")
    test.same(folder:lines(options, [[
      try(fs.rename, "in/a", "out/pub/a")
      try(os.rename, "in/a", "out/pub/a")
      try(fs.rename, "in/d", "out/d")
      try(os.rename, "in/d", "out/d")
      try(fs.rename, "in/a", "in/b")
      try(os.rename, "in/b", "in/c")
      try(fs.rename, "in/c", "out/c")
    ]]), {
      "permission\tread\t~/in/a", "permission\tread\t~/in/a", "permission\tread\t~/in/d",
      "permission\tread\t~/in/d", "ok\tnil", "ok\tboolean", "ok\tnil",
    })
  end)

  it("are named in errors as they are to be given", function()
    local folder <close> = permission.folder()
    local function option(code)
      return folder:run({ "--allow-net" }, code).stderr:match "([^ ]+) allows it"
    end
    local path = folder.path
    test.equal(option 'io.open("in/a,b", "w")', "--allow-write=" .. path .. "/in/a,,b")
    test.equal(option 'require("luge.fs").temp { dir = "in" }', "--allow-write=" .. path .. "/in")
    test.equal(option [[
      require("luge.http").download("http://127.0.0.1:1/", "in/file")
    ]], "--allow-write=" .. path .. "/in")
  end)

  it("have commas written twice", function()
    local folder <close> = permission.folder()
    folder:write("a,b", "comma")
    test.same(folder:lines({ "--allow-read=a,,b,in" }, [[
      try(fs.read, "a,b")
      try(fs.read, "in/a")
      try(fs.read, "a")
    ]]), { "ok\tcomma", "ok\ta", "permission\tread\t~/a" })
  end)

  it("do not reach into /proc unless they name it", function()
    local folder <close> = permission.folder()
    local code = [[
      for _, path in ipairs { "/proc/self/environ", "/proc/self/mem", "/proc/self/cmdline",
          "/proc/thread-self/environ" } do
        try(fs.read, path)
        try(io.open, path)
        try(io.open, path, "r+")
      end
    ]]
    for _, options in ipairs { { "--allow-read", "--allow-write" }, { "--allow-read=/",
      "--allow-write=/" } } do
      for _, line in ipairs(folder:lines(options, code)) do
        test.matches(line, "^permission\t%l+\t/proc/%d+")
      end
    end
    if require("luge.fs").exists "/proc/self/status" then
      test.same(folder:lines({ "--allow-read=/proc/self/comm" }, [[
        try(fs.read, "/proc/self/comm")
        try(fs.read, "/proc/self/environ")
      ]])[1], "ok\tluge")
    end
  end)

  it("are not passed by open descriptors, nor by the root of a process", function()
    local folder <close> = permission.folder()
    local lines = folder:lines({ "--allow-read=in,/proc,/dev" }, [[
      local file = io.open "in/a"
      for i = 0, 12 do
        pcall(fs.read, "/dev/fd/" .. i)
      end
      for _, path in ipairs { "root/etc/passwd", "cwd/out/secret" } do
        try(fs.read, "/proc/self/" .. path)
      end
      try(fs.read, "/dev/fd/../../../etc/passwd")
      try(fs.read, "/proc/self/fd/" .. 999)
    ]])
    test.same({ lines[1], lines[2] },
      { "permission\tread\t/etc/passwd", "permission\tread\t~/out/secret" })
    test.matches(lines[3], "^permission\tread\t")
    test.equal(lines[4], "io\tENOENT\tnil")
  end)
end)

describe("special files", function()
  it("do not hold up who opens them", function()
    local folder <close> = permission.folder()
    sh(folder, "mkfifo in/fifo")
    test.same(folder:lines(inside, [[
      try(fs.write, "in/fifo", "x")
      try(io.open, "in/fifo", "w")
      try(loadfile, "in/fifo")
      try(fs.read, "in/fifo")
      try(io.open, "in/fifo")
    ]]), { "io\tENXIO\tnil", "ok\tnil", "ok\tfunction", "ok\t", "ok\tuserdata" })
  end)

  it("hard links are files of their own", function()
    local folder <close> = permission.folder()
    sh(folder, "ln out/secret in/hard")
    test.same(folder:lines(inside, [[
      try(fs.read, "in/hard")
      try(fs.write, "in/hard", "x")
    ]]), { "ok\tsecret", "ok\tnil" })
    test.equal(folder:read "out/secret", "secret\n", "replaced, and not written through")
  end)

  it("have no zero bytes in their names", function()
    local folder <close> = permission.folder()
    for _, line in ipairs(folder:lines(inside, [[
      for _, path in ipairs { "in/a\0/../../out/secret", "\0", "in/a\0" } do
        for _, f in ipairs { fs.read, io.open, io.lines, os.remove, loadfile, dofile, fs.stat } do
          try(f, path)
        end
        try(os.rename, "in/a", path)
      end
    ]])) do
      test.matches(line, "^invalid\t")
    end
  end)
end)

-- A process swaps a directory for a link to another one as fast as it can.
local swap = [[
  while [ ! -e stop ]; do
    mv in/dir in/real; ln -s ../out in/dir; rm in/dir; mv in/real in/dir
  done
]]

describe("links that are swapped meanwhile", function()
  it("never lead elsewhere", function()
    local folder <close> = permission.folder()
    sh(folder, "mkdir in/dir; echo inside > in/dir/secret")
    local swapper <close> = process.spawn {
      swap, shell = true, cwd = folder.path, stdin = "null", stdout = "null", stderr = "null" }
    local lines = folder:lines(inside, [[
      local seen = {}
      local function note(what, f, ...)
        local ok, result = pcall(f, ...)
        if ok and what == "io" and result then
          result = result:read "a"
        end
        if ok and type(result) == "string" and result:find "^secret" then
          seen[what .. " got out"] = true
        elseif not ok and result.kind ~= "permission" and result.kind ~= "io" then
          seen[what .. tostring(result)] = true
        end
      end
      local luge = require "luge"
      local until_time = luge.now() + 1
      while luge.now() < until_time do
        note("fs", fs.read, "in/dir/secret")
        note("io", io.open, "in/dir/secret")
        note("write", fs.write, "in/dir/new", "x", { sync = false })
        note("append", fs.append, "in/dir/new", "x")
        note("remove", fs.remove, "in/dir/secret2")
        note("mkdir", fs.mkdir, "in/dir/p/q", { parents = true })
        note("rename", fs.rename, "in/dir/new", "in/dir/newer")
      end
      for what in pairs(seen) do print(what) end
    ]])
    folder:write("stop", "")
    luge.timeout(30, function() swapper:wait() end)
    test.same(lines, {})
    test.equal(sh(folder, "ls out").stdout, "secret\n")
    test.equal(folder:read "out/secret", "secret\n")
  end)
end)
