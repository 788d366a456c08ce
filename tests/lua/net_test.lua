-- Connections of luge.net. Servers: net_server_test.lua.
local luge = require "luge"
local net = require "luge.net"
local test = require "luge.test"
local connection_of = require("luge.internal.net_connection").new
local pair = dofile "tests/support/connected.lua"
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
