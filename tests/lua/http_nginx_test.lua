-- The client against nginx: HTTP/2 over TLS, connections that are kept and
-- closed, client certificates, ranges, and answers that come early.
local luge = require "luge"
local fs = require "luge.fs"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local certificates = dofile "tests/support/certificates.lua"
local servers = dofile "tests/support/servers.lua"

local missing = servers.missing "nginx" or certificates.missing()

-- Of the file `big`, which is longer than all buffers between.
local BIG <const> = 8 << 20

local CONFIGURATION <const> = [[
  keepalive_requests 100000;
  server {
    listen 127.0.0.1:PORT ssl http2;
    listen unix:DIR/plain.sock;
    ssl_client_certificate authority.pem;
    ssl_verify_client optional;
    root html;
    location = /connection { default_type text/plain; return 200 "$connection"; }
    location = /client { default_type text/plain; return 200 "$ssl_client_verify"; }
    location = /refuse { return 413; }
    location = /slow { limit_rate 100k; try_files /big =404; }
  }
  server { # GOAWAY with every eighth request
    listen 127.0.0.1:OTHER ssl http2;
    keepalive_requests 8;
    location = /connection { default_type text/plain; return 200 "$connection"; }
  }
  server { # closes after its second request
    listen unix:DIR/mortal.sock;
    keepalive_requests 2;
    root html;
    location = /connection { default_type text/plain; return 200 "$connection"; }
  }
  server {
    listen unix:DIR/h2c.sock http2;
    location = /connection { default_type text/plain; return 200 "$connection"; }
  }
]]

local dir, nginx, base, options

