-- What an HTTP server promises beside a client that is hostile, slow or wrong.
local fs = require "luge.fs"
local http = require "luge.http"
local luge = require "luge"
local net = require "luge.net"
local test = require "luge.test"
local describe, it = test.describe, test.it

-- Sends the pieces, a moment apart, and reads all that comes.
local function talk(server, ...)
  local conn <close> = net.connect("127.0.0.1", server.port)
  for _, piece in ipairs { ... } do
    conn:write(piece)
    luge.sleep(0.02)
  end
  return conn:read_all()
end

local function post(length)
  local head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
  return head:format(length)
end

local function body_of(answer) return answer:match "\r\n\r\n(.*)$" end

-- Sends the pieces in turn until the server has had enough.
local function drip(conn, ...)
  repeat
    local sent
    for _, piece in ipairs { ... } do
      sent = pcall(conn.write, conn, piece)
      luge.sleep(0.005)
    end
  until not sent
end

describe("an idle time", function()
  it("is not begun anew by empty lines", function()
    local server <close> = http.server { idle_timeout = 0.2, handler = function() return "x" end }
    for _, pieces in ipairs { { "\r\n" }, { "\r", "\n" } } do
      local conn <close> = net.connect("127.0.0.1", server.port)
      local reader = luge.spawn(conn.read_all, conn)
      local writer = luge.spawn(drip, conn, table.unpack(pieces))
      local ok, got = pcall(luge.await, reader) -- it is closed, or reset
      test.ok(not ok or got == "")
      writer:cancel()
    end
  end)

  it("ends for one that does not read, whatever it sends", function()
    local left = luge.event()
    local server <close> = http.server { idle_timeout = 0.2, handler = function()
      return { stream = function(emit)
        local _ <close> = setmetatable({}, { __close = function() left:set() end })
        while true do emit(("x"):rep(65536)) end
      end }
    end }
    local conn <close> = net.connect("127.0.0.1", server.port)
    conn:write "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    local writer = luge.spawn(drip, conn, "G")
    left:wait()
    writer:cancel()
  end)

  it("is never none because it is short", function()
    local server <close> = http.server { idle_timeout = 1e-6 }
    local conn <close> = net.connect("127.0.0.1", server.port)
    test.equal(conn:read_all(), "")
  end)
end)

describe("a body", function()
  it("is whole for who reads on after a time limit", function()
    local late = luge.event()
    local server <close> = http.server { handler = function(req)
      local ok = pcall(luge.timeout, 0.01, req.text, req)
      late:set()
      return tostring(ok) .. " " .. req:text()
    end }
    local conn <close> = net.connect("127.0.0.1", server.port)
    conn:write(post(6), "abc")
    late:wait()
    conn:write "def"
    test.equal(body_of(conn:read_all()), "false abcdef")
  end)

  it("is whole for each of two tasks", function()
    local server <close> = http.server { handler = function(req)
      local function text() return req:text() end
      return table.concat(luge.gather { text, text }, " ")
    end }
    test.equal(body_of(talk(server, post(6), "abc", "def")), "abcdef abcdef")
  end)
end)

describe("a handler", function()
  it("that fails of another task's cancellation is reported", function()
    local reported
    local server <close> = http.server {
      on_error = function(message) reported = message end,
      handler = function()
        local other = luge.spawn(luge.sleep, 10)
        other:cancel()
        luge.await(other)
      end,
    }
    test.equal(http.get(server.url).status, 500)
    test.matches(reported, "^GET /: cancelled")
  end)

  it("has no body for a status without one", function()
    local reported, answer
    local server <close> = http.server {
      on_error = function(message) reported = message end,
      handler = function() return answer end,
    }
    for _, response in ipairs {
      { status = 204, stream = function() end }, { status = 304, body = "x" },
      { status = 205, json = {} },
    } do
      answer = response
      test.equal(http.get(server.url).status, 500)
      test.matches(reported, ("status %d takes no body"):format(response.status))
    end
    answer = { status = 205 }
    test.equal(http.get(server.url).status, 205)
  end)

  it("that raises an error with an answer of its own has failed", function()
    local reported
    local server <close> = http.server {
      on_error = function(message) reported = message end,
      handler = function() error(luge.error { kind = "quiz", message = "wrong", answer = 42 }) end,
    }
    test.equal(http.get(server.url).status, 500)
    test.matches(reported, "^GET /: quiz: wrong")
  end)

  it("may count in floats", function()
    local server <close> = http.server { handler = function() return { status = 202.0 } end }
    test.equal(http.get(server.url).status, 202)
  end)
end)

describe("a target", function()
  local server
  test.before_each(function()
    server = http.server { handler = function(req) return req.path .. " " .. req.headers.host end }
  end)
  test.after_each(function() server:close() end)
  local function get(target)
    return talk(server, ("GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"):format(target))
  end

  it("that is a URL names the host", function()
    test.equal(body_of(get "/a"), "/a h")
    test.equal(body_of(get "HTTP://other:1/a"), "/a other:1")
    test.equal(body_of(get "http://[::1]?b"), "/ [::1]")
  end)

  it("that is none of HTTP's is refused", function()
    for _, target in ipairs { "ftp://h/", "http:///a", "http://user@h/", "http://h\\/a", "*",
      "http://:80/", "http://[::1/", "http://[::1]x/", "http://a]b/", "http://h:1:2/" } do
      test.matches(get(target), "^HTTP/1.1 400 ")
    end
  end)
end)

describe("headers that come again", function()
  it("are joined, and cookies are still cookies", function()
    local server <close> = http.server { handler = function(req)
      return req.headers.cookie .. " | " .. req.headers.x .. " | " .. #req.headers:all "cookie"
    end }
    local head = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
      .. "Cookie: a=1\r\nX: 1\r\nCookie: b=2\r\nX: 2\r\n\r\n"
    test.equal(body_of(talk(server, head)), "a=1; b=2 | 1, 2 | 2")
  end)
end)

describe("a server", function()
  it("takes more clients than an integer of C counts", function()
    local function handler() return "x" end
    local server <close> = http.server { max_connections = 1 << 32, handler = handler }
    test.equal(http.get(server.url, { timeout = 4 }).body, "x")
  end)

  it("takes the place of a UNIX socket that nobody listens on", function()
    local folder <close> = fs.temp { directory = true }
    local path, stale = folder.path .. "/a", folder.path .. "/b"
    do
      local _ <close> = http.server { path = path }
      fs.rename(path, stale)
    end
    do
      local _ <close> = http.server { path = stale, handler = function() return "x" end }
      test.equal(http.get("http://h/", { unix_socket = stale }).body, "x")
      test.raises("io", function() http.server { path = stale } end)
    end
    test.raises("io", function() fs.stat(stale) end)
  end)

  it("says what is wrong with a path", function()
    local _, err = pcall(http.server, { path = "/nonexistent/a" })
    test.equal(err.errno, "ENOENT")
    _, err = pcall(http.server, { path = "/tmp/" .. ("x"):rep(200) })
    test.equal(err.errno, "ENAMETOOLONG")
    test.raises("invalid", function()
      http.get("http://h/", { unix_socket = "/tmp/" .. ("x"):rep(200) })
    end)
  end)

  it("has the same parameter once in a route", function()
    local server <close> = http.server {}
    local _, err = pcall(server.route, server, "GET", "/:a/:a", function() end)
    test.matches(err.message, "parameter 'a' is twice")
  end)
end)
