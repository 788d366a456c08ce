-- Servers of luge.net, and what their clients see.
local luge = require "luge"
local fs = require "luge.fs"
local net = require "luge.net"
local process = require "luge.process"
local test = require "luge.test"
local pair = dofile "tests/support/connected.lua"
local describe, it = test.describe, test.it
local eventually = dofile("tests/support/tasks.lua").eventually

describe("a server", function()
  it("gives its connections one by one, or as a stream", function()
    local server <close> = net.listen()
    local first <close> = net.connect("127.0.0.1", server.port)
    local second <close> = net.connect("127.0.0.1", server.port)
    local seen = 0
    for conn in server:connections() do
      conn:close()
      seen = seen + 1
      if seen == 2 then break end
    end
    test.equal(first:read(), nil)
    test.equal(second:read(), nil)
    test.ok(eventually(function() return server:count() == 0 end))
  end)

  it("lets those that wait go when it is closed", function()
    local server = net.listen()
    local task = luge.spawn(server.accept, server)
    luge.sleep(0)
    server:close()
    server:close()
    test.equal(task:await(), nil)
    test.equal(server:accept(), nil)
  end)

  it("has a limit of connections", function()
    local server <close> = net.listen { max_connections = 1 }
    local a <close> = net.connect("127.0.0.1", server.port)
    local b <close> = net.connect("127.0.0.1", server.port)
    local first = server:accept()
    local waiting = luge.spawn(server.accept, server)
    luge.sleep(0.01)
    test.equal(waiting:status(), "waiting")
    first:close()
    local second <close> = waiting:await()
    b:write "x"
    test.equal(second:read(), "x")
    test.equal(a:read(), nil)
  end)

  it("says where it cannot listen", function()
    local server <close> = net.listen()
    local err = test.raises("io", net.listen, { port = server.port })
    test.equal(err.errno, "EADDRINUSE")
    test.raises("io", net.listen, { path = "/no/such/dir/socket" })
    test.raises("invalid", net.listen, { port = -1 })
    test.raises("invalid", net.listen, { colour = 1 })
    test.raises("invalid", net.listen, { path = "/x", port = 1 })
    test.raises("io", net.listen, { host = "192.0.2.1" })
  end)

  it("serves each connection in a task, and closes it", function()
    local server <close> = net.serve {
      handler = function(conn)
        for line in conn:lines() do conn:write(line:upper(), "\n") end
      end,
    }
    local results = luge.map({ "a", "b", "c", "d" }, function(word)
      local conn <close> = net.connect(server.host, server.port)
      return conn:write(word, "\n"):read_line()
    end)
    test.same(results, { "A", "B", "C", "D", n = 4 })
    test.ok(eventually(function() return server:count() == 0 end))
  end)

  it("tells of handlers that fail", function()
    local told, seen = luge.queue(), nil
    local server <close> = net.serve {
      handler = function()
        local _ <close> = setmetatable({}, { __close = function(_, err) seen = err end })
        error(luge.error { kind = "own", message = "oops" })
      end,
      on_error = function(message) told:put(message) end,
    }
    local conn <close> = net.connect("127.0.0.1", server.port)
    test.equal(conn:read(), nil)
    test.matches(told:get(), "oops\n.*net_server_test")
    test.ok(luge.is_error(seen, "own"))
  end)

  it("ends its handlers when it is closed, after a while if asked", function()
    local ended, served = 0, luge.event()
    local function handler(conn)
      local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
      served:set()
      conn:read()
    end
    local server = net.serve { handler = handler }
    local conn <close> = net.connect("127.0.0.1", server.port)
    served:wait()
    server:close()
    test.equal(ended, 1)
    test.equal(conn:read(), nil)

    server = net.serve { handler = handler }
    served:clear()
    local other <close> = net.connect("127.0.0.1", server.port)
    served:wait()
    local closing = luge.spawn(server.close, server, 60)
    other:write "go"
    closing:await()
    test.equal(ended, 2)
  end)

  it("can be closed by a handler", function()
    local server
    server = net.serve {
      handler = function(conn)
        server:close()
        conn:write "bye"
      end,
    }
    local conn <close> = net.connect("127.0.0.1", server.port)
    test.equal(conn:read_all(), "bye")
  end)

  it("takes hundreds of connections at once", function()
    local server <close> = net.serve { handler = function(conn) conn:write(conn:read_all()) end }
    local results = luge.map(luge.from(function(_, i)
      i = (i or 0) + 1
      return i <= 300 and i or nil
    end), function(i)
      local conn <close> = net.connect("127.0.0.1", server.port)
      conn:write(i):shutdown()
      return tonumber(conn:read_all())
    end, { concurrency = 100 })
    for i = 1, 300 do test.equal(results[i], i) end
  end)
end)

