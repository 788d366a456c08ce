-- luge.http's client against luge's own server; what goes wrong on the wire is
-- in http_faults_test.lua.
local luge = require "luge"
local http = require "luge.http"
local net = require "luge.net"
local test = require "luge.test"
local describe, it = test.describe, test.it

local quickest = dofile "tests/support/quickest.lua"

local function echo(req)
  local headers = {}
  for name, value in pairs(req.headers) do
    headers[name] = value
  end
  return {
    json = {
      method = req.method, target = req.target, headers = headers, body = req:text(),
    },
  }
end

-- A server for one test; its url.
local function serve(handler)
  local server = http.server { handler = handler }
  return setmetatable({ url = "http://127.0.0.1:" .. server.port, server = server }, {
    __close = function() server:close() end,
  })
end

describe("a request", function()
  it("has a method, a query, headers and a JSON body", function()
    local s <close> = serve(echo)
    local response = http.post(s.url .. "/a?x=1", {
      query = { b = "2 3", c = { 1, 2 } },
      headers = { ["X-One"] = 1, ["x-two"] = "zwei", accept = false },
      json = { hello = "world" },
    })
    test.equal(response.status, 200)
    local got = response:json()
    test.equal(got.method, "POST")
    test.equal(got.target, "/a?x=1&b=2%203&c=1&c=2")
    test.equal(got.body, '{"hello":"world"}')
    test.equal(got.headers["content-type"], "application/json")
    test.equal(got.headers["x-one"], "1")
    test.equal(got.headers["x-two"], "zwei")
    test.equal(got.headers.accept, nil)
    test.matches(got.headers["user-agent"], "^luge/")
  end)

  it("may use every method", function()
    local s <close> = serve(echo)
    for _, name in ipairs { "get", "put", "patch", "delete", "post" } do
      test.equal(http[name](s.url):json().method, name:upper())
    end
    test.equal(http.head(s.url).body, "")
    test.equal(http.request { url = s.url, method = "options" }:json().method, "OPTIONS")
    test.equal(http.request({ url = s.url, method = "DELETE", body = "x" }):json().body, "x")
  end)

  it("refuses what is wrong before anything is sent", function()
    local url = "http://127.0.0.1:1/"
    local function bad(options)
      test.raises("invalid", function() http.get(url, options) end)
    end
    bad { bogus = 1 }
    bad { timeout = 0 }
    bad { timeout = "1" }
    bad { json = 1, body = "x" }
    bad { headers = { ["a b"] = "x" } }
    bad { headers = { a = "x\r\nb: y" } }
    bad { headers = { a = "x\0" } }
    bad { headers = { ["Content-Length"] = "1" } }
    bad { headers = { ["transfer-encoding"] = "chunked" } }
    bad { headers = { a = true } }
    bad { auth = { "only a user" } }
    bad { http_version = "9" }
    bad { redirects = -1 }
    bad { method = "POST" }
    bad { url = "http://127.0.0.1:1/" }
    for _, wrong in ipairs { "", "/a", "ftp://h/", "file:///etc/passwd", "http://",
      "http://h:99999/", "http://h/\r\nx", "http://h/\0", "mailto:a@b", "http:///x" } do
      test.raises("invalid", function() http.get(wrong) end)
    end
    test.raises("invalid", function() http.request { url = url, method = "GE T" } end)
    test.raises("invalid", function() http.request { url = url, method = "GET\r\n" } end)
    test.raises("invalid", function() http.request { url = url, method = "CONNECT" } end)
    test.raises("invalid", function() http.head(url, { body = "x" }) end)
    test.raises("invalid", function() http.head(url, { json = 1 }) end)
    test.raises("invalid", function() http.head(url, { body = function() end }) end)
  end)

  it("says what is not there yet", function()
    test.matches(test.raises("invalid", function() http.websocket("ws://127.0.0.1:1/") end).message,
      "websocket is planned")
    local s <close> = serve(function(req)
      return test.raises("invalid", function() req:upgrade() end).message
    end)
    test.matches(http.get(s.url).body, "upgrade is planned")
  end)

  it("masks secrets in errors", function()
    local ok, err = pcall(http.get, "http://user:hunter2@127.0.0.1:1/?api_key=abc&x=1&token=t")
    test.equal(ok, false)
    test.equal(err.kind, "network")
    test.equal(err.code, "connect")
    test.equal(err.retryable, true)
    test.equal(err.url, "http://user:***@127.0.0.1:1/?api_key=***&x=1&token=***")
    test.equal(tostring(err):find("hunter2", 1, true), nil)
    test.equal(tostring(err):find("abc", 1, true), nil)
  end)
end)

