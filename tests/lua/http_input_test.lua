-- What scripts give the client: URLs, headers and options as they should not
-- be, clients that are used when and where one would not expect it.
local luge = require "luge"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local url, port

test.before(function()
  local server = test.server(function(req)
    if req.path == "/set" then
      return { headers = { ["Set-Cookie"] = "kept=1" } }
    elseif req.path == "/slow" then
      luge.sleep(3600)
    elseif req.path == "/stream" then
      return { stream = function(emit)
        while true do emit(("x"):rep(10000)) end
      end }
    end
    return { json = {
      target = req.target, cookies = req.headers:all "cookie", host = req.headers.host,
      body = req:text(),
    } }
  end)
  url, port = server.url, server.port
end)

describe("a URL", function()
  it("that is none is refused before anything is sent", function()
    for _, wrong in ipairs {
      "", " ", "/", "x", "http", "http:", "http:/", "http://", "http:///", "http:///x", "://h/",
      "//127.0.0.1/", "http:127.0.0.1", "http:/127.0.0.1/", " http://127.0.0.1/", "http://?x",
      "http://#x", "http://:80/", "http://user@/", "http://user@:80/", "http://[::1/",
      "http://[1]/", "http://%00/", "http://127.0.0.1%2f/", "http://*/", "http://a b/",
      "http://h:x/", "http://h:-1/",
      "http://h:65536/", "http://h:99999999999999999999/", "http://h\\x/", "http://127.0.0.1:1\\x",
      "http://h/\0", "http://h/\r\nX: y", "http://h/\n", "http://h/\127", "http://h/\1",
      "ht tp://h/", "ftp://h/", "file:///etc/passwd", "gopher://h/", "data:,x", "javascript:1",
      "ws://h/", "mailto:a@b", "http://\xff\xfe/", "http://" .. ("a."):rep(40000) .. "b c/",
    } do
      local err = test.raises("invalid", http.get, wrong)
      test.equal(err.retryable, false, wrong)
    end
    for _, wrong in ipairs { 1, true, {}, print } do
      test.raises("invalid", http.get, wrong)
    end
    test.raises("invalid", http.get)
    test.raises("invalid", http.request)
    test.raises("invalid", http.request, {})
  end)

  it("is sent as it is meant", function()
    local function target(path) return http.get(url .. path):json().target end
    test.equal(target "", "/")
    test.equal(target "?q", "/?q")
    test.equal(target "/a/../b/./c", "/b/c")
    test.equal(target "/a b", "/a%20b")
    test.equal(target "/\u{e4}", "/%c3%a4")
    test.equal(target "/a#b?c", "/a")
    test.equal(target "/%2e%41", "/%2e%41")
    test.equal(target("/" .. ("a"):rep(100000)), "/" .. ("a"):rep(100000))
    test.equal(http.get((url:gsub("http", "HTTP"))).status, 200)
    test.equal(http.get(("http://someone:secret@127.0.0.1:%d/"):format(port)).status, 200)
  end)

  it("is appended to the base, and leaves it only when it is absolute", function()
    local client <close> = http.client { base_url = url .. "/a/" }
    for given, wanted in pairs {
      items = "/a/items", ["/items"] = "/a/items", [""] = "/a/", ["?x=1"] = "/a/?x=1",
      ["//elsewhere/x"] = "/a//elsewhere/x", ["a:b"] = "/a/a:b", [url .. "/other"] = "/other",
    } do
      local got = client:get(given):json()
      test.equal(got.target, wanted)
      test.equal(got.host, "127.0.0.1:" .. port)
    end
    for _, base in ipairs {
      "http://h/?k=v", "http://h/#x", "", 1, "nonsense", "http://", "ftp://h",
    } do
      test.raises("invalid", http.client, { base_url = base })
    end
  end)
end)

describe("a host", function()
  it("is written in ASCII", function()
    for _, wrong in ipairs { "http://b\u{fc}cher.example/", "https://u@\u{65e5}.example:1?x" } do
      test.matches(test.raises("invalid", http.get, wrong).message, "xn%-%-")
    end
    local err = test.raises("network", http.get, "http://\u{fc}:\u{fc}@127.0.0.1:1/\u{fc}")
    test.equal(err.code, "connect")
  end)
end)

