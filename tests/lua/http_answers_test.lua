-- http.client against answers given byte by byte, and servers that take their
-- time: what libcurl lets pass, what our own errors say.
local luge = require "luge"
local http = require "luge.http"
local net = require "luge.net"
local test = require "luge.test"
local describe, it = test.describe, test.it

local longer = dofile "tests/support/longer.lua"

-- A server that reads one head from each connection, and calls `fn(conn, head)`.
local function serve(fn)
  local server = net.serve {
    handler = function(conn) fn(conn, conn:read_until "\r\n\r\n") end,
    on_error = function() end, -- the client has left
  }
  server.url = "http://127.0.0.1:" .. server.port
  return server
end

local function saying(text)
  return serve(function(conn) conn:write(text) end)
end

local function with(field, body)
  return saying(("HTTP/1.1 200 OK\r\n%s\r\nConnection: close\r\n\r\n%s"):format(field, body))
end

describe("an announced length", function()
  it("may be repeated", function()
    for _, field in ipairs {
      "Content-Length: 5", "Content-Length: 5\r\nContent-Length: 5", "Content-Length:5, 5",
      "Content-Length: 5 ,5\t",
    } do
      local server <close> = with(field, "hello")
      test.equal(http.get(server.url).body, "hello")
    end
  end)

  it("that is no number, or contradicts another, is a protocol error", function()
    for _, field in ipairs {
      "Content-Length: 5\r\nContent-Length: 3", "Content-Length: 3\r\nContent-Length: 5",
      "Content-Length: 5, 3", "Content-Length: 5x", "Content-Length: +5", "Content-Length: 5,",
      "Content-Length: 0x5", "Content-Length: 5 5",
    } do
      local server <close> = with(field, "hello")
      for _, stream in ipairs { false, true } do
        local err = test.raises("network", http.get, server.url, { stream = stream })
        test.equal(err.code, "protocol", field)
        test.ok(err.message:find(field:match "[^\n]*$", 1, true), err.message)
      end
    end
  end)

  it("says nothing of an answer that has no body", function()
    local server <close> = with("Content-Length: 5\r\nContent-Length: 3", "")
    test.equal(http.head(server.url).status, 200)
  end)
end)

describe("an error", function()
  it("names the encoding that is not known, and the limit", function()
    local server <close> = with("Content-Encoding: x-odd\r\nContent-Length: 5", "hello")
    test.matches(test.raises("network", http.get, server.url).message, "Content%-Encoding: x%-odd")
    local long <close> = with("Content-Length: 5", "hello")
    local err = test.raises("limit", http.get, long.url, { max_body = 4 })
    test.matches(err.message, "the limit is 4 bytes")
  end)

  it("says what of the URL is wrong", function()
    test.matches(test.raises("invalid", http.get, "http://a..b/").message, "the host .*label")
  end)

  it("tells the proxy from the server", function()
    local function failure(proxy)
      return test.raises("network", http.get, "https://a-name.invalid/", { proxy = proxy })
    end
    local long = "HTTP/1.1 200 OK\r\n" .. ("X: y\r\n"):rep(90000)
    for _, said in ipairs { "", "SSH-2.0-odd\r\n\r\n", long } do
      local server <close> = saying(said)
      local err = failure(server.url)
      test.equal(err.code, "proxy", err.message)
      test.equal(err.phase, "proxy")
    end
    test.matches(failure("http://127.0.0.1:1").message, "cannot connect to the proxy")
  end)
end)

