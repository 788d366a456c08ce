-- The client against peers that do what is allowed and seldom seen: each test
-- writes the bytes of its own server, or proxy.
local luge = require "luge"
local http = require "luge.http"
local net = require "luge.net"
local test = require "luge.test"
local describe, it = test.describe, test.it

-- A server that calls `serve(socket, number)` for each connection, and then
-- reads until that ends. Returns "127.0.0.1:PORT".
local function peer(serve)
  local listener = net.listen { host = "127.0.0.1" }
  luge.spawn(function()
    local count = 0
    local _ <close> = listener
    while true do
      local socket = listener:accept()
      count = count + 1
      luge.spawn(pcall, function(number)
        local _ <close> = socket
        serve(socket, number)
        while socket:read() do end
      end, count)
    end
  end)
  return "127.0.0.1:" .. listener.port
end

-- Runs a test whose peers end with it.
local function case(name, fn, options)
  it(name, function()
    luge.scope(function(scope)
      fn()
      scope:cancel()
    end)
  end, options)
end

-- Reads a request's head, and returns it.
local function head(socket)
  local text = ""
  repeat
    local piece = socket:read()
    text = text .. (piece or "")
  until not piece or text:find("\r\n\r\n", 1, true)
  return text
end

-- A server that gives the answers to one request after another.
local function answers(...)
  local list, next_one = { ... }, 0
  return "http://" .. peer(function(socket)
    while head(socket) ~= "" do
      next_one = next_one + 1
      socket:write(list[(next_one - 1) % #list + 1])
    end
  end) .. "/"
end

local OK <const> = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

describe("a proxy that is silent", function()
  local function phase(proxy, url)
    local err = test.raises("timeout", http.get, url or "https://peer.test/",
      { proxy = proxy, connect_timeout = 0.1 })
    return err.phase
  end

  case("before it connects, holds up the connection, not TLS", function()
    local silent = peer(function() end)
    for _, scheme in ipairs { "http://", "https://", "socks5h://" } do
      test.equal(phase(scheme .. silent), "connect", scheme)
    end
    test.equal(phase("http://" .. peer(function(s) s:read() s:write "HTTP/1.1 200 Co" end)),
      "connect")
    test.equal(phase("socks5h://" .. peer(function(s) s:read() s:write "\5\0" end)), "connect")
    test.equal(phase("socks5h://" .. silent, "http://peer.test/"), "connect")
  end)

  case("after it has, holds up TLS", function()
    test.equal(phase("http://" .. peer(function(s) head(s) s:write "HTTP/1.1 200 Yes\r\n\r\n" end)),
      "tls")
    test.equal(phase("socks5h://" .. peer(function(s)
      s:read()
      s:write "\5\0"
      s:read()
      s:write "\5\0\0\1\0\0\0\0\0\0"
    end)), "tls")
  end)
end)

-- libcurl (7.88) sends the request again, with the same header, and drops the
-- body of this answer.
describe("a 417 to a script's own Expect", function()
  local REFUSAL <const> = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"

  local function refused(method, more)
    local url = answers(OK, REFUSAL, OK)
    local client <close> = http.client {}
    for _, stream in ipairs { false, true } do
      test.equal(client:get(url).body, "ok")
      local options = { body = ("x"):rep(100), headers = { Expect = "100-continue" } }
      for name, value in pairs(more or {}) do options[name] = value end
      options.stream = stream
      test.equal(client[method](client, url, options).status, 417, method)
      test.equal(client:get(url).body, "ok")
    end
  end

  case("is the answer, on a kept connection too", function()
    refused "post"
    refused "put"
    refused("put", { redirects = 3 })
  end)
end)

describe("a head", function()
  local function malformed(answer)
    local err = test.raises("network", http.get, answers(answer))
    test.equal(err.code, "protocol", tostring(err))
    test.equal(err.message:find("libcurl", 1, true), nil)
  end

  case("may have blanks before the status", function()
    test.equal(http.get(answers "HTTP/1.1  299 OK\r\nContent-Length: 2\r\n\r\nok").status, 299)
  end)

  -- libcurl before 8.1 wrote to a header of the answer before it.
  case("whose first line is a continuation is malformed", function()
    local client <close> = http.client {}
    for i = 1, 20 do
      local url = answers(OK, "HTTP/1.1 200 OK\r\n X: " .. ("x"):rep(i * 10) .. "\r\n\r\n")
      test.equal(client:get(url).body, "ok")
      test.raises("network", client.get, client, url)
    end
  end)

  case("that is malformed is told as such", function()
    for _, status in ipairs { "000", "099", "20", "1000", "2x0" } do
      malformed("HTTP/1.1 " .. status .. " No\r\nContent-Length: 0\r\n\r\n")
    end
    malformed "HTTP/1.1 200 OK\r\nNoColon\r\nContent-Length: 0\r\n\r\n"
    malformed "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"
    malformed "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nNoColon\r\n\r\n"
  end)
end)

describe("an answer", function()
  case("may come after many interim ones, whose headers are not its own", function()
    local response = http.get(answers("HTTP/1.1 102 Processing\r\n\r\n"
      .. "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Encoding: gzip\r\n"
      .. "Content-Length: 9\r\n\r\n" .. OK))
    test.equal(response.body, "ok")
    test.equal(response.headers.link, nil)
    test.equal(response.headers["content-encoding"], nil)
  end)

  -- What follows a complete answer is nobody's.
  case("is not what a server sends before it is asked", function()
    local forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    for _, first in ipairs { OK, "HTTP/1.1 204 No\r\nContent-Length: 45\r\n\r\n",
      "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n" } do
      local client <close> = http.client {}
      local url = answers(first .. forged, OK)
      test.ok(client:get(url).body ~= "forged")
      test.equal(client:get(url).body, "ok")
    end
  end)

  case("leads where its Location says, as RFC 3986 reads it", function()
    for location, path in pairs {
      ["/c d"] = "/c%20d", ["/\u{fc}"] = "/%c3%bc", c = "/a/c", ["../../c"] = "/c", ["."] = "/a/",
      ["?q"] = "/a/b?q", ["#g"] = "/a/b?x#g", [" /s "] = "/s", [";p"] = "/a/;p",
      ["//HERE/x"] = "/x",
    } do
      local here, count = nil, 0
      here = peer(function(socket)
        while head(socket) ~= "" do
          count = count + 1
          socket:write(count > 1 and OK or "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
            .. location:gsub("HERE", here) .. "\r\n\r\n")
        end
      end)
      test.equal(http.get("http://" .. here .. "/a/b?x").url, "http://" .. here .. path, location)
      test.equal(count, 2)
    end
  end)

  case("may say in several ways when to come again", function()
    for value, seconds in pairs { ["5"] = 5, ["1.5"] = 1.5, ["-5"] = 0, [" 7 "] = 7,
      ["Wed, 21 Oct 2015 07:28:00 GMT"] = 0, ["Wednesday, 21-Oct-15 07:28:00 GMT"] = 0,
      ["abc"] = false, ["1e3"] = false, ["5, 6"] = false, ["inf"] = false } do
      local response = http.get(answers("HTTP/1.1 429 No\r\nContent-Length: 0\r\nRetry-After: "
        .. value .. "\r\n\r\n"))
      local err = test.raises("http", response.raise_for_status, response)
      test.equal(err.retry_after or false, seconds, value)
    end
  end)
end)

describe("cookies that a script gives", function()
  local sent
  local function keeper()
    return "http://" .. peer(function(socket)
      repeat
        local text = head(socket)
        sent = {}
        for value in text:gmatch "\n[Cc]ookie:%s*([^\r]*)" do sent[#sent + 1] = value end
        socket:write "HTTP/1.1 200 OK\r\nSet-Cookie: kept=1\r\nContent-Length: 0\r\n\r\n"
      until text == ""
    end)
  end

  case("in a list go into one line with those that are kept", function()
    local client <close> = http.client {}
    local url = keeper()
    client:get(url, { headers = { Cookie = { "p=1", "q=2" } } })
    test.same(sent, { "p=1; q=2" })
    client:get(url, { headers = { cookie = { "p=1", "q=2", "r=3" } } })
    test.same(sent, { "kept=1; p=1; q=2; r=3" })
    client:get(url)
    test.same(sent, { "kept=1" })
  end)

  case("as false keep back those that are kept", function()
    local client <close> = http.client {}
    local url = keeper()
    client:get(url)
    client:get(url, { headers = { Cookie = false } })
    test.same(sent, {})
    client:get(url)
    test.same(sent, { "kept=1" })
  end)
end)

describe("a multipart form", function()
  case("has names of any text but NUL", function()
    local sent = ""
    local url = "http://" .. peer(function(socket)
      repeat
        local piece = socket:read()
        sent = sent .. (piece or "")
      until not piece or sent:find("--\r\n", 1, true)
      socket:write(OK)
    end)
    test.raises("invalid", http.post, url, { multipart = { { name = "a\0b", data = "x" } } })
    test.equal(sent, "")
    http.post(url, { multipart = { { name = 'q"u\\o\r\nte', data = "1" },
      { name = "\u{fc}", data = "2", filename = 'f"\u{e9}' } } })
    test.ok(sent:find('form-data; name="q%22u\\o%0D%0Ate"\r\n\r\n1\r\n', 1, true), sent)
    test.ok(sent:find('form-data; name="\u{fc}"; filename="f%22\u{e9}"\r\n', 1, true), sent)
  end)
end)

describe("a method called with a dot", function()
  local function refused(words, fn, ...)
    local message = test.raises("invalid", fn, ...).message
    test.ok(message:find(words, 1, true), message)
  end

  case("is told so", function()
    local url = answers(OK)
    local whole = http.get(url)
    local streamed <close> = http.get(url, { stream = true })
    for _, name in ipairs { "read", "chunks", "lines", "events", "event_data", "text", "json", "ok",
      "raise_for_status", "close" } do
      local words = name .. ": called on nil: write response:" .. name .. "(...)"
      refused(words, whole[name])
      refused(words, streamed[name])
    end
    local reader = streamed:lines()
    for _, name in ipairs { "next", "close", "retry" } do
      refused(("write reader:%s(...), with a colon"):format(name), reader[name])
    end
    refused("write reader:map(...), with a colon", reader.map, print)
    local client <close> = http.client {}
    for _, name in ipairs { "get", "post", "request", "download", "events", "close" } do
      refused(name .. ": called on a string: write client:" .. name, client[name], url)
    end
    refused("get: called on nil", client.get)
    local server <close> = http.server {}
    refused("route: called on a string: write server:route", server.route, "GET", "/", print)
    refused("close: called on nil: write server:close", server.close)
  end)
end)
