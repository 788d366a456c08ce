-- http.client: defaults, cookies, redirects, routes, streamed bodies, event
-- sources; against luge's own server.
local luge = require "luge"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local longer = dofile "tests/support/longer.lua"

-- A server for one test; its url.
local function serve(handler, options)
  options = options or {}
  options.handler = handler
  local server = http.server(options)
  return setmetatable({ url = "http://127.0.0.1:" .. (server.port or 0), server = server }, {
    __close = function() server:close(0) end,
  })
end

local function echo(req)
  local headers = {}
  for name, value in pairs(req.headers) do
    headers[name] = value
  end
  local body = req:text()
  return { json = { method = req.method, target = req.target, headers = headers, body = body } }
end

describe("a client", function()
  it("has defaults, which a request overrides", function()
    local s <close> = serve(echo)
    local client <close> = http.client {
      base_url = s.url .. "/api/", auth = { bearer = "t" },
      headers = { ["X-A"] = "1", ["X-B"] = "2" },
    }
    local got = client:get("/items", { headers = { ["x-b"] = "3" } }):json()
    test.equal(got.target, "/api/items")
    test.equal(got.headers["x-a"], "1")
    test.equal(got.headers["x-b"], "3")
    test.equal(got.headers.authorization, "Bearer t")
    test.equal(client:get("items", { auth = { "u", "p" } }):json().headers.authorization,
      "Basic dTpw")
    test.equal(client:get(s.url .. "/other"):json().target, "/other")
  end)

  it("keeps cookies, the module does not", function()
    local s <close> = serve(function(req)
      return { headers = { ["Set-Cookie"] = "id=7; Path=/" }, body = req.headers.cookie or "none" }
    end)
    local client <close> = http.client {}
    local plain <close> = http.client { cookies = false }
    for _, c in ipairs { client, plain, http } do
      local get = c == http and http.get or function(url) return c:get(url) end
      test.equal(get(s.url).body, "none")
      test.equal(get(s.url).body, c == client and "id=7" or "none")
    end
  end)

  it("opens no more connections than it may", function()
    local list = {}
    for i = 1, 60 do list[i] = i end
    longer(0.05, function(seconds) -- their turn comes later than that
      local now, most = 0, 0
      local s <close> = serve(function()
        now = now + 1
        most = math.max(most, now)
        luge.sleep(seconds / 10)
        now = now - 1
        return { body = "x" }
      end)
      local client <close> = http.client { max_connections = 3, connect_timeout = seconds }
      luge.map(list, function() return client:get(s.url).body end, { concurrency = 60 })
      test.equal(most, 3)
    end)
  end)

  it("uses the connections that others have left, before it opens more", function()
    local waiting, all
    local s <close> = serve(function()
      waiting = waiting - 1
      if waiting == 0 then all:set() end
      all:wait()
      return "x"
    end)
    local client <close> = http.client { max_connections = 100 }

    -- Of `n` requests that are all there before one is answered: those that had
    -- to connect.
    local function connecting(n)
      waiting, all = n, luge.event()
      local each = {}
      for i = 1, n do each[i] = i end
      local connected = 0
      luge.map(each, function()
        local reused = client:get(s.url).reused
        connected = connected + (reused and 0 or 1)
      end, { concurrency = n })
      return connected
    end
    test.equal(connecting(20), 20)
    test.equal(connecting(20), 0)
    test.equal(connecting(1), 0)
    test.equal(connecting(30), 10)
    waiting, all = 2, luge.event()
    local cancelled = luge.spawn(client.get, client, s.url)
    while waiting == 2 do luge.sleep(0) end
    cancelled:cancel()
    pcall(luge.await, cancelled)
    test.equal(connecting(30), 1)
    test.equal(connecting(31), 1)
  end)

  it("connects anew where all connections have been closed", function()
    local client <close> = http.client {}
    local port = 0
    for _ = 1, 3 do
      local s <close> = serve(echo, { port = port })
      port = s.server.port
      local reused = luge.map({ 1, 2, 3 }, function() return client:get(s.url).reused end)
      test.same(reused, { false, false, false, n = 3 })
    end
  end)

  it("opens no more connections to a host than it may", function()
    local now, most = { 0, 0 }, { 0, 0 }
    local function counting(i)
      return serve(function()
        now[i] = now[i] + 1
        most[i] = math.max(most[i], now[i])
        luge.sleep(0.005)
        now[i] = now[i] - 1
        return "x"
      end)
    end
    local one <close> = counting(1)
    local other <close> = counting(2)
    local client <close> = http.client { max_per_host = 2 }
    local list = {}
    for i = 1, 40 do list[i] = i % 2 == 0 and one.url or other.url end
    luge.map(list, function(url) return client:get(url).body end, { concurrency = 40 })
    test.same(most, { 2, 2 })
  end)

  it("reaches a host by whichever of its addresses answers", function()
    local s <close> = serve(echo)
    test.equal(http.get("http://localhost:" .. s.server.port).status, 200)
    local ok, six = pcall(serve, echo, { host = "::1" })
    if ok then
      local _ <close> = six
      test.equal(http.get("http://localhost:" .. six.server.port).status, 200)
    end
  end)

  it("is of no use once closed, and ends what it was at", function()
    local s <close> = serve(function() luge.sleep(30) end)
    local client = http.client {}
    local task = luge.spawn(function() return pcall(client.get, client, s.url) end)
    luge.sleep(0.02)
    client:close()
    local ok, err = task:await()
    test.equal(ok, false)
    test.equal(err.kind, "closed")
    client:close()
    test.raises("closed", function() client:get(s.url) end)
  end)

  it("may be collected while it streams", function()
    local s <close> = serve(function()
      return { stream = luge.stream(function(emit)
        for i = 1, 20 do
          emit(("%04d"):format(i):rep(1000))
        end
      end) }
    end)
    local response = http.client({}):get(s.url, { stream = true })
    collectgarbage()
    collectgarbage()
    test.equal(#response:text(), 80000)
  end)

  it("refuses options that it does not know", function()
    test.raises("invalid", function() http.client { max_conections = 1 } end)
    test.raises("invalid", function() http.client { cookies = 1 } end)
    test.raises("invalid", function() http.client(1) end)
  end)
end)

describe("redirects", function()
  local function redirecting(status)
    return function(req)
      if req.path == "/end" then return echo(req) end
      if req.path == "/loop" then return { status = status, headers = { Location = "loop?x" } } end
      return { status = status, headers = { Location = "/end" } }
    end
  end

  it("are followed for GET and HEAD, and for others where asked", function()
    for _, status in ipairs { 301, 302, 303, 307, 308 } do
      local s <close> = serve(redirecting(status))
      local response = http.get(s.url)
      test.equal(response.status, 200)
      test.equal(response.url, s.url .. "/end")
      local head = http.head(s.url)
      test.equal(head.status, 200)
      test.equal(head.body, "") -- it stays a HEAD
      test.equal(http.get(s.url, { redirects = 0 }).status, status)
      test.equal(http.post(s.url, { body = "b" }).status, status)
      local got = http.post(s.url, { json = 1, redirects = 1 }):json()
      test.equal(got.method, status <= 303 and "GET" or "POST")
      test.equal(got.body, status <= 303 and "" or "1")
      test.equal(got.headers["content-type"], status > 303 and "application/json" or nil)
    end
  end)

  it("are limited", function()
    local s <close> = serve(redirecting(302))
    for _, stream in ipairs { false, true } do
      local ok, err = pcall(http.get, s.url .. "/loop", { stream = stream })
      test.equal(ok, false)
      test.equal(err.kind, "limit")
      test.equal(err.what, "redirects")
      test.equal(err.limit, 5)
    end
  end)

  it("to another origin leave secrets behind", function()
    local other <close> = serve(echo)
    local s <close> = serve(function(req)
      if req.path == "/same" then return { status = 307, headers = { Location = "/end" } } end
      if req.path == "/end" then return echo(req) end
      return { status = 307, headers = { Location = other.url .. "/there" } }
    end)
    local client <close> = http.client { auth = { bearer = "t" }, headers = { ["Api-Key"] = "k" } }
    local options = {
      headers = { ["x-api-key"] = "k", Cookie = "a=b", ["X-Session-Token"] = "t", ["X-Plain"] = "p",
        ["My-Secret"] = "s", Host = "name.example" },
    }
    local same = client:get(s.url .. "/same", options):json().headers
    test.equal(same.host, "name.example")
    test.equal(same.authorization, "Bearer t")
    test.equal(same["x-api-key"], "k")
    local away = client:get(s.url .. "/away", options):json().headers
    test.equal(away["x-plain"], "p")
    for _, name in ipairs { "authorization", "cookie", "x-api-key", "api-key", "x-session-token",
      "my-secret" } do
      test.equal(away[name], nil, name)
    end
    test.equal(away.host, (other.url:gsub("http://", "")))
  end)

  it("to another scheme are `invalid`, to no URL `network`; both are named", function()
    local to
    local s <close> = serve(function() return { status = 302, headers = { Location = to } } end)
    for _, location in ipairs { "ftp://h/", "file:///x", "mailto:a@b", "data:,x", "script:1" } do
      to = location
      test.matches(test.raises("invalid", http.get, s.url).message, location)
    end
    for _, location in ipairs { "http://", "http://[::1/", "http://h:x/" } do
      to = location
      local err = test.raises("network", http.get, s.url)
      test.equal(err.code, "protocol")
      test.equal(err.retryable, false)
      test.ok(err.message:find(location, 1, true), err.message)
    end
  end)
end)

describe("a body", function()
  it("has no media type but a given one, and is sent without asking first", function()
    local s <close> = serve(echo)
    for _, method in ipairs { "POST", "PUT", "PATCH" } do
      for _, options in ipairs {
        {}, { body = "text" }, { body = luge.from { "a", "b" } }, { multipart = { a = "b" } },
      } do
        options.method, options.url = method, s.url
        local headers = http.request(options):json().headers
        test.equal(headers.expect, nil)
        test.equal(headers["content-type"] ~= nil, options.multipart ~= nil)
      end
    end
    local given = http.post(s.url, { body = "x", headers = { ["Content-Type"] = "a/b" } }):json()
    test.equal(given.headers["content-type"], "a/b")
  end)

  it("may be a form", function()
    local s <close> = serve(echo)
    local got = http.post(s.url, { form = { a = "1 &", b = { "x", "y" } } }):json()
    test.equal(got.body, "a=1%20%26&b=x&b=y")
    test.equal(got.headers["content-type"], "application/x-www-form-urlencoded")
  end)

  it("may be a stream or an iterator, and is sent in chunks", function()
    local s <close> = serve(function(req) return { json = #req:text() } end)
    local function pieces(n)
      return function()
        n = n - 1
        return n >= 0 and ("x"):rep(10000) or nil
      end
    end
    test.equal(http.post(s.url, { body = pieces(50) }):json(), 500000)
    local stream = luge.stream(function(emit)
      for _ = 1, 50 do emit(("y"):rep(10000)) end
    end)
    test.equal(http.put(s.url, { body = (stream) }):json(), 500000)
  end)

  it("whose source fails fails the request", function()
    local s <close> = serve(function(req) return { body = req:text() } end)
    local ok, err = pcall(http.post, s.url, {
      body = luge.stream(function(emit)
        emit "x"
        error({ mine = true })
      end),
    })
    test.equal(ok, false)
    test.equal(err.mine, true)
  end)

  it("may be a file, and parts of forms too", function()
    local path <close> = setmetatable({ name = os.tmpname() }, {
      __close = function(self) os.remove(self.name) end,
    })
    local content = ("0123456789"):rep(20000)
    local file <close> = io.open(path.name, "wb")
    file:write(content)
    file:close()
    local s <close> = serve(function(req)
      return { json = { text = req:text(), length = req.headers["content-length"] or "none" } }
    end)
    local got = http.post(s.url, { body = { file = path.name } }):json()
    test.equal(got.text, content)
    test.equal(got.length, tostring(#content))
    got = http.post(s.url, {
      multipart = { { name = "a", data = "1" },
        { name = "f", path = path.name, filename = 'x".txt', type = "text/plain" } },
    }):json().text
    test.ok(got:find('name="a"\r\n\r\n1\r\n', 1, true))
    test.ok(got:find('name="f"; filename="x%22.txt"\r\nContent-Type: text/plain\r\n\r\n'
      .. content, 1, true))
    test.raises("io", function() http.post(s.url, { body = { file = "/nonexistent" } }) end)
    got = http.post(s.url, { body = { file = "/proc/self/status" } }):json() -- says 0 bytes
    test.matches(got.text, "^Name:")
    test.raises("invalid", function() http.post(s.url, { multipart = { a = { path = 1 } } }) end)
  end)
end)

describe("a file that is sent", function()
  local path
  test.before_each(function() path = os.tmpname() end)
  test.after_each(function() os.remove(path) end)

  it("and becomes shorter meanwhile fails the request", function()
    local file = io.open(path, "wb")
    file:seek("set", 64 << 20)
    file:write "end"
    file:close()
    local received
    local s <close> = serve(function(req)
      for piece in req:chunks() do
        if not received then io.open(path, "wb"):close() end
        received = (received or 0) + #piece
      end
      return "whole"
    end, { on_error = function() end, max_body = 1 << 30 })
    local err = test.raises("io", http.post, s.url, { body = { file = path } })
    test.equal(err.path, path)
    test.matches(err.message, "it has become shorter")
    test.ok(received < 64 << 20)
  end)

  it("and cannot be read fails it too", function()
    local err = test.raises("io", http.post, "http://127.0.0.1:1",
      { body = { file = "/proc/self/mem" } })
    test.equal(err.errno, "EIO")
  end)
end)

describe("backpressure", function()
  it("reaches the server", function()
    local sent = 0
    local s <close> = serve(function()
      return { stream = luge.stream(function(emit)
        for _ = 1, 500 do
          sent = sent + 1
          emit(("x"):rep(65536))
        end
      end) }
    end)
    local response <close> = http.get(s.url, { stream = true })
    luge.sleep(0.2)
    test.ok(sent < 300, "the server has sent " .. sent .. " pieces to a client that reads nothing")
    test.equal(#response:text(), 500 * 65536)
  end)
end)

describe("a UNIX socket", function()
  it("takes the place of the host", function()
    local path = os.tmpname()
    os.remove(path)
    local s <close> = serve(echo, { path = path })
    local got = http.get("http://a-name.invalid/x", { unix_socket = path }):json()
    test.equal(got.target, "/x")
    test.equal(got.headers.host, "a-name.invalid")
    test.equal(s.server.port, 0)
    local ok, err = pcall(http.get, "http://localhost/", { unix_socket = "/nonexistent" })
    test.equal(ok, false)
    test.equal(err.code, "connect")
  end)
end)

describe("events", function()
  it("reconnect with the last id", function()
    local asked = {}
    local s <close> = serve(function(req)
      asked[#asked + 1] = req.headers["last-event-id"] or "none"
      if #asked == 4 then return { status = 204 } end
      return {
        events = luge.stream(function(emit)
          emit { data = "a", id = tostring(#asked), retry = 1 }
          emit { data = "b" }
        end),
      }
    end)
    local got = {}
    for event in http.events(s.url) do
      got[#got + 1] = event.data .. event.id
    end
    test.same(got, { "a1", "b1", "a2", "b2", "a3", "b3" })
    test.same(asked, { "none", "1", "2", "3" })
  end)

  it("forget the id when the server says so", function()
    local asked = {}
    local s <close> = serve(function(req)
      asked[#asked + 1] = req.headers["last-event-id"] or "none"
      if #asked == 4 then return { status = 204 } end
      return { events = function(emit)
        emit { data = "a", id = #asked == 1 and "7" or #asked == 3 and "" or nil, retry = 1 }
      end }
    end)
    local got = {}
    for event in http.events(s.url, { last_event_id = "given" }) do
      got[#got + 1] = event.id or "none"
    end
    test.same(got, { "7", "7", "none" })
    test.same(asked, { "given", "7", "7", "none" })
  end)

  it("send the headers of their own once, in whatever case they are given", function()
    local asked = {}
    local s <close> = serve(function(req)
      asked[#asked + 1] = req.headers["last-event-id"] .. "; " .. req.headers.accept
      if #asked == 2 then return { status = 204 } end
      return { events = luge.from { { data = "a", id = "1", retry = 1 } } }
    end)
    local headers = { ["last-event-id"] = "given", accept = "text/event-stream, a/b" }
    for _ in http.events(s.url, { headers = headers }) do end
    test.same(asked, { "given; text/event-stream, a/b", "1; text/event-stream, a/b" })
  end)

  it("go on after a broken connection, and not after an error", function()
    local count = 0
    local s <close> = serve(function()
      count = count + 1
      if count == 4 then return { status = 503 } end
      return { events = function(emit)
        emit { data = tostring(count), retry = 1 }
        luge.sleep(0.01)
        error(luge.error { kind = "closed", message = "breaks" })
      end }
    end)
    local got = {}
    local err = test.raises("http", function()
      for event in http.events(s.url) do got[#got + 1] = event.data end
    end)
    test.equal(err.status, 503)
    test.same(got, { "1", "2", "3" })
    test.raises("network", function()
      for _ in http.events "http://127.0.0.1:1/" do end
    end)
  end)

  it("give up when nothing comes", function()
    local count = 0
    local s <close> = serve(function()
      count = count + 1
      return { headers = { ["Content-Type"] = "text/event-stream" }, body = "" }
    end)
    test.raises("network", function()
      for _ in http.events(s.url, { retry = 0.001, attempts = 3 }) do
      end
    end)
    test.equal(count, 4)
  end)

  it("are a Stream", function()
    local s <close> = serve(function()
      return { events = luge.stream(function(emit)
        for i = 1, 100 do emit { data = tostring(i) } end
      end) }
    end)
    local got = http.get(s.url, { stream = true }):events():map(function(e) return e.data end)
      :take(3):collect()
    test.same(got, { "1", "2", "3" })
  end)
end)
