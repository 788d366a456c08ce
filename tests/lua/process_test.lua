local luge = require "luge"
local fs = require "luge.fs"
local process = require "luge.process"
local test = require "luge.test"
local run = dofile "tests/support/command.lua"
local longer = dofile "tests/support/longer.lua"
local quickest = dofile "tests/support/quickest.lua"
local describe, it = test.describe, test.it
local eventually = dofile("tests/support/tasks.lua").eventually

local function alive(pid)
  local ok, status = pcall(fs.read, ("/proc/%d/stat"):format(pid))
  return ok and not status:find ") Z "
end

describe("run", function()
  it("gives the status and both outputs", function()
    local result = process.run { "sh", "-c", "echo out; echo err >&2; exit 3" }
    test.same(result, { code = 3, stdout = "out\n", stderr = "err\n" })
    test.same(process.run { "kill -9 $$", shell = true },
      { signal = "SIGKILL", stdout = "", stderr = "" })
  end)

  it("hands arguments over as they are, and numbers as text", function()
    local result = process.run { "printf", "%s|", "a b", "$HOME", "*", "", 12 }
    test.equal(result.stdout, "a b|$HOME|*||12|")
  end)

  it("feeds its input, however long, and gives none by default", function()
    local input = ("0123456789"):rep(200000)
    test.ok(process.run { "cat", input = input }.stdout == input)
    test.equal(process.run { "cat" }.stdout, "")
    test.equal(process.run { "cat", input = "" }.stdout, "")
    test.equal(process.run { "true", input = input }.code, 0)
  end)

  it("reads floods on both outputs, up to a limit", function()
    local flood = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"
    local result = process.run { flood, shell = true }
    test.equal(#result.stdout, 3000000)
    test.equal(#result.stderr, 3000000)
    local err = test.raises("limit", process.run, { "yes", max_output = 100000 })
    test.equal(err.limit, 100000)
    test.equal(#err.partial.stdout, 100000)
    test.raises("limit", process.run, { "yes >&2", shell = true, max_output = 0 })
  end)

  it("names a program or a directory that is missing", function()
    local err = test.raises("process", process.run, { "no-such-program" })
    test.equal(err.errno, "ENOENT")
    test.matches(err.message, "no%-such%-program")
    err = test.raises("process", process.run, { "true", cwd = "/no/such" })
    test.equal(err.path, "/no/such")
    err = test.raises("process", process.run, { "/etc/passwd" })
    test.equal(err.errno, "EACCES")
  end)

  it("takes arguments of any bytes but zero", function()
    local odd = "\255\254 \27[31m\n'\"`$(x)\195("
    test.equal(process.run { "printf", "%s", odd }.stdout, odd)
    test.equal(process.run { "sh", "-c", [[printf %s "$X"]], env = { X = odd } }.stdout, odd)
    test.raises("invalid", process.run, { "echo", "a\0b" })
    local err = test.raises("process", process.run, { "no\255such" })
    test.equal(err.path, "no\255such")
  end)

  it("is a limit error when there are no descriptors, and works again after", function()
    local text = run([[
      local fs, process = require "luge.fs", require "luge.process"
      local files = {}
      repeat
        local ok, file = pcall(fs.open, "/etc/passwd")
        files[#files + 1] = ok and file or nil
      until not ok
      local ok, err = pcall(process.run, { "echo", "x" })
      print(ok, err.kind, err.what, err.errno)
      for i = 1, #files do files[i]:close() end
      print(process.run { "echo", "x" }.stdout)
    ]], nil, "ulimit -n 40; ")
    test.equal(text, "false\tlimit\topen files\tEMFILE\nx\n\n")
  end)

  it("raises on failure if asked", function()
    local err = test.raises("process", process.run,
      { "echo no good >&2; exit 4", shell = true, check = true })
    test.equal(err.code, 4)
    test.matches(err.message, "status 4: no good")
    test.equal(process.run { "true", check = true }.code, 0)
  end)

  it("has a directory and an environment", function()
    test.equal(process.run { "pwd", cwd = "/" }.stdout, "/\n")
    local result = process.run { "echo $A,$B,${HOME+x},${PATH+x}", shell = true,
      env = { A = "1", B = 2, HOME = false } }
    test.equal(result.stdout, "1,2,,x\n")
    test.equal(process.run { "/usr/bin/env", env = { X = "y" }, clear_env = true }.stdout, "X=y\n")
    test.raises("invalid", process.run, { "true", env = { ["A=B"] = "x" } })
  end)

  it("checks what it is given", function()
    test.raises("invalid", process.run, "ls")
    test.raises("invalid", process.run, {})
    test.raises("invalid", process.run, { "ls", {} })
    test.raises("invalid", process.run, { "a\0b" })
    test.raises("invalid", process.run, { "ls", timeouts = 1 })
    test.raises("invalid", process.run, { "a", "b", shell = true })
  end)

  it("passes no other descriptor on, and no blocked or ignored signal", function()
    local file <close> = fs.open "/dev/null"
    local result = process.run { "ls", "/proc/self/fd" }
    test.equal(result.stdout, "0\n1\n2\n3\n")
    local status = process.run { "cat", "/proc/self/status" }.stdout
    test.equal(status:match "SigIgn:%s*(%x+)", "0000000000000000")
    test.equal(status:match "SigBlk:%s*(%x+)", "0000000000000000")
    file:close()
  end)

  it("lets a child open its own standard streams", function()
    test.equal(process.run { "echo x > /dev/stdout", shell = true }.stdout, "x\n")
  end)

  it("does not wait for who keeps the pipes of an ended child", function()
    local result = process.run { "sleep 3600 & echo $!", shell = true }
    process.run { "kill", result.stdout:match "%d+" }
  end)

  it("times out with what has come, and ends the child", function()
    longer(0.1, function(seconds)
      local err = test.raises("timeout", process.run,
        { "echo $$; exec sleep 3600", shell = true, timeout = seconds })
      local pid = tonumber(err.partial.stdout)
      test.ok(pid and eventually(function() return not alive(pid) end))
    end)
  end)
end)

describe("a cancelled task", function()
  it("goes on at once, its child gets SIGTERM, then SIGKILL", function()
    longer(0.3, function(grace)
      local dir <close> = fs.temp { directory = true }
      local ready, asked = dir.path .. "/ready", dir.path .. "/asked"
      local stubborn = [[trap "echo > '$2'" TERM; echo $$ > "$1.new"; mv "$1.new" "$1"
        while :; do sleep 0.02; done]]
      test.ok(quickest(grace / 3, function()
        if fs.exists(ready) then fs.remove(ready) end
        local task = luge.spawn(process.run,
          { "sh", "-c", stubborn, "sh", ready, asked, grace = grace })
        test.ok(eventually(function() return fs.exists(ready) end))
        local pid = tonumber(fs.read(ready))
        local before = luge.now()
        task:cancel()
        test.raises("cancelled", task.await, task)
        local took = luge.now() - before
        test.ok(eventually(function() return not alive(pid) end))
        return took
      end), "it waited for its child")
      test.ok(fs.exists(asked))
    end)
  end)

  it("leaves no child and no zombie, whenever it comes", function()
    for i = 1, 20 do
      local task = luge.spawn(process.run, { "sleep", "20" })
      luge.sleep(i * 0.0002)
      task:cancel()
      pcall(task.await, task)
    end
    local function children()
      return fs.read "/proc/self/task/self/children" -- where the kernel tells it
    end
    if pcall(children) then
      test.ok(eventually(function() return children() == "" end))
    end
  end)
end)

describe("spawn", function()
  it("limits a line that came in one piece, too", function()
    local child <close> = process.spawn { "printf", "abc\nabcd\n" }
    local lines = child.stdout:lines { limit = 3 }
    test.equal(lines:next(), "abc")
    test.equal(test.raises("limit", lines.next, lines).limit, 3)
  end)

  it("talks with a program", function()
    local child <close> = process.spawn { "cat" }
    test.ok(child.pid > 1)
    local lines = child.stdout:lines()
    child.stdin:write("one\n", 2, "\n")
    test.equal(lines:next(), "one")
    test.equal(lines:next(), "2")
    child.stdin:close()
    test.equal(lines:next(), nil)
    test.equal(child:wait().code, 0)
    test.equal(child:kill(), false)
    test.raises("closed", child.stdin.write, child.stdin, "x")
  end)

  it("holds a program up that nobody reads", function()
    local child <close> = process.spawn { "yes" }
    test.ok(#child.stdout:next() > 0)
    luge.sleep(0.05)
    child:kill "SIGKILL"
    test.equal(child:wait().signal, "SIGKILL")
    local length = 0
    child.stdout:each(function(piece) length = length + #piece end)
    test.ok(length < 1 << 20)
  end)

  it("joins the outputs, or drops them", function()
    local child <close> = process.spawn {
      "echo a; echo b >&2", shell = true, stdin = "null", stderr = "stdout",
    }
    test.equal(table.concat(child.stdout:collect()), "a\nb\n")
    test.equal(child.stdin, nil)
    test.equal(child.stderr, nil)
    test.equal(child:wait().code, 0)
  end)

  it("tells a writer that the program has gone", function()
    local child <close> = process.spawn { "true" }
    child:wait()
    test.raises("closed", function()
      for _ = 1, 100 do
        child.stdin:write(("x"):rep(100000))
      end
    end)
  end)

  it("ends the program with the task, and with the host", function()
    local pid
    luge.spawn(function()
      pid = process.spawn({ "sleep", "20" }).pid
    end):await()
    test.ok(eventually(function() return not alive(pid) end))
    local text = run [[
      local child = require "luge.process".spawn { "trap '' TERM; echo x; sleep 20", shell = true }
      child.stdout:next()
      print(child.pid)
    ]]
    test.ok(not alive(math.tointeger(text)))
  end)
end)

describe("os.execute and io.popen", function()
  it("let others go on", function()
    local dir <close> = fs.temp { directory = true }
    local ticker = luge.spawn(function()
      for _ = 1, 5 do luge.sleep(0.001) end
      fs.write(dir.path .. "/ticked", "")
    end)
    local wait = ("until test -e '%s/ticked'; do sleep 0.01; done"):format(dir.path)
    test.equal(os.execute(wait), true)
    ticker:await()
    test.same(table.pack(os.execute "exit 5"), { nil, "exit", 5, n = 3 })
    test.same(table.pack(os.execute "kill -15 $$"), { nil, "signal", 15, n = 3 })
    test.equal(os.execute(), true)
  end)

  it("read as Lua's files do", function()
    local pipe = io.popen "echo 12 0x1f, x; echo; printf 'y\nlast'"
    test.equal(io.type(pipe), "file")
    local a, b, c = pipe:read("n", "n", 1)
    test.equal(a, 12)
    test.equal(b, 31)
    test.equal(c, ",")
    test.equal(pipe:read "L", " x\n")
    test.equal(pipe:read(), "")
    test.equal(pipe:read(1), "y")
    test.equal(pipe:read "a", "\nlast")
    test.equal(pipe:read "a", "")
    test.equal(pipe:read(), nil)
    test.same(table.pack(pipe:close()), { true, "exit", 0, n = 3 })
    test.equal(io.type(pipe), "closed file")
    pipe = io.popen "head -c 300000 /dev/zero"
    test.equal(#pipe:read "a", 300000)
    pipe:close()
  end)

  it("write, and wait for the end", function()
    local file <close> = fs.temp()
    local pipe = io.popen("cat > " .. file.path, "w")
    test.equal(pipe:write("a", 1), pipe)
    test.equal(pipe:close(), true)
    test.equal(fs.read(file.path), "a1")
  end)

  it("work where Lua cannot suspend", function()
    local text = ("x"):gsub("x", function()
      local pipe <close> = io.popen "echo inside"
      return pipe:read()
    end)
    test.equal(text, "inside")
  end)
end)