describe("a redirect", function()
  -- The last URL, and the last target that the server saw, of one to `location`.
  local function follow(location, fragment)
    local last
    local server <close> = serve(function(conn, head)
      last = head:match "^%S+ (%S+)"
      conn:write(last == "/a/b" and "HTTP/1.1 302 Found\r\nLocation: " .. location or
        "HTTP/1.1 200 OK", "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    end)
    local client <close> = http.client { base_url = server.url }
    local response = client:get("/a/b" .. fragment)
    return response.url:sub(#server.url + 1), last
  end

  it("keeps the fragment, unless it has one of its own (RFC 9110, 10.2.2)", function()
    test.same({ follow("c?x", "#old") }, { "/a/c?x#old", "/a/c?x" })
    test.same({ follow("c#new", "#old") }, { "/a/c#new", "/a/c" })
    test.same({ follow("c", "") }, { "/a/c", "/a/c" })
  end)

  it("to a fragment, or to nothing, leads to the same URL", function()
    for _, location in ipairs { "#x", "" } do
      test.equal(test.raises("limit", follow, location, "").what, "redirects")
    end
  end)

  it("that cannot be followed says who sent it", function()
    for location, kind in pairs { ["ftp://h/"] = "invalid", ["http://["] = "network" } do
      local server <close> = saying("HTTP/1.1 302 Found\r\nLocation: " .. location
        .. "\r\nContent-Length: 0\r\n\r\n")
      local err = test.raises(kind, http.get, server.url .. "/?token=hidden")
      test.ok(err.message:find(server.url .. "/?token=***: the server redirects to", 1, true),
        err.message)
      test.equal(err.url, kind == "network" and server.url .. "/?token=***" or nil)
    end
  end)
end)

describe("a slow source of a body", function()
  it("is no idle connection", function()
    local server <close> = http.server { handler = function(req) return req:text() end }
    local client <close> = http.client {}
    local function post(seconds)
      local body = luge.stream(function(emit)
        emit "x"
        luge.sleep(3 * seconds)
        emit "y"
      end)
      return client:post(server.url, { body = (body), idle_timeout = seconds })
    end
    longer(0.1, function(seconds) test.equal(post(seconds).body, "xy") end)
    longer(0.1, function(seconds) test.ok(post(seconds).reused) end)
  end)

  it("does not hide a silent server", function()
    local server <close> = serve(function(conn) conn:read_all() end)
    local err = test.raises("timeout", http.post, server.url,
      { body = luge.from { "x" }, idle_timeout = 0.1 })
    test.equal(err.phase, "headers")
  end)
end)

describe("a source that gives nothing", function()
  it("does not hide that the server has left", function()
    local server <close> = serve(function() end)
    local err = test.raises("timeout", http.post, server.url, {
      idle_timeout = 0.1,
      body = luge.stream(function(emit)
        emit "x"
        luge.sleep(3600)
      end),
    })
    test.equal(err.phase, "send")
  end)
end)

describe("a source that fails", function()
  it("while the answer comes has its error raised by whoever reads that", function()
    local server <close> = serve(function(conn)
      conn:write "HTTP/1.1 200 OK\r\n\r\nbegun"
      conn:read_all()
    end)
    for _, how in ipairs { "read", "chunks" } do
      local begun = luge.event()
      local response <close> = http.post(server.url, {
        stream = true,
        body = luge.stream(function(emit)
          emit "x"
          begun:wait()
          error { mine = how }
        end),
      })
      test.equal(response:read(), "begun")
      begun:set()
      local ok, err = pcall(how == "read" and response.read or response:chunks(), response)
      test.equal(ok, false)
      test.equal(err.mine, how)
      test.raises("closed", response.read, response)
    end
  end)
end)

describe("a streamed response", function()
  it("reads nil at its end, each time", function()
    for _, method in ipairs { "read", "text" } do
      local server <close> = with("Content-Length: 2", "ok")
      local response <close> = http.get(server.url, { stream = true })
      test.equal(response[method](response), "ok")
      test.equal(select("#", response:read()), 1)
      test.equal(select("#", response:read()), 1)
    end
  end)

  it("may be the body of another request", function()
    local from <close> = with("Content-Length: 5", "hello")
    local to <close> = http.server { handler = function(req) return req:text() end }
    for _, how in ipairs { "chunks", "lines" } do
      local response <close> = http.get(from.url, { stream = true })
      test.equal(http.post(to.url, { body = (response[how](response)) }).body, "hello")
    end
  end)

  it("is closed when the request that it is the body of fails", function()
    local from <close> = serve(function(conn)
      conn:write "HTTP/1.1 200 OK\r\n\r\nbegun"
      conn:read_all()
    end)
    local to <close> = saying "220 this is another protocol\r\n\r\n"
    local response <close> = http.get(from.url, { stream = true })
    test.raises("network", http.post, to.url, { body = (response:chunks()) })
    test.raises("closed", response.read, response)
  end)
end)
