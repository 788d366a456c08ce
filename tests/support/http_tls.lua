-- TLS: run by tests/unit/http_tls_test.c. The servers' certificate is for
-- localhost, and signed by itself.
local http = require "luge.http"
local test = require "luge.test"
local describe, it = test.describe, test.it

local dir = os.getenv "LUGE_TLS_DIR"
local ca, key = dir .. "/cert.pem", dir .. "/key.pem"
local port, strict_port = os.getenv "LUGE_TLS_PORT", os.getenv "LUGE_TLS_STRICT_PORT"

local function text_of(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function get(host, options, at)
  return http.get(("https://%s:%s/"):format(host, at or port), options)
end

local function refused(host, options, at)
  local ok, err = pcall(get, host, options, at)
  test.equal(ok, false)
  test.equal(err.kind, "network", tostring(err))
  test.equal(err.code, "tls", tostring(err))
  return err
end

describe("a certificate", function()
  it("is checked", function()
    local err = refused "localhost"
    test.equal(err.retryable, false)
    test.equal(err.phase, "tls")
  end)

  it("is trusted through a file, or its text", function()
    test.equal(get("localhost", { ca = ca }).status, 200)
    test.equal(get("localhost", { ca = text_of(ca) }).status, 200)
    local client <close> = http.client { ca = ca }
    local response = client:get(("https://localhost:%s/"):format(port))
    test.ok(response.timings.tls > 0)
  end)

  it("is for one host", function()
    test.equal(refused("127.0.0.1", { ca = ca }).retryable, false)
  end)

  it("is not looked at where a script says so, and only there", function()
    test.equal(get("127.0.0.1", { verify = false }).status, 200)
    refused "127.0.0.1"
    refused "localhost"
  end)

  it("of authorities that cannot be read is an error", function()
    refused("localhost", { ca = "/nonexistent" })
  end)
end)

describe("a client's certificate", function()
  it("is shown where it is asked for", function()
    refused("localhost", { ca = ca, cert = "/nonexistent", key = key }, strict_port)
    for _, options in ipairs { { ca = ca, cert = ca, key = key },
      { ca = ca, cert = text_of(ca), key = text_of(key) } } do
      test.equal(get("localhost", options, strict_port).status, 200)
    end
    local ok = pcall(get, "localhost", { ca = ca }, strict_port)
    test.equal(ok, false)
  end)
end)

describe("plain HTTP", function()
  it("to a server that speaks TLS is an error", function()
    local ok, err = pcall(http.get, "http://localhost:" .. port, { timeout = 2 })
    test.ok(not ok or err.status ~= 200)
  end)

  it("is not spoken by https", function()
    local server <close> = http.server { handler = function() return { body = "x" } end }
    local ok, err = pcall(http.get, "https://127.0.0.1:" .. server.port, { timeout = 2 })
    test.equal(ok, false)
    test.equal(err.code, "tls")
  end)
end)
