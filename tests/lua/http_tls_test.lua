-- TLS: certificates that are bad in each of the ways, of servers and clients,
-- against `openssl s_server`. A bad one is never retried, and never let pass.
local luge = require "luge"
local fs = require "luge.fs"
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local certificates = dofile "tests/support/certificates.lua"
local servers = dofile "tests/support/servers.lua"

local skip = { skip = certificates.missing(), timeout = 10 }

local dir, ca
local started = {}

test.before(function()
  if skip.skip then return end
  dir = fs.temp { directory = true }
  certificates.make(dir.path)
  ca = dir.path .. "/authority.pem"
  for _, name in ipairs { "localhost", "expired", "elsewhere", "alone" } do
    started[name] = servers.tls(dir.path, name)
  end
  started.strict = servers.tls(dir.path, "localhost", "-Verify", "1", "-verify_return_error")
end)

test.after(function()
  for _, server in pairs(started) do server.close() end
  if dir then dir:close() end
end)

-- A request to a server that shows the certificate of that name; "strict" wants
-- to see one too.
local function get(name, options, host)
  local client <close> = http.client(options)
  return client:get(("https://%s:%d/"):format(host or "localhost", started[name].port))
end

local function refused(name, options, host)
  local err = test.raises("network", get, name, options, host)
  test.equal(err.code, "tls", tostring(err))
  test.equal(err.phase, "tls")
  test.equal(err.retryable, false)
  return err
end

-- A server with TLS whose `url` redirects to another. With -HTTP files are sent
-- as they are, heads and all.
local function redirecting(to)
  fs.write(dir.path .. "/there",
    ("HTTP/1.0 302 Found\r\nLocation: %s\r\n\r\n"):format(to), { sync = false })
  local server = servers.tls(dir.path, "localhost", "-HTTP")
  server.url = ("https://localhost:%d/there"):format(server.port)
  return server
end

describe("a certificate", function()
  it("is trusted through a file, or its text", function()
    test.equal(get("localhost", { ca = ca }).status, 200)
    local response = get("localhost", { ca = fs.read(ca) })
    test.equal(response.status, 200)
    test.ok(response.timings.tls > 0)
    test.equal(get("localhost", { ca = ca }, "127.0.0.1").status, 200)
  end, skip)

  it("of an authority that nobody knows is refused", function()
    refused("localhost", {})
    refused("localhost", { ca = dir.path .. "/alone.pem" })
  end, skip)

  it("that has expired is refused", function()
    test.matches(tostring(refused("expired", { ca = ca })), "expired")
  end, skip)

  it("for another host is refused", function()
    refused("elsewhere", { ca = ca })
  end, skip)

  it("signed by itself is refused, unless it is trusted", function()
    refused("alone", { ca = ca })
    test.equal(get("alone", { ca = dir.path .. "/alone.pem" }).status, 200)
  end, skip)

  it("is refused where there are no authorities", function()
    refused("localhost", { ca = "/nonexistent" })
    fs.write(dir.path .. "/empty.pem", "", { sync = false })
    refused("localhost", { ca = dir.path .. "/empty.pem" })
    refused("localhost", { ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" })
  end, skip)

  it("is not looked at where a script says so, and only there", function()
    local client <close> = http.client { ca = ca }
    for _, name in ipairs { "expired", "elsewhere", "alone" } do
      local url = "https://localhost:" .. started[name].port
      test.equal(client:get(url, { verify = false }).status, 200)
      test.equal(test.raises("network", client.get, client, url).code, "tls")
    end
  end, skip)

  it("that is bad is not tried twice, nor without TLS", function()
    local err = refused("expired", { ca = ca })
    test.equal(err.url:match "^%a+", "https")
    local attempts = 0
    pcall(luge.retry, function()
      attempts = attempts + 1
      get("expired", { ca = ca })
    end, { attempts = 3 })
    test.equal(attempts, 1)
  end, skip)
end)

describe("a client's certificate", function()
  it("is shown where it is asked for", function()
    local cert, key = dir.path .. "/client.pem", dir.path .. "/client.key"
    for _, options in ipairs { { ca = ca, cert = cert, key = key },
      { ca = ca, cert = fs.read(cert), key = fs.read(key) } } do
      test.equal(get("strict", options).status, 200)
    end
    test.raises("network", get, "strict", { ca = ca })
    refused("strict", { ca = ca, cert = "/nonexistent", key = key })
    refused("strict", { ca = ca, cert = cert, key = dir.path .. "/alone.key" })
  end, skip)

  it("is not shown to another origin, to which a redirect leads", function()
    local options = { ca = ca, cert = dir.path .. "/client.pem", key = dir.path .. "/client.key" }
    local there = ("https://localhost:%d/"):format(started.strict.port)
    local server <close> = redirecting(there)
    test.raises("network", http.get, server.url, options)
    test.equal(http.get(there, options).status, 200)
  end, skip)
end)

describe("plain HTTP", function()
  it("is not what https redirects to", function()
    local asked = 0
    local plain <close> = http.server { handler = function()
      asked = asked + 1
      return "x"
    end }
    local server <close> = redirecting(plain.url)
    local err = test.raises("network", http.get, server.url, { ca = ca })
    test.equal(err.code, "protocol")
    test.equal(err.retryable, false)
    test.matches(err.message, "from https to http")
    test.equal(asked, 0)
  end, skip)

  it("is not spoken by https, nor TLS by http", function()
    local server <close> = http.server { handler = function() return "x" end }
    local err = test.raises("network", http.get, "https://127.0.0.1:" .. server.port)
    test.equal(err.code, "tls")
    local ok, response = pcall(http.get, "http://localhost:" .. started.localhost.port,
      { timeout = 2 })
    test.ok(not ok or response.status ~= 200)
  end, skip)
end)