local function numbers(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

test.before(function()
  if missing then return end
  dir = fs.temp { directory = true }
  certificates.make(dir.path)
  fs.mkdir(dir.path .. "/html")
  fs.write(dir.path .. "/html/big", ("0123456789abcdef"):rep(BIG // 16), { sync = false })
  fs.write(dir.path .. "/html/other", ("fedcba9876543210"):rep(BIG // 16), { sync = false })
  fs.write(dir.path .. "/html/empty", "", { sync = false })
  nginx = servers.nginx(dir.path, CONFIGURATION)
  base = "https://localhost:" .. nginx.port
  options = { ca = dir.path .. "/authority.pem", base_url = base }
end)

test.after(function()
  if nginx then nginx.close() end
  if dir then dir:close() end
end)

local function with_client(name, fn, more, limits)
  it(name, function()
    local settings = {}
    for key, value in pairs(options) do settings[key] = value end
    for key, value in pairs(more or {}) do
      settings[key] = type(value) == "function" and value() or value
    end
    local client <close> = http.client(settings)
    fn(client)
  end, { skip = missing, timeout = limits and limits.timeout or 10 })
end

describe("HTTP/2 over TLS", function()
  with_client("is what both agree on", function(client)
    local response = client:get "connection"
    test.equal(response.http_version, "2")
    test.equal(response.reused, false)
    test.ok(response.timings.tls > 0)
    test.equal(client:get("connection", { http_version = "1.1" }).http_version, "1.1")
  end)

  with_client("has many requests on one connection", function(client)
    local seen = {}
    luge.map(numbers(80), function()
      seen[client:get("connection").body] = true
    end, { concurrency = 80 })
    local name = next(seen)
    test.equal(next(seen, name), nil)
  end)

  with_client("has requests wait for a stream of the one connection", function(client)
    local seen = {}
    luge.map(numbers(300), function()
      seen[client:get("connection").body] = true
    end, { concurrency = 300 })
    local name = next(seen)
    test.equal(next(seen, name), nil)
  end, { max_per_host = 1 })

  with_client("keeps its connection, whatever the server says in between", function(client)
    local first = client:get("connection").body
    for i = 1, 5 do
      local response = client:post("connection", { body = ("x"):rep(i * 20000) })
      test.equal(response.status, 200)
      test.equal(response.body, first)
      luge.sleep(0.005)
    end
  end)

  with_client("goes on while one of its streams is not read", function(client)
    local stalled <close> = client:get("big", { stream = true })
    local got = #stalled:read()
    for _ = 1, 3 do
      test.equal(client:get("connection").status, 200)
    end
    luge.map(numbers(8), function() test.equal(#client:get("big").body, BIG) end)
    test.equal(got + #stalled:text(), BIG)
  end)

  local function leave_streams(client)
    for _ = 1, 5 do
      local response = client:get("big", { stream = true })
      response:read()
      response:close()
    end
    local task = luge.spawn(client.get, client, "slow")
    luge.sleep(0.01)
    task:cancel()
    pcall(luge.await, task)
  end

  with_client("has nothing of a stream that was left in another answer", function(client)
    local open <close> = client:get("big", { stream = true })
    local function is_whole(path, piece)
      local response, got = client:get(path, { stream = true }), {}
      for text in response:chunks() do
        got[#got + 1] = text
        luge.sleep(0) -- so that it is paused at times
      end
      test.ok(table.concat(got) == piece:rep(BIG // 16))
    end
    for _ = 1, 3 do
      local left = client:get("big", { stream = true })
      for _ = 1, 3 do
        left:read()
        luge.sleep(0.002)
      end
      left:close()
      is_whole("other", "fedcba9876543210")
    end
    open:close()
    is_whole("big", "0123456789abcdef")
  end)

  with_client("keeps its connection when streams are left", function(client)
    local first = client:get("connection").body
    local other <close> = client:get("big", { stream = true })
    leave_streams(client)
    test.equal(client:get("connection").body, first)
    test.equal(#other:text(), BIG)
  end)

  -- Where no stream is left libcurl before 8.2 takes the connection for dead, and
  -- opens another, if what comes last is no whole record of TLS: curl/curl#11368.
  with_client("goes on after all of its streams were left", function(client)
    leave_streams(client)
    test.equal(client:get("connection").status, 200)
  end)

  with_client("keeps an answer that comes before the request's body has gone", function(client)
    local body = ("x"):rep(900000)
    for _ = 1, 3 do
      test.equal(client:post("refuse", { body = body }).status, 413)
      test.equal(client:post("connection", { body = body }).status, 200)
      test.equal(client:post("refuse", { body = luge.stream(function(emit)
        for _ = 1, 100 do emit(body) end
      end) }).status, 413)
    end
    test.equal(client:post("big", { body = ("x"):rep(2 << 20) }).status, 413)
  end)

  with_client("is told to go elsewhere, and does", function(client)
    local seen, reused = {}, 0
    luge.map(numbers(60), function()
      local response = client:get(("https://localhost:%d/connection"):format(nginx.other))
      test.equal(response.http_version, "2")
      seen[response.body] = (seen[response.body] or 0) + 1
      reused = reused + (response.reused and 1 or 0)
    end, { concurrency = 6 })
    for _, count in pairs(seen) do test.ok(count <= 8) end
    test.ok(reused > 30)
  end)

  with_client("may be known beforehand, without TLS", function(client)
    for _ = 1, 3 do
      test.equal(client:get("connection").http_version, "2")
    end
    luge.map(numbers(20), function() test.equal(client:get("connection").status, 200) end)
  end, {
    base_url = "http://localhost", http_version = "h2c",
    unix_socket = function() return dir.path .. "/h2c.sock" end,
  })
end)

describe("HTTP/1.1", function()
  with_client("keeps connections, and does without those that end", function(client)
    local seen, reused = {}, 0
    for _ = 1, 10 do
      local response = client:get "connection"
      seen[response.body] = true
      reused = reused + (response.reused and 1 or 0)
      test.equal(client:post("connection", { body = "x" }).status, 200)
    end
    local count = 0
    for _ in pairs(seen) do count = count + 1 end
    test.equal(count, 10)
    test.equal(reused, 0)
  end, {
    base_url = "http://localhost",
    unix_socket = function() return dir.path .. "/mortal.sock" end,
  })

  with_client("over a UNIX socket", function(client)
    test.equal(client:get("connection").http_version, "1.1")
    test.equal(client:get("connection").reused, true)
    test.equal(#client:get("big").body, BIG)
    test.equal(client:get("empty").body, "")
    test.equal(client:head("big").headers["content-length"], tostring(BIG))
    test.equal(client:post("refuse", { body = ("x"):rep(8 << 20) }).status, 413)
  end, {
    base_url = "http://localhost",
    unix_socket = function() return dir.path .. "/plain.sock" end,
  })
end)

describe("a client's certificate", function()
  local function verified(more)
    local client <close> = http.client(more)
    local response = client:get(base .. "/client")
    return response.status == 200 and response.body or response.status
  end

  it("is shown, and only where it is given", function()
    local ca, name = dir.path .. "/authority.pem", dir.path .. "/client"
    test.equal(verified { ca = ca }, "NONE")
    test.equal(verified { ca = ca, cert = name .. ".pem", key = name .. ".key" }, "SUCCESS")
    test.equal(verified { ca = ca }, "NONE")
    test.equal(verified { ca = ca, cert = fs.read(name .. ".pem"), key = fs.read(name .. ".key") },
      "SUCCESS")
    test.equal(verified { ca = ca, cert = dir.path .. "/alone.pem",
      key = dir.path .. "/alone.key" }, 400)
    local err = test.raises("network", verified,
      { ca = ca, cert = name .. ".pem", key = dir.path .. "/alone.key" })
    test.equal(err.code, "tls")
    test.equal(err.retryable, false)
  end, { skip = missing })
end)

describe("ranges", function()
  with_client("are parts of a file", function(client)
    local response = client:get("big", { headers = { Range = "bytes=16-31" } })
    test.equal(response.status, 206)
    test.equal(response.body, "0123456789abcdef")
    test.equal(client:get("big", { headers = { Range = "bytes=99999999-" } }).status, 416)
  end)

  -- A server before nginx, which lets through so many bytes of each answer.
  with_client("are what a download goes on with", function(client)
    local asked = {}
    local relay = test.server(function(req)
      asked[#asked + 1] = req.headers.range or "all"
      local response = client:get("big", {
        stream = true,
        headers = { Range = req.headers.range, ["If-Range"] = req.headers["if-range"] },
      })
      return {
        status = response.status,
        headers = { ETag = response.headers.etag,
          ["Content-Range"] = response.headers["content-range"] },
        stream = function(emit)
          local sent = 0
          for piece in response:chunks() do
            emit(piece)
            sent = sent + #piece
            if sent > BIG // 3 then error(luge.error { kind = "closed", message = "breaks" }) end
          end
        end,
      }
    end)
    local path = dir.path .. "/copy"
    local result = http.download(relay.url, path)
    test.equal(result.size, BIG)
    test.ok(result.resumed >= 2)
    test.equal(fs.read(path), fs.read(dir.path .. "/html/big"))
    test.equal(asked[1], "all")
    test.matches(asked[2], "^bytes=%d+%-$")
  end)

  with_client("are not needed where nothing breaks", function(client)
    local path, last = dir.path .. "/copy", nil
    local result = client:download("big", path, { on_progress = function(p) last = p end })
    test.equal(result.size, BIG)
    test.equal(result.resumed, 0)
    test.equal(last.received, BIG)
    test.equal(last.total, BIG)
  end)
end)
