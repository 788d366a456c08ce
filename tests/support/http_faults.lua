-- luge.http's client against the server of tests/unit/http_faults_test.c,
-- which runs these tests and breaks each rule of HTTP in turn.
local luge = require "luge"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local longer = dofile "tests/support/longer.lua"
local run = dofile "tests/support/command.lua"

local base = "http://127.0.0.1:" .. os.getenv "LUGE_FAULT_PORT"

-- The error that a GET raises, as it comes whole or as a stream that is read.
local function failure(path, options)
  local ok, err = pcall(http.get, base .. path, options)
  test.equal(ok, false, path)
  test.ok(luge.is_error(err), tostring(err))
  return err
end

local function stream_failure(path, options)
  options = options or {}
  options.stream = true
  local got = {}
  local ok, err = pcall(function()
    for piece in http.get(base .. path, options):chunks() do
      got[#got + 1] = piece
    end
  end)
  test.equal(ok, false, path)
  return err, table.concat(got)
end

local function is(err, kind, fields)
  test.equal(err.kind, kind, tostring(err))
  for name, value in pairs(fields or {}) do
    test.equal(err[name], value, tostring(err) .. ": " .. name)
  end
end

describe("a connection that breaks", function()
  it("before an answer is reset", function()
    for _, path in ipairs { "/rst", "/nothing", "/half-head" } do
      is(failure(path), "network", { code = "reset", retryable = true, url = base .. path })
    end
  end)

  it("within a body that was announced is truncated", function()
    is(failure "/short", "truncated", { partial = "ten bytes.", retryable = true, phase = "body" })
    is(failure "/chunked-cut", "truncated", { partial = "hello" })
    local err, got = stream_failure "/short"
    is(err, "truncated")
    test.equal(got, "ten bytes.")
    local response <close> = http.get(base .. "/short", { stream = true })
    is(test.raises("truncated", response.text, response), "truncated", { partial = "ten bytes." })
  end)

  it("ends a body that it delimits, bytes as they are", function()
    test.equal(http.get(base .. "/close-delimited").body, "all of \xff it")
  end)

  it("within a stream gives what came, then raises", function()
    local data = {}
    local ok, err = pcall(function()
      for event in http.get(base .. "/rst-sse", { stream = true }):events() do
        data[#data + 1] = event.data
      end
    end)
    test.equal(ok, false)
    is(err, "network", { code = "reset", phase = "body", retryable = true })
    test.same(data, { "one", "two" })
  end)

  it("within a model's answer gives what came, then raises, with the message so far", function()
    local model = require("luge.llm").model { base_url = base .. "/rst-model", model = "m" }
    local texts = {}
    local ok, err = pcall(function()
      for delta in model:stream "hi" do
        texts[#texts + 1] = delta.content
      end
    end)
    test.equal(ok, false)
    is(err, "network", { code = "reset", retryable = true })
    test.same(texts, { "hel", "lo" })
    test.equal(err.partial.content, "hello")
  end)

  it("cleanly within an event does not dispatch it", function()
    local data = {}
    for event in http.get(base .. "/fin-sse", { stream = true }):events() do
      data[#data + 1] = event.data
    end
    test.same(data, { "one", "two" })
  end)
end)

describe("an answer that is not HTTP", function()
  it("is a protocol error", function()
    for _, path in ipairs { "/not-http", "/chunked-bad", "/negative-length" } do
      is(failure(path), "network", { code = "protocol" })
    end
  end)

  it("is no event stream if it says so", function()
    local ok, err = pcall(http.events(base .. "/html").next, (http.events(base .. "/html")))
    test.equal(ok, false)
    is(err, "network", { code = "protocol", retryable = false })
    test.matches(err.body, "^<html>")
  end)

  it("may have interim heads, which are left out", function()
    local response = http.get(base .. "/interim")
    test.equal(response.body, "ok")
    test.equal(response.headers["x-early"], nil)
    test.equal(http.get(base .. "/interim-encoded").body, "ok")
  end)

  it("does not switch to another protocol by itself", function()
    is(failure("/switching", { timeout = 2 }), "network", { code = "protocol" })
  end)
end)

describe("limits", function()
  it("hold for heads", function()
    for _, path in ipairs { "/long-header", "/many-headers", "/many-interim", "/long-trailer" } do
      is(failure(path), "limit", { what = "head", retryable = false })
    end
  end)

  it("hold for bodies", function()
    is(failure("/endless", { max_body = 100000 }), "limit", { what = "body", limit = 100000 })
    is(stream_failure("/endless", { max_body = 100000 }), "limit", { what = "body" })
    is(failure("/short", { max_body = 50 }), "limit", { what = "body" })
  end)

  it("hold for decompressed bytes, and for the memory it takes", function()
    collectgarbage()
    is(failure("/bomb", { max_body = 1 << 20 }), "limit", { what = "body", limit = 1 << 20 })
    local err, got = stream_failure("/bomb", { max_body = 1 << 20 })
    is(err, "limit", { what = "body" })
    test.ok(#got <= 1 << 20)
  end)

  it("hold for lines and events", function()
    local ok, err = pcall(function()
      for _ in http.get(base .. "/long-line", { stream = true }):events() do
      end
    end)
    test.equal(ok, false)
    is(err, "limit", { what = "line", limit = 16 << 20 })
  end)
end)

describe("time limits", function()
  it("name the phase", function()
    for _, case in ipairs {
      { "/silent", "timeout", { phase = "headers", retryable = true } },
      { "/silent", "idle_timeout", { phase = "headers" } },
      { "/stall", "timeout", { phase = "body", partial = "x" } },
      { "/stall", "idle_timeout", { phase = "body" } },
      { "/slow-headers", "timeout", { phase = "headers" } },
    } do
      longer(0.1, function(seconds)
        case[3].seconds = seconds
        is(failure(case[1], { [case[2]] = seconds }), "timeout", case[3])
      end)
    end
  end)

  it("name the TLS handshake, and bound it", function()
    longer(0.1, function(seconds)
      local ok, err = pcall(http.get, (base:gsub("^http:", "https:")) .. "/silent",
        { connect_timeout = seconds })
      test.equal(ok, false)
      is(err, "timeout", { phase = "tls", seconds = seconds })
    end)
  end)

  it("do not count the body of a stream, but its waits", function()
    longer(0.1, function(seconds)
      local err, got = stream_failure("/stall",
        { timeout = seconds, idle_timeout = 2 * seconds })
      is(err, "timeout", { phase = "body", seconds = 2 * seconds })
      test.equal(got, "x")
    end)
  end)

  it("of a stream that nobody reads hold up no deadlock", function()
    local text, status = run(([[
      local stream <close> = require("luge.http").get(%q, { stream = true })
      stream:read()
      luge.future():await()
    ]]):format(base .. "/stall"))
    test.matches(text, "deadlock")
    test.equal(status, 1)
  end)

  it("from outside end a stream that drips", function()
    longer(0.2, function(seconds)
      local seen = 0
      test.raises("timeout", function()
        luge.timeout(seconds, function()
          for _ in http.get(base .. "/drip", { stream = true }):events() do
            seen = seen + 1
          end
        end)
      end)
      test.equal(seen, 2)
    end)
  end)
end)

describe("an encoded body", function()
  it("is decoded, all members of it", function()
    test.equal(http.get(base .. "/gzip").body, "hello, world")
    test.equal(http.get(base .. "/gzip", { stream = true }):text(), "hello, world")
    test.equal(http.get(base .. "/gzip-empty").body, "")
  end)

  it("is not expected where there is none", function()
    local client <close> = http.client {} -- this server sends one all the same
    test.equal(client:head(base .. "/gzip").body, "")
  end)

  it("that is cut is truncated", function()
    is(failure "/gzip-cut", "truncated", { partial = "hello" })
    local err, got = stream_failure "/gzip-cut"
    is(err, "truncated")
    test.equal(got, "hello")
  end)

  it("that is something else is a protocol error", function()
    is(failure "/gzip-corrupt", "network", { code = "protocol" })
    is(failure "/many-encodings", "network", { code = "protocol" })
    is(stream_failure "/gzip-corrupt", "network", { code = "protocol" })
  end)

  it("is left alone if the script asked for encodings itself", function()
    local response = http.get(base .. "/gzip", { headers = { ["Accept-Encoding"] = "gzip" } })
    test.equal(response.body:sub(1, 2), "\x1f\x8b")
  end)
end)

describe("redirects", function()
  it("to other schemes are refused", function()
    is(failure "/to-ftp", "invalid")
    is(failure "/to-file", "invalid")
  end)
end)

describe("a kept connection", function()
  it("that dies is replaced for what may be sent twice", function()
    local client <close> = http.client {}
    test.equal(client:get(base .. "/mortal").body, "ok")
    test.equal(client:get(base .. "/mortal").body, "ok")
    test.equal(client:get(base .. "/mortal").body, "ok")
  end)

  it("that dies is not for a POST", function()
    local client <close> = http.client {}
    test.equal(client:post(base .. "/mortal", { body = "" }).body, "ok")
    local ok, err = pcall(client.post, client, base .. "/mortal", { body = "" })
    test.equal(ok, false)
    is(err, "network", { code = "reset", retryable = true })
  end)

  it("that was closed while idle is replaced for both", function()
    local client <close> = http.client {}
    for _ = 1, 3 do
      test.equal(client:post(base .. "/fickle", { body = "" }).body, "ok")
      luge.sleep(0.02)
    end
  end)
end)

describe("a request", function()
  it("keeps an answer that comes before its body has gone", function()
    local response = http.post(base .. "/early", { body = ("x"):rep(8 << 20) })
    test.equal(response.status, 413)
    test.equal(response.body, "too much")
    local closed = luge.event()
    response = http.post(base .. "/early", { body = luge.stream(function(emit)
      local _ <close> = setmetatable({}, { __close = function() closed:set() end })
      while true do emit(("x"):rep(100000)) end
    end) })
    test.equal(response.status, 413)
    closed:wait()
  end)

  it("is sent as it was asked for", function()
    local headers = { ["X-A"] = "b", Accept = false }
    local head = http.get(base .. "/mirror?a=1", { headers = headers }).body
    test.matches(head, "^GET /mirror%?a=1 HTTP/1.1\r\nHost: 127.0.0.1:%d+\r\n")
    test.matches(head, "\r\nX%-A: b\r\n")
    test.equal(head:find "Accept:", nil)
    head = http.get(base .. "/mirror", { http_version = "1.0" }).body
    test.matches(head, "HTTP/1.0\r\n")
  end)
end)

describe("a proxy", function()
  it("is asked for the whole URL, and knows the name", function()
    local response = http.get("http://a-name.invalid/x?y", { proxy = base })
    test.matches(response.body, "^GET http://a%-name.invalid/x%?y HTTP/1.1\r\n")
  end)

  it("that refuses is told", function()
    local ok, err = pcall(http.get, "https://a-name.invalid/", { proxy = base })
    test.equal(ok, false)
    is(err, "network", { code = "proxy", phase = "proxy", url = "https://a-name.invalid/" })
    ok, err = pcall(http.get, "http://denied.invalid/", { proxy = base })
    test.equal(ok, false)
    is(err, "network", { code = "proxy", phase = "proxy", url = "http://denied.invalid/" })
    ok, err = pcall(http.get, "http://a-name.invalid/", { proxy = "http://127.0.0.1:1" })
    test.equal(ok, false)
    is(err, "network", { phase = "connect" })
  end)
end)

describe("a thousand broken connections", function()
  it("leave nothing behind", function()
    luge.map(luge.from(coroutine.wrap(function()
      for i = 1, 1000 do
        coroutine.yield(i)
      end
    end)), function(i)
      local path = i % 3 == 0 and "/rst" or i % 3 == 1 and "/short" or "/close-delimited"
      pcall(http.get, base .. path)
    end, { concurrency = 20 })
  end, { timeout = 20 })
end)