describe("headers", function()
  it("that would end a line, or are none, are refused", function()
    for name, value in pairs {
      a = "x\r\nb: y", b = "x\n", c = "x\r", d = "x\0", ["a b"] = "x", ["a:"] = "x", [""] = "x",
      ["a\r\n"] = "x", ["\xe4"] = "x", e = true, f = { "x", {} }, g = { "x\n" }, h = print,
      ["Content-Length"] = "1", ["TRANSFER-ENCODING"] = "chunked", [1] = "x",
    } do
      test.raises("invalid", http.get, url, { headers = { [name] = value } })
      test.raises("invalid", function()
        local client <close> = http.client { headers = { [name] = value } }
        client:get(url)
      end)
    end
    test.equal(http.get(url).status, 200)
  end)

  it("have one line of cookies, those kept and those given", function()
    local client <close> = http.client {}
    client:get(url .. "/set")
    test.same(client:get(url, { headers = { cookie = "mine=2" } }):json().cookies,
      { "kept=1; mine=2" })
    test.same(client:get(url):json().cookies, { "kept=1" })
    test.same(http.get(url, { headers = { Cookie = "a=1; b=2" } }):json().cookies, { "a=1; b=2" })
    test.same(http.get(url):json().cookies, {})
  end)
end)

describe("a query", function()
  local function target(query)
    return http.get(url, { query = query }):json().target
  end

  it("that would lose something is refused", function()
    for _, query in ipairs {
      { a = { b = 1 } }, { a = { 1, nil, 3 } }, { a = 1, { "b", 2 } }, { { "a", 1 }, "b" },
      { { nil, 1 } }, { { "a" } }, { a = print },
    } do
      test.raises("invalid", http.get, url, { query = query })
      test.raises("invalid", http.post, url, { form = query })
    end
  end)

  it("has lists, and text as it is", function()
    test.equal(target { a = {}, b = { 1, true, "x y" } }, "/?b=1&b=true&b=x%20y")
    test.equal(target { { "b", 1 }, { "a", { 2, 3 } } }, "/?b=1&a=2&a=3")
    test.equal(target "tag=#1&x=2", "/?tag=%231&x=2")
  end)
end)

describe("what is refused", function()
  it("is named, and shows no secret", function()
    local function message(options)
      return test.raises("invalid", http.get, url, options).message
    end
    for _, options in ipairs {
      { auth = "hidden" }, { headers = "Authorization: hidden" },
      { headers = { ["Authorization: hidden"] = "" } },
    } do
      test.equal(message(options):find("hidden", 1, true), nil)
    end
    test.matches(message { headers = { ["Auth: x"] = "" } }, '"Auth%.%.%."')
    local err = test.raises("invalid", http.request, { url = url, method = "G T" })
    test.matches(err.message, '"G T"')
    test.equal(test.raises("invalid", http.client, { base_url = "http://u:hidden@h/?x" }).message
      :find("hidden", 1, true), nil)
    test.matches(message { unix_socket = "/" .. ("x"):rep(200) }, "too long")
  end)
end)