describe("a UNIX socket", function()
  it("is served by its path, which goes with the server", function()
    local dir <close> = fs.temp { directory = true }
    local path = dir.path .. "/socket"
    local client <close>, server = pair { path = path }
    local _ <close> = server
    client:write "x"
    test.equal(server:read(), "x")
    test.equal(client:peer_address(), path)
    test.equal(fs.exists(path), false)
  end)

  it("takes over what nobody listens on any more, and nothing else", function()
    local dir <close> = fs.temp { directory = true }
    local path = dir.path .. "/socket"
    local result = process.run { os.getenv "LUGE" or "luge", "-e", ([[
      local server = require "luge.net".listen { path = %q }
      os.execute "kill -9 $PPID"
      server:close()]]):format(path) }
    test.equal(result.signal, "SIGKILL")
    test.ok(fs.exists(path), "the file was left behind")
    local server = net.listen { path = path }
    test.equal(test.raises("io", net.listen, { path = path }).errno, "EADDRINUSE")
    server:close()
    test.equal(fs.exists(path), false)
    fs.write(path, "a file")
    test.raises("io", net.listen, { path = path })
    test.equal(fs.read(path), "a file")
  end)

  it("leaves what somebody else has put in its place", function()
    local dir <close> = fs.temp { directory = true }
    local path = dir.path .. "/socket"
    local server = net.listen { path = path }
    fs.remove(path)
    fs.write(path, "another")
    server:close()
    test.equal(fs.read(path), "another")
  end)

  it("may have a name without a file", function()
    local name = "@luge-test-" .. tostring(luge.time())
    local ok, client, server = pcall(pair, { path = name })
    if ok then -- Linux only
      client:write "x"
      test.equal(server:read(), "x")
      test.equal(client:peer_address(), name)
      client:close()
      server:close()
    end
  end)
end)

-- What the command prints, run by the shell after `prefix`.
local function run(code, prefix, option)
  local command = { "/bin/sh", "-c", prefix .. [[exec "$@"]], "sh", os.getenv "LUGE" or "luge" }
  command[#command + 1] = option
  command[#command + 1] = "-e"
  command[#command + 1] = code
  local result = process.run(command)
  return result.stdout, result.stderr
end

describe("descriptors that run out", function()
  it("are limit errors, and it goes on when some are closed", function()
    local out, err = run([[
      local luge, net = require "luge", require "luge.net"
      local server = net.listen()
      local kept = {}
      local ok, err
      repeat
        ok, err = pcall(net.connect, "127.0.0.1", server.port)
        kept[#kept + 1] = ok and err or nil
      until not ok
      print(err.kind, err.what)
      ok, err = pcall(server.accept, server)
      print(err.kind, err.what)
      ok, err = pcall(net.listen)
      print(err.kind)
      for i = 1, #kept do kept[i]:close() end
      luge.sleep(0)
      local conn = net.connect("127.0.0.1", server.port)
      print(server:accept() ~= nil)
      conn:close()
    ]], "ulimit -n 40; ")
    test.equal(out, "limit\topen files\nlimit\topen files\nlimit\ntrue\n", err)
  end)

  it("do not end a server with a handler", function()
    local out, err = run([[
      local luge, net = require "luge", require "luge.net"
      local server = net.serve { handler = function(conn) conn:write(conn:read()) end }
      local kept = {}
      while true do
        local ok, conn = pcall(net.connect, "127.0.0.1", server.port)
        if not ok then break end
        kept[#kept + 1] = conn
      end
      for i = #kept, 1, -1 do kept[i]:write "x" kept[i]:shutdown() end
      for i = 1, #kept do
        assert(kept[i]:read_all() == "x")
        kept[i]:close()
      end
      server:close()
      print "served"
    ]], "ulimit -n 40; ")
    test.equal(out, "served\n", err)
    test.matches(err, "no connection is accepted")
  end)
end)

describe("permissions", function()
  it("are asked for connecting, listening, looking up, and paths", function()
    local dir <close> = fs.temp { directory = true }
    local out, err = run(([[
      local net = require "luge.net"
      local server = net.listen { host = "localhost" }
      local conn = net.connect("localhost", server.port)
      print(#net.lookup "localhost" > 0)
      conn:close()
      server:close()
      local function denied(fn, ...)
        local _, err = pcall(fn, ...)
        print(err.kind, err.resource)
      end
      denied(net.connect, "192.0.2.7", 80)
      denied(net.connect, "example.org", 80)
      denied(net.listen, { host = "0.0.0.0", port = 1 })
      denied(net.lookup, "example.org")
      denied(net.connect, { path = "%s/x" })
      denied(net.listen, { path = "@x" })
    ]]):format(dir.path), "", "--allow-net=localhost")
    test.equal(out, ("true\npermission\t192.0.2.7:80\npermission\texample.org:80\n" ..
      "permission\t0.0.0.0:1\npermission\texample.org:0\npermission\t%s/x\n" ..
      "permission\t@x\n"):format(dir.path), err)
  end)
end)

describe("a server that closes", function()
  local function answer_of(server)
    local client <close> = net.connect("127.0.0.1", server.port)
    return client:read_all()
  end

  it("cancels what its handlers left running", function()
    local ended = luge.future()
    local server = net.serve { handler = function(conn)
      luge.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() ended:resolve() end })
        luge.sleep(60)
      end)
      conn:write "x"
    end }
    test.equal(answer_of(server), "x")
    server:close()
    test.ok(ended:done())
  end)

  it("tells on_error of what fails meanwhile", function()
    local told
    local server = net.serve {
      on_error = function(message) told = message end,
      handler = function(conn)
        luge.spawn(function() luge.sleep(0.02) error "late" end)
        conn:write "x"
      end,
    }
    test.equal(answer_of(server), "x")
    server:close(60)
    test.matches(told, "late")
  end)

  it("may be closed by a task that a handler waits for", function()
    local server
    server = net.serve { handler = function(conn)
      luge.await(luge.spawn(server.close, server))
      conn:write "bye"
    end }
    test.equal(answer_of(server), "bye")
  end)
end)
