local luge = require "luge"
local fs = require "luge.fs"
local net = require "luge.net"
local process = require "luge.process"
local test = require "luge.test"
local connection_of = require("luge.internal.net_connection").new
local describe, it = test.describe, test.it
local eventually = dofile("tests/support/tasks.lua").eventually

-- A connection whose other end sends these pieces, one by one.
local function from_pieces(pieces)
  local i = 0
  return connection_of {
    read = function()
      i = i + 1
      return pieces[i]
    end,
  }
end

-- Two ends of a connection; the server's is closed with the other.
local function pair(options)
  local server <close> = net.listen(options)
  local path = options and options.path
  local client = path and net.connect { path = path } or net.connect("127.0.0.1", server.port)
  return client, server:accept()
end

-- A server that nobody accepts from, whose queue is full: further connections
-- wait for ever. nil where the system refuses them instead.
local function full_server(host)
  local server = net.listen { host = host, backlog = 1 }
  for _ = 1, 8 do
    local ok, conn = pcall(luge.timeout, 1, net.connect, host, server.port)
    if not ok then
      return luge.is_error(conn, "timeout") and server or nil
    end
    server[#server + 1] = conn
  end
end

local function has_ipv6()
  return (pcall(function() net.listen { host = "::1" }:close() end))
end

describe("what comes", function()
  local text = "one\r\ntwo\n\nthree--four----last"

  local function check(conn)
    test.equal(conn:read_line(), "one")
    test.equal(conn:read_exactly(3), "two")
    test.equal(conn:read_line(), "")
    test.equal(conn:read_line(), "")
    test.equal(conn:read_until "--", "three--")
    test.equal(conn:read_until "----", "four----")
    test.ok(#conn:read(2) <= 2)
    test.matches("last", conn:read_all() .. "$")
    test.equal(conn:read(), nil)
    test.equal(conn:read_line(), nil)
    test.equal(conn:read_all(), "")
    test.equal(conn:read_exactly(0), "")
  end

  it("is the same in whatever pieces", function()
    local bytes = {}
    for i = 1, #text do bytes[i] = text:sub(i, i) end
    check(from_pieces(bytes))
    for first = 0, #text do
      for second = first, #text do
        local pieces = {}
        for _, piece in ipairs {
          text:sub(1, first), text:sub(first + 1, second), text:sub(second + 1),
        } do
          pieces[#pieces + 1] = piece ~= "" and piece or nil
        end
        check(from_pieces(pieces))
      end
    end
  end)

  it("is searched for a mark once, in linear time", function()
    local pieces = {}
    for i = 1, 20000 do pieces[i] = "ab" end
    pieces[#pieces + 1] = "abc"
    test.equal(#from_pieces(pieces):read_until "abc", 40003)
    for i = 1, #pieces do pieces[i] = "x" end
    test.equal(#from_pieces(pieces):read_line(), 20001)
  end)

  it("has limits, and can be read beyond them", function()
    local conn = from_pieces { "12345", "6789\n", "ab\n" }
    test.equal(test.raises("limit", conn.read_line, conn, 8).limit, 8)
    test.equal(conn:read_line(9), "123456789")
    test.raises("limit", conn.read_line, conn, 1)
    test.raises("limit", conn.read_all, conn, 2)
    test.equal(conn:read_all(3), "ab\n")
    conn = from_pieces { ("x"):rep(100) }
    test.raises("limit", conn.read_until, conn, "y", 50)
    test.equal(#conn:read(), 100)
  end)

  it("is told when it ends too early", function()
    local conn = from_pieces { "abc", "de" }
    test.equal(test.raises("truncated", conn.read_exactly, conn, 6).partial, "abcde")
    conn = from_pieces { "abc", "de" }
    test.equal(test.raises("truncated", conn.read_until, conn, "\n").partial, "abcde")
    test.equal(conn:read(), nil)
  end)

  it("comes as streams of lines and of pieces", function()
    local lines = {}
    for line in from_pieces { "a\nb", "\r\nc" }:lines() do lines[#lines + 1] = line end
    test.same(lines, { "a", "b", "c" })
    test.same((from_pieces { "a\nb", "c" }):chunks():collect(), { "a\nb", "c" })
    local conn = from_pieces { "head\nbo", "dy" }
    for line in conn:lines() do
      test.equal(line, "head")
      break
    end
    test.equal(conn:read_all(), "body")
    test.raises("limit", function()
      for _ in from_pieces { "abcd\n" }:lines { limit = 3 } do error "a line" end
    end)
  end)

  it("stays for the next when a reader is cancelled", function()
    local client <close>, server = pair()
    local _ <close> = server
    local task = luge.spawn(client.read_exactly, client, 6)
    server:write "abc"
    eventually(function() return client.length == 3 end)
    task:cancel()
    test.raises("cancelled", task.await, task)
    server:write "def"
    test.equal(client:read_exactly(6), "abcdef")
  end)

  it("goes to readers in their order", function()
    local client <close>, server = pair()
    local _ <close> = server
    local tasks = {}
    for i = 1, 3 do tasks[i] = luge.spawn(client.read_exactly, client, 2) end
    luge.sleep(0)
    server:write "112233"
    test.same(luge.gather(tasks), { "11", "22", "33", n = 3 })
  end)
end)

describe("a connection", function()
  it("carries bytes both ways, and knows its ends", function()
    local client <close>, server = pair()
    local _ <close> = server
    client:write("a\0b", 1, 2.5)
    test.equal(server:read_exactly(7), "a\0b12.5")
    server:write "answer"
    test.equal(client:read_exactly(6), "answer")
    local host, port = client:local_address()
    test.equal(host, "127.0.0.1")
    test.same({ server:peer_address() }, { host, port })
    test.same({ client:peer_address() }, { server:local_address() })
  end)

  it("can be shut down for writing, and still be read", function()
    local client <close>, server = pair()
    local _ <close> = server
    client:write("question"):shutdown()
    test.equal(server:read_all(), "question")
    server:write "answer"
    server:shutdown()
    test.equal(client:read_all(), "answer")
    test.raises("closed", client.write, client, "more")
    client:shutdown()
  end)

  it("slows a writer down to its reader, and loses nothing", function()
    local client <close>, server = pair()
    local _ <close> = server
    local piece, written = ("x"):rep(1 << 16), 0
    local writer = luge.spawn(function()
      for _ = 1, 256 do
        client:write(piece)
        written = written + 1
      end
      client:shutdown()
    end)
    -- Stuck: what is written does not grow any more.
    local before
    repeat
      before = written
      luge.sleep(0.02)
    until written == before
    test.ok(written < 256)
    test.equal(#server:read_all(1 << 25), 256 << 16)
    writer:await()
  end)

  it("sends what was written before it was closed", function()
    local client <close>, server = pair()
    local _ <close> = server
    local text = ("y"):rep(8 << 20)
    local task = luge.spawn(function()
      local conn <close> = client
      pcall(luge.timeout, 0.01, conn.write, conn, text)
    end)
    test.equal(#server:read_all(1 << 24), #text)
    task:await()
  end)

  it("is closed at once when its task is cancelled", function()
    local client, server = pair()
    local _ <close> = server
    local task = luge.spawn(function()
      local conn <close> = client
      conn:write(("y"):rep(8 << 20))
    end)
    luge.sleep(0.01)
    task:cancel()
    test.raises("cancelled", task.await, task)
    pcall(server.read_all, server, 1 << 24)
    test.raises("closed", client.read, client)
  end)

  it("raises closed where it was closed, also while another task waits", function()
    local client <close>, server = pair()
    local _ <close> = server
    local reader = luge.spawn(client.read, client)
    luge.sleep(0)
    client:close()
    client:close()
    test.raises("closed", reader.await, reader)
    test.raises("closed", client.write, client, "x")
    test.raises("closed", client.shutdown, client)
    test.raises("closed", client.local_address, client)
    test.equal(server:read(), nil)
  end)

  it("tells of a peer that has gone", function()
    local client <close>, server = pair()
    local _ <close> = server
    server:write "left"
    server:close()
    test.equal(client:read_all(), "left")
    local err = test.raises("network", function()
      for _ = 1, 100 do
        client:write "into the void"
        luge.sleep(0.001)
      end
    end)
    test.equal(err.code, "reset")
    test.equal(err.retryable, true)
  end)

  it("tells of a reset in the middle of reading", function()
    local client <close>, server = pair()
    local _ <close> = server
    client:write "never read"
    server:write "seen"
    test.equal(client:read_exactly(4), "seen")
    server:close() -- with bytes that it has not read: a reset
    local err = test.raises("network", client.read_exactly, client, 1)
    test.equal(err.code, "reset")
    test.equal(err.phase, "read")
  end)

  it("ends its waits when cancelled", function()
    local client <close>, server = pair()
    local _ <close> = server
    test.raises("timeout", luge.timeout, 0.01, client.read, client)
    test.raises("timeout", luge.timeout, 0.01, client.read_line, client)
    test.raises("timeout", luge.timeout, 0.01, function()
      while true do client:write(("z"):rep(1 << 20)) end
    end)
    test.raises("timeout", luge.timeout, 0.01, client.shutdown, client)
    server:close()
  end)

  it("is closed when it is collected, from whatever coroutine it came", function()
    local server <close> = net.listen()
    local other <close> = coroutine.wrap(function()
      local client = net.connect("127.0.0.1", server.port)
      local accepted = server:accept()
      client:write "kept"
      return accepted
    end)()
    collectgarbage()
    collectgarbage()
    test.equal(other:read_all(), "kept")
  end)

  it("checks its arguments", function()
    local client <close>, server = pair()
    local _ <close> = server
    test.raises("invalid", client.write, client, {})
    test.raises("invalid", client.read, client, 0)
    test.raises("invalid", client.read_exactly, client, -1)
    test.raises("invalid", client.read_until, client, "")
    test.raises("invalid", client.lines, client, { max = 1 })
    server:close()
  end)
end)

describe("connecting", function()
  it("names what failed", function()
    local server = net.listen()
    local port = server.port
    server:close()
    local err = test.raises("network", net.connect, "127.0.0.1", port)
    test.equal(err.code, "connect")
    test.equal(err.errno, "ECONNREFUSED")
    test.equal(err.phase, "connect")
    test.matches(err.message, "127.0.0.1:" .. port)
    err = test.raises("network", net.connect, "no-such-host.invalid", 80)
    test.equal(err.code, "dns")
    err = test.raises("network", net.connect, { path = "/no/such/socket" })
    test.equal(err.errno, "ENOENT")
  end)

  it("checks its arguments", function()
    test.raises("invalid", net.connect, "127.0.0.1")
    test.raises("invalid", net.connect, "127.0.0.1", 70000)
    test.raises("invalid", net.connect, 7, 80)
    test.raises("invalid", net.connect, "bad host", 80)
    test.raises("invalid", net.connect, "a..b", 80)
    test.raises("invalid", net.connect, "x\0y", 80)
    test.raises("invalid", net.connect, "127.0.0.1", 80, { tls = true })
    test.raises("invalid", net.connect, "127.0.0.1", 80, { keepalive = 0 })
    test.raises("invalid", net.connect, { path = "/x", port = 1 })
    local err = test.raises("invalid", net.connect, { path = "a\0b" })
    test.matches(err.message, "^the path of a UNIX socket")
    test.raises("invalid", net.connect, { path = ("x"):rep(200) })
    test.raises("invalid", net.connect, {})
  end)

  it("takes options", function()
    local server <close> = net.listen { keepalive = 30 }
    local client <close> = net.connect("127.0.0.1", server.port,
      { nodelay = false, keepalive = true })
    local accepted <close> = server:accept()
    client:write "x"
    test.equal(accepted:read(), "x")
  end)

  it("goes on to the next address of a name when one refuses", function()
    if not has_ipv6() or #net.lookup "localhost" < 2 then
      return
    end
    local server <close> = net.listen { host = "::1" }
    local client <close> = net.connect("localhost", server.port)
    test.same({ client:peer_address() }, { "::1", server.port })
  end)

  it("goes on to the next address when one says nothing", function()
    local stuck = full_server "127.0.0.1"
    local ok, server = pcall(net.listen, { host = "::1", port = stuck and stuck.port })
    if not stuck or not ok or #net.lookup "localhost" < 2 then
      return
    end
    local client <close> = net.connect("localhost", stuck.port)
    test.equal((client:peer_address()), "::1")
    for _, conn in ipairs(stuck) do conn:close() end
    stuck:close()
    server:close()
  end)

  it("ends at once when it is cancelled", function()
    local stuck = full_server "127.0.0.1"
    if stuck then
      local task = luge.spawn(net.connect, "127.0.0.1", stuck.port)
      luge.sleep(0.01)
      test.equal(task:waiting_for(), "a connection")
      task:cancel()
      test.raises("cancelled", task.await, task)
      for _, conn in ipairs(stuck) do conn:close() end
      stuck:close()
    end
  end)
end)

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
    test.matches(told:get(), "oops\n.*net_test")
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

describe("looking names up", function()
  it("gives addresses", function()
    test.same(net.lookup "127.0.0.1", { "127.0.0.1" })
    test.same(net.lookup "0:0::1", { "::1" })
    test.ok(#net.lookup "localhost" > 0)
    test.equal(test.raises("network", net.lookup, "no-such-host.invalid").code, "dns")
    test.raises("invalid", net.lookup, "")
    test.raises("invalid", net.lookup, 7)
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
