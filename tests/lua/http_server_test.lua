-- luge.http.server as a script sees it. What goes over the wire is tested, byte
-- by byte, in tests/unit/http_server_test.c.
local luge = require "luge"
local http = require "luge.http"
local test = require "luge.test"
local headers = require "luge.internal.http_headers"
local response = require "luge.internal.http_response"
local routers = require "luge.internal.http_router"
local targets = require "luge.internal.http_target"
local describe, it = test.describe, test.it

local quickest = dofile "tests/support/quickest.lua"
local run = dofile "tests/support/command.lua"

local function nothing() end

-- Whether somebody listens on the port: only one may.
local function is_free(port)
  local ok, server = pcall(http.server, { port = port })
  if ok then server:close() end
  return ok
end

describe("http.server", function()
  it("goes on when there are descriptors again", function()
    local text = run([[
      local http, net = require "luge.http", require "luge.net"
      local server <close> = http.server { handler = function() return "ok" end }
      http.get(server.url)
      local kept, ok, err = {}
      repeat
        ok, err = pcall(net.connect, "127.0.0.1", server.port)
        kept[#kept + 1] = ok and err or nil
      until not ok
      print(err.kind, err.what)
      for _, conn in ipairs(kept) do conn:close() end
      print(http.get(server.url).body)
    ]], nil, "ulimit -n 50; ")
    test.equal(text, "limit\topen files\nok\n")
  end)

  it("listens until it is closed", function()
    local server = http.server { handler = nothing }
    test.ok(server.port > 0)
    test.equal(server.url, "http://127.0.0.1:" .. server.port)
    test.equal(is_free(server.port), false)
    server:close()
    server:close(1)
    test.ok(is_free(server.port))
  end)

  it("is closed where its block is left", function()
    local port
    do
      local server <close> = http.server { handler = nothing }
      port = server.port
    end
    test.ok(is_free(port))
  end)

  it("is closed with the task that it belongs to", function()
    local port
    local task = luge.spawn(function()
      port = http.server({ handler = nothing }).port
    end)
    luge.sleep(0.005)
    test.equal(task:status(), "waiting")
    test.equal(is_free(port), false)
    task:cancel()
    pcall(luge.await, task)
    test.ok(is_free(port))
  end)

  it("says where it cannot listen", function()
    local server <close> = http.server { handler = nothing }
    local ok, err = pcall(http.server, { port = server.port })
    test.equal(ok, false)
    test.equal(err.kind, "io")
    test.equal(err.errno, "EADDRINUSE")
    test.equal(err.path, "127.0.0.1:" .. server.port)
    test.raises("io", function() http.server { path = "/nonexistent/socket" } end)
  end)

  it("listens on IPv6", function()
    local ok, server = pcall(http.server, { host = "::1" })
    if not ok then return end -- there is none
    test.equal(server.url, "http://[::1]:" .. server.port)
    server:close()
  end)

  it("refuses what it cannot take", function()
    for _, options in ipairs {
      { port = -1 }, { port = 65536 }, { port = 1.5 }, { port = "80" }, { host = 1 },
      { handler = "x" }, { max_body = 0 }, { max_head = -1 }, { max_connections = 0 },
      { idle_timeout = 0 }, { idle_timeout = 0 / 0 }, { on_error = 1 }, { hots = "x" },
    } do
      test.raises("invalid", function() http.server(options) end)
    end
    test.raises("invalid", function() http.server() end)
    test.matches(test.raises("invalid", http.server, { hots = "x" }).message, "'hots', .*host, ")
    test.matches(test.raises("invalid", http.server, { port = "80" }).message, "'port' is \"80\"")
    local server <close> = http.server {}
    test.raises("invalid", function() server:route("get", "/", nothing) end)
    test.raises("invalid", function() server:route(nil, "/", nothing) end)
    test.raises("invalid", function() server:route("GET", "items", nothing) end)
    test.raises("invalid", function() server:route("GET", "/:", nothing) end)
    test.raises("invalid", function() server:route("GET", "/*rest/x", nothing) end)
    test.raises("invalid", function() server:route("GET", "/", {}) end)
    server:route("GET", "/twice", nothing):route("POST", "/twice", nothing)
    test.matches(test.raises("invalid", server.route, server, "GET", "/twice", nothing).message,
      "GET /twice")
    test.raises("invalid", function() server:close(-1) end)
  end)
end)

describe("handlers", function()
  local function serve(handler, options)
    options = options or {}
    options.handler = handler
    return http.server(options)
  end

  it("answer and read JSON", function()
    local server <close> = serve(function(req) return { json = { got = req:json() } } end)
    local r = http.post(server.url, { json = { a = { 1, 2.5 } } })
    test.equal(r.headers["content-type"], "application/json")
    test.same(r:json(), { got = { a = { 1, 2.5 } } })
    test.equal(http.post(server.url, { body = "{" }).status, 400)
  end)

  it("read forms", function()
    local server <close> = serve(function(req)
      local fields, list = req:form()
      return { json = { fields = fields, count = #list } }
    end)
    local function post(body, content_type)
      return http.post(server.url, { body = body, headers = { ["Content-Type"] = content_type } })
    end
    local form = { text = "1 + 1 = 2 & more: \u{e9}\n", empty = "", tag = { "a", "b" } }
    test.same(http.post(server.url, { form = form }):json(),
      { fields = { text = form.text, empty = "", tag = "a" }, count = 4 })
    local media = "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"
    test.equal(post("a=1", media):json().fields.a, "1")
    test.same(post("", media):json(), { fields = {}, count = 0 })
    local bad = post("a=%zz", media)
    test.equal(bad.status, 400)
    test.equal(bad.body, "400 malformed form\n")
    test.equal(http.post(server.url, { multipart = { a = "1" } }).status, 415)
    test.equal(post("a=1", "text/plain").status, 415)
    test.equal(post("a=1", false).status, 200)
  end)

  it("answer with a Stream, and close it when the client leaves", function()
    local closed
    local server <close> = serve(function()
      return { stream = luge.stream(function(emit)
        local _ <close> = setmetatable({}, { __close = function() closed:resolve(luge.now()) end })
        while true do
          emit "piece"
          luge.sleep(0.001)
        end
      end) }
    end)
    test.ok(quickest(0.05, function()
      closed = luge.future()
      local r <close> = http.get(server.url, { stream = true })
      test.matches(r:read(), "^piece")
      local left = luge.now()
      r:close()
      return closed:await() - left
    end), "it took longer than 50 ms")
  end)

  it("are cancelled within 50 ms of the client's leaving", function()
    local begun, ended
    local server <close> = serve(function()
      local _ <close> = setmetatable({}, { __close = function() ended:resolve(luge.now()) end })
      begun:resolve()
      luge.sleep(30)
    end)
    test.ok(quickest(0.05, function()
      begun, ended = luge.future(), luge.future()
      local task = luge.spawn(http.get, server.url)
      begun:await()
      local left = luge.now()
      task:cancel()
      return ended:await() - left
    end), "it took longer than 50 ms")
  end)

  it("that break off leave no answer that looks complete", function()
    local told
    local server <close> = serve(function()
      return { stream = function(emit)
        emit "begun"
        error "on purpose"
      end }
    end, { on_error = function(message) told = message end })
    test.raises("truncated", http.get, server.url)
    test.matches(told, "^GET /: .*on purpose")
  end)

  it("get large bodies in pieces, and limits", function()
    local server <close> = serve(function(req)
      local n = 0
      for piece in req:chunks() do n = n + #piece end
      return tostring(n)
    end, { max_body = 1000000 })
    test.equal(http.post(server.url, { body = ("x"):rep(1000000) }).body, "1000000")
    test.equal(http.post(server.url, { body = ("x"):rep(1000001) }).status, 413)
  end)

  it("show what they close the error as it is", function()
    local seen, began = luge.queue(), luge.event()
    local server <close> = serve(function(req)
      local _ <close> = setmetatable({}, { __close = function(_, err) seen:try_put(err) end })
      if req.path == "/own" then error(luge.error { kind = "own" }) end
      began:set()
      luge.sleep(3600)
    end, { on_error = function() end })
    test.equal(http.get(server.url .. "/own").status, 500)
    test.ok(luge.is_error(seen:get(), "own"))
    local client = luge.spawn(http.get, server.url)
    began:wait()
    client:cancel()
    test.ok(luge.is_error(seen:get(), "cancelled"))
  end)

  it("do not fail the server when on_error fails", function()
    local server <close> = serve(function() error "x" end, { on_error = function() error "y" end })
    for _ = 1, 2 do test.equal(http.get(server.url).status, 500) end
  end)

  it("of clients that wait get the places of connections that are only kept", function()
    local server <close> = serve(function(req)
      luge.sleep(0.001)
      return req.query.n
    end, { max_connections = 2 })
    local answered = luge.queue()
    local tasks = luge.spawn(function()
      luge.map({ 1, 2, 3, 4, 5, 6 }, function(n)
        local client <close> = http.client {}
        for _ = 1, 2 do
          answered:put(client:get(server.url, { query = { n = n } }).body)
        end
        luge.sleep(3600) -- with its connection open
      end)
    end)
    local got = {}
    for i = 1, 12 do got[i] = answered:get() end
    table.sort(got)
    test.equal(table.concat(got), "112233445566")
    tasks:cancel()
  end)

  it("run at the same time, and each has its own answer", function()
    local server <close> = serve(function(req)
      luge.sleep(math.random() / 200)
      return req.query.n
    end)
    local numbers = {}
    for i = 1, 200 do numbers[i] = i end
    local answers = luge.map(numbers, function(n)
      return http.get(server.url, { query = { n = n } }).body
    end, { concurrency = 50 })
    for i = 1, 200 do test.equal(answers[i], tostring(i)) end
  end)
end)

describe("routes", function()
  local router = routers.new()
  for _, path in ipairs { "/", "/a", "/a/:x", "/a/new", "/:any/b", "/files/*rest", "/a b" } do
    router:add("GET", path, path)
  end
  router:add("POST", "/a", "post")
  router:add("*", "/all", "all")

  local function find(method, path)
    local handler, params = router:find(method, path)
    return handler, params
  end

  it("prefer literal paths, then the first one", function()
    for path, wanted in pairs {
      ["/"] = "/", ["/a"] = "/a", ["/a/new"] = "/a/new", ["/a/1"] = "/a/:x", ["/a/b"] = "/a/:x",
      ["/c/b"] = "/:any/b", ["/files/"] = "/files/*rest", ["/files/x/y"] = "/files/*rest",
      ["/%61"] = "/a", ["/a%20b"] = "/a b", ["/all"] = "all",
    } do
      test.equal((find("GET", path)), wanted)
    end
  end)

  it("give decoded parameters", function()
    test.same(select(2, find("GET", "/a/x%2Fy")), { x = "x/y" })
    test.same(select(2, find("GET", "/files/x%20/y")), { rest = "x /y" })
    test.same(select(2, find("GET", "/files/")), { rest = "" })
  end)

  it("tell an unknown path from an unknown method", function()
    test.equal(find("GET", "/b"), nil)
    test.equal(find("GET", "/a/"), nil)
    test.equal(find("GET", "/a/b/c"), nil)
    test.same({ find("DELETE", "/a") }, { nil, { "GET", "HEAD", "POST" } })
    test.equal((find("HEAD", "/a")), "/a")
    test.equal((find("DELETE", "/all")), "all")
  end)
end)

describe("targets", function()
  it("are split", function()
    for target, wanted in pairs {
      ["/"] = { "/" }, ["/a?b"] = { "/a", "b" }, ["/a?"] = { "/a", "" }, ["*"] = { "*" },
      ["http://h:1/a?b"] = { "/a", "b", "h:1" }, ["http://h"] = { "/", nil, "h" },
      ["http://h?b"] = { "/", "b", "h" }, ["a"] = {}, ["h:1"] = {}, ["/a#b"] = {},
    } do
      test.same({ targets.split(target) }, wanted)
    end
  end)

  it("are decoded", function()
    test.equal(targets.decode "a%2fb%20+", "a/b +")
    for _, bad in ipairs { "%", "%2", "%zz", "%00", "%%41" } do
      test.equal(targets.decode(bad), nil)
    end
  end)

  it("have queries", function()
    local first, list = targets.query "a=1&b=x+y%26&a=2&c&=d&&"
    test.same(first, { a = "1", b = "x y&", c = "", [""] = "d" })
    test.equal(#list, 5)
    test.same(list[3], { "a", "2" })
    test.equal(targets.query "a=%", nil)
  end)
end)

describe("headers", function()
  it("ignore case and list repeated ones", function()
    local h = headers.new({ accept = "a, b", host = "h" }, { accept = { "a", "b" } })
    test.equal(h.Accept, "a, b")
    test.equal(h["HOST"], "h")
    test.equal(h.missing, nil)
    test.same(h:all "Accept", { "a", "b" })
    test.same(h:all "host", { "h" })
    test.same(h:all "missing", {})
    h["X-New"] = "1"
    test.equal(h["x-new"], "1")
    local names = {}
    for name in pairs(h) do names[#names + 1] = name end
    table.sort(names)
    test.same(names, { "accept", "host", "x-new" })
  end)

  it("keep their method, whatever comes", function()
    local h = headers.new({ all = "1, 2", host = "h" }, { all = { "1", "2" } })
    test.same(h:all "host", { "h" })
    test.same(h:all "all", { "1", "2" })
    test.same(headers.new({ all = "1" }):all "ALL", { "1" })
    test.equal(h["All"], "1, 2")
  end)
end)

describe("events", function()
  local format = response.format_event

  it("are written as the specification reads them", function()
    test.equal(format "a", "data: a\n\n")
    test.equal(format "", "data: \n\n")
    test.equal(format "a\nb\r\nc\rd\n", "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n")
    test.equal(format { event = "e", id = 1, retry = 5, data = "d" },
      "event: e\nid: 1\nretry: 5\ndata: d\n\n")
    test.equal(format { event = "message", data = "d" }, "data: d\n\n")
    test.equal(format { data = { a = 1 } }, 'data: {"a":1}\n\n')
    test.equal(format { comment = "x\ny" }, ": x\n: y\n\n")
  end)

  it("are read back the same", function()
    local event = { event = "x", id = "i", retry = 3, data = "a\n\n: b\ndata: c" }
    local server <close> = http.server {
      handler = function() return { events = luge.from { event, "d" } } end,
    }
    local got = {}
    for e in http.get(server.url, { stream = true }):events() do
      got[#got + 1] = e
    end
    test.same(got, { event, { event = "message", id = "i", data = "d" } })
  end)

  it("cannot be forged", function()
    for _, event in ipairs {
      { name = "a" }, { "a" }, { id = "a\nb" }, { id = "a\0" }, { event = "a\rb" },
      { retry = 1.5 }, { retry = -1 }, { retry = "1" }, 5, true,
    } do
      test.raises("invalid", function() format(event) end)
    end
  end)
end)