describe("a response", function()
  it("knows its headers, connection and times", function()
    local s <close> = serve(function()
      return { body = "hi", headers = { ["Set-Cookie"] = { "a=1", "b=2" }, ["X-Y"] = "z" } }
    end)
    local client <close> = http.client {}
    local first, second = client:get(s.url), client:get(s.url)
    test.equal(first.body, "hi")
    test.equal(first.headers["x-y"], "z")
    test.equal(first.headers["X-Y"], "z")
    test.same(first.headers:all "set-cookie", { "a=1", "b=2" })
    test.equal(first.http_version, "1.1")
    test.equal(first.reused, false)
    test.equal(second.reused, true)
    test.ok(first.timings.total >= first.timings.headers)
    test.ok(first:ok())
    test.equal(first:raise_for_status(), first)
  end)

  it("may have a header of several lines (RFC 9112, 5.2)", function()
    local server <close> = net.serve { handler = function(conn)
      conn:read_until "\r\n\r\n"
      conn:write("HTTP/1.1 200 OK\r\nA: one\r\n two\r\n\tthree \r\nB: b\r\n"
        .. "Content-Length: 0\r\n\r\n")
    end }
    local headers = http.get("http://127.0.0.1:" .. server.port).headers
    test.equal(headers.a, "one two\tthree")
    test.equal(headers.b, "b")
  end)

  it("raises for its status", function()
    local s <close> = serve(function()
      return { status = 429, headers = { ["Retry-After"] = "7" }, body = "slow down" }
    end)
    for _, stream in ipairs { false, true } do
      local ok, err = pcall(function()
        http.get(s.url, { stream = stream }):raise_for_status()
      end)
      test.equal(ok, false)
      test.equal(err.kind, "http")
      test.equal(err.status, 429)
      test.equal(err.retry_after, 7)
      test.equal(err.retryable, true)
      test.equal(err.body, "slow down")
    end
  end)
end)

describe("a streamed response", function()
  local function events()
    return {
      events = luge.stream(function(emit)
        for i = 1, 5 do
          emit { data = "n" .. i }
        end
      end),
    }
  end

  it("gives chunks, lines and events", function()
    local s <close> = serve(events)
    local data = {}
    for event in http.get(s.url, { stream = true }):events() do
      test.equal(event.event, "message")
      data[#data + 1] = event.data
    end
    test.same(data, { "n1", "n2", "n3", "n4", "n5" })
    local lines = {}
    for line in http.get(s.url, { stream = true }):lines() do
      if line ~= "" then lines[#lines + 1] = line end
    end
    test.same(lines, { "data: n1", "data: n2", "data: n3", "data: n4", "data: n5" })
    local pieces = {}
    for piece in http.get(s.url, { stream = true }):chunks() do
      pieces[#pieces + 1] = piece
    end
    test.equal(table.concat(pieces):gsub("data: n%d\n\n", ""), "")
  end)

  it("gives nil after its end, also when the loop has closed it", function()
    local s <close> = serve(events)
    for _, how in ipairs { "chunks", "lines", "events" } do
      local response = http.get(s.url, { stream = true })
      local next = response[how](response)
      for _ in next do end
      response:close()
      test.equal(next(), nil)
    end
    local response = http.get(s.url, { stream = true })
    for _ in response:chunks() do end
    test.equal(response:read(), nil)
    response = http.get(s.url, { stream = true })
    response:close()
    test.raises("closed", response.read, response)
  end)

  it("that is closed while another task reads tells that task", function()
    local s <close> = serve(function()
      return { stream = luge.stream(function(emit)
        emit "first"
        luge.sleep(3600)
      end) }
    end)
    for _, how in ipairs { "read", "chunks", "lines", "events" } do
      local response = http.get(s.url, { stream = true })
      local next = how == "read" and function() return response:read() end
        or response[how](response)
      if how == "read" or how == "chunks" then test.equal(next(), "first") end
      local reader = luge.spawn(next)
      repeat luge.sleep(0) until reader:status() == "waiting"
      response:close()
      test.raises("closed", reader.await, reader)
    end
  end)

  it("that has broken off does not seem to end when it is read again", function()
    local server <close> = net.serve { handler = function(conn)
      conn:read_until "\r\n\r\n"
      conn:write "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ndata: a\n\n"
      luge.sleep(0.03)
    end }
    local url = "http://127.0.0.1:" .. server.port
    for _, how in ipairs { "chunks", "lines", "events" } do
      for _, seconds in ipairs { 0.005, 10 } do
        local response = http.get(url, { stream = true })
        local next = response[how](response)
        test.ok(not pcall(luge.timeout, seconds, function()
          for _ in next do end
        end))
        test.raises("closed", next)
      end
    end
  end)

  it("closes the connection when its loop is left", function()
    local left = luge.event()
    local s <close> = serve(function()
      return {
        events = luge.stream(function(emit)
          local _ <close> = setmetatable({}, { __close = function() left:set() end })
          while true do
            emit { data = "x" }
            luge.sleep(0.001)
          end
        end),
      }
    end)
    for event in http.get(s.url, { stream = true }):events() do
      if event.data == "x" then break end
    end
    left:wait()
  end)
end)

describe("cancelling", function()
  it("closes the connection at once", function()
    local entered, left = luge.event(), luge.event()
    local s <close> = serve(function()
      local _ <close> = setmetatable({}, { __close = function() left:set() end })
      entered:set()
      luge.sleep(3600)
    end)
    local task = luge.spawn(http.get, s.url)
    entered:wait()
    task:cancel()
    test.raises("cancelled", luge.await, task)
    left:wait()
  end)

  it("is quick while a name resolves", function()
    test.ok(quickest(0.05, function()
      local started = luge.now()
      local task = luge.spawn(http.get, "http://a-name-that-takes-long.invalid/")
      luge.sleep(0)
      task:cancel()
      pcall(luge.await, task)
      return luge.now() - started
    end), "it took longer than 50 ms")
  end)
end)