describe("a header", function()
  it("of white space is sent", function()
    local server <close> = require("luge.net").serve { handler = function(conn)
      local head = conn:read_until "\r\n\r\n"
      conn:write("HTTP/1.1 200 OK\r\nContent-Length: ", #head, "\r\n\r\n", head)
    end }
    local response = http.get("http://127.0.0.1:" .. server.port, {
      headers = { ["X-A"] = " \t" },
    })
    test.matches(response.body, "\r\nX%-A:%s*\r\n")
  end)
end)

describe("auth", function()
  it("that would end a line, or hide a colon, is refused", function()
    for _, auth in ipairs {
      { bearer = "t\r\nX: y" }, { bearer = "t\n" }, { bearer = "t\0" }, { bearer = 1 },
      { "u:x", "p" }, { "u" }, { user = "u", password = "p" }, {}, "u:p",
    } do
      test.raises("invalid", http.get, url, { auth = auth })
      test.raises("invalid", http.client, { auth = auth })
    end
    test.equal(http.get(url, { auth = { "u\n", "p:q" } }).status, 200)
  end)
end)

describe("a multipart form", function()
  it("with something unknown in a field is refused", function()
    test.matches(test.raises("invalid", http.post, url, {
      multipart = { a = { data = "x", content_type = "y" } },
    }).message, "content_type")
  end)
end)

describe("a body", function()
  it("of unknown length is not for HTTP/1.0", function()
    local pieces = { "a", "b" }
    test.raises("invalid", http.post, url, {
      http_version = "1.0", body = function() return table.remove(pieces) end,
    })
    test.equal(http.post(url, { http_version = "1.0", body = "ab" }):json().body, "ab")
  end)

  it("that is no string is refused, and the source is closed", function()
    for _, wrong in ipairs { 1, true, {}, { "list" }, { a = 1 } } do
      test.raises("invalid", http.post, url, { body = wrong })
    end
    local closed = 0
    for _, piece in ipairs { 1, {}, true } do
      test.raises("invalid", http.post, url, { body = luge.stream(function(emit)
        local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
        emit(piece)
      end) })
    end
    test.equal(closed, 3)
  end)
end)

describe("a client", function()
  it("may be used by many tasks, and from a coroutine that is dropped", function()
    local client = http.client {}
    luge.map({ 1, 2, 3, 4, 5 }, function()
      test.equal(client:get(url).status, 200)
    end)
    local response
    do
      local co = coroutine.wrap(function()
        response = client:get(url .. "/stream", { stream = true })
        coroutine.yield(response:read())
      end)
      test.ok(co())
    end
    collectgarbage()
    collectgarbage()
    test.ok(response:read())
    response:close()
    client:close()
  end)

  it("that is closed ends what others wait for, at once", function()
    local client = http.client {}
    local tasks = {}
    for i = 1, 20 do
      tasks[i] = luge.spawn(function()
        if i % 2 == 0 then return client:get(url .. "/slow") end
        local response = client:get(url .. "/stream", { stream = true })
        for _ in response:chunks() do luge.sleep(0.001) end
      end)
    end
    luge.sleep(0.03)
    client:close()
    for _, task in ipairs(tasks) do
      test.raises("closed", luge.await, task)
    end
    test.raises("closed", client.get, client, url)
    client:close()
  end)

  it("and a response cannot be used where nothing may wait", function()
    local client <close> = http.client {}
    local response <close> = client:get(url .. "/stream", { stream = true })
    local failures = {}
    setmetatable({}, { __gc = function()
      for i, fn in ipairs {
        function() client:get(url) end, function() response:read() end,
        function() response:close() end, function() client:close() end,
      } do
        local ok, err = pcall(fn)
        failures[i] = ok and "fine" or luge.is_error(err) and err.kind or tostring(err)
      end
    end })
    collectgarbage()
    collectgarbage()
    test.same(failures, { "invalid", "invalid", "fine", "fine" })
    test.raises("closed", response.read, response)
    test.raises("invalid", function() table.sort({ 1, 2 }, function() http.get(url) end) end)
  end)

  it("is collected though it is part of itself", function()
    local weak = setmetatable({}, { __mode = "v" })
    do
      local client = http.client {}
      local response = client:get(url .. "/stream", { stream = true })
      rawset(client, "response", response)
      rawset(client, "again", client)
      weak[1], weak[2] = client, response
    end
    collectgarbage()
    collectgarbage()
    test.equal(weak[1], nil)
    test.equal(weak[2], nil)
  end)

  it("is not taken for another object", function()
    local client <close> = http.client {}
    local response <close> = client:get(url .. "/stream", { stream = true })
    for _, wrong in ipairs { {}, 1, io.stdout, response } do
      test.ok(not pcall(client.get, wrong, url))
      test.ok(not pcall(client.close, wrong) or wrong == response)
    end
    local gc = debug.getmetatable(rawget(client, "native")).__gc
    gc(rawget(client, "native"))
    gc(rawget(client, "native"))
    test.raises("closed", client.get, client, url)
  end)

  it("lasts through a thousand connections, one after another", function()
    for _ = 1, 10 do
      local client <close> = http.client { headers = { Connection = "close" } }
      luge.map(luge.from(coroutine.wrap(function()
        for i = 1, 100 do coroutine.yield(i) end
      end)), function() test.equal(client:get(url).reused, false) end, { concurrency = 10 })
    end
  end, { timeout = 20 })
end)
