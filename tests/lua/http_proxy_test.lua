-- The client through proxies that others wrote: tinyproxy for HTTP and CONNECT,
-- microsocks for SOCKS5.
local fs = require "luge.fs"
local http = require "luge.http"
local process = require "luge.process"
local test = require "luge.test"
local describe, it = test.describe, test.it

local certificates = dofile "tests/support/certificates.lua"
local servers = dofile "tests/support/servers.lua"

local no_http = servers.missing "tinyproxy" or certificates.missing()
local no_socks = servers.missing "microsocks" or certificates.missing()

local dir, ca, plain, secure, tls

test.before(function()
  if no_http and no_socks then return end
  dir = fs.temp { directory = true }
  certificates.make(dir.path)
  ca = dir.path .. "/authority.pem"
  secure = servers.tls(dir.path, "localhost")
  tls = "https://localhost:" .. secure.port
  plain = test.server(function(req)
    return { json = { method = req.method, via = req.headers.via, body = #req:text(),
      authorization = req.headers["proxy-authorization"] } }
  end).url
end)

test.after(function()
  if secure then secure.close() end
  if dir then dir:close() end
end)

-- What is the same through all of them.
local function works(proxy)
  local client <close> = http.client { proxy = proxy, ca = ca }
  local got = client:post(plain, { body = ("x"):rep(300000) }):json()
  test.equal(got.method, "POST")
  test.equal(got.body, 300000)
  test.equal(client:get(plain).reused, proxy:find "^socks" ~= nil)
  test.equal(client:get(tls).status, 200)
  local wrong <close> = http.client { proxy = proxy }
  test.equal(test.raises("network", wrong.get, wrong, tls).code, "tls")
  local list = {}
  for i = 1, 20 do list[i] = i end
  require("luge").map(list, function() test.equal(client:get(plain).status, 200) end)
  return got
end

local function refused(url, proxy, code)
  local err = test.raises("network", http.get, url, { proxy = proxy, ca = ca })
  test.equal(err.code, code or "proxy", tostring(err))
  test.equal(err.phase, code == "connect" and "connect" or "proxy")
  test.equal(tostring(err):find("hunter2", 1, true), nil)
end

describe("an HTTP proxy", function()
  it("relays, and tunnels TLS", function()
    local proxy <close> = servers.tinyproxy(dir.path)
    test.matches(works("http://127.0.0.1:" .. proxy.port).via, "tinyproxy")
  end, { skip = no_http, timeout = 10 })

  it("wants a password, and gets it alone", function()
    local proxy <close> = servers.tinyproxy(dir.path, "BasicAuth someone hunter2")
    local at = "@127.0.0.1:" .. proxy.port
    test.equal(works("http://someone:hunter2" .. at).authorization, nil)
    for _, url in ipairs { plain, tls } do
      refused(url, "http://" .. at:sub(2))
    end
    refused(tls, "http://someone:hunter2x" .. at)
    -- Its answer to a wrong password is that of a server.
    test.equal(http.get(plain, { proxy = "http://someone:hunter2x" .. at }).status, 401)
  end, { skip = no_http, timeout = 10 })

  it("that does not let through is told", function()
    local proxy <close> = servers.tinyproxy(dir.path, "ConnectPort 563")
    refused(tls, "http://127.0.0.1:" .. proxy.port)
    refused(tls, "http://127.0.0.1:1", "connect")
  end, { skip = no_http, timeout = 10 })

  -- The environment is that of a process of its own.
  it("may be named by the environment", function()
    local server <close> = servers.tinyproxy(dir.path)
    local function via(env, options)
      env.no_proxy = env.no_proxy or false
      local code = [[print(require "luge.http".get(%q, %s):json().via)]]
      return process.run { os.getenv "LUGE", "-e", code:format(plain, options or "nil"), env = env,
        check = true }.stdout
    end
    local proxy = "http://127.0.0.1:" .. server.port
    test.matches(via { http_proxy = proxy }, "tinyproxy")
    test.equal(via { http_proxy = proxy, no_proxy = "127.0.0.1" }, "nil\n")
    test.equal(via({ http_proxy = proxy }, '{ proxy = "" }'), "nil\n")
    test.equal(via { http_proxy = "" }, "nil\n")
  end, { skip = no_http, timeout = 10 })
end)

describe("a SOCKS5 proxy", function()
  it("carries all, and may resolve the name", function()
    local proxy <close> = servers.socks()
    local at = "127.0.0.1:" .. proxy.port
    test.equal(works("socks5://" .. at).via, nil)
    works("socks5h://" .. at)
  end, { skip = no_socks, timeout = 10 })

  it("may want a password", function()
    local proxy <close> = servers.socks("-u", "someone", "-P", "hunter2")
    local at = "127.0.0.1:" .. proxy.port
    works("socks5://someone:hunter2@" .. at)
    refused(plain, "socks5://someone:hunter2x@" .. at)
    refused(plain, "socks5://" .. at)
  end, { skip = no_socks, timeout = 10 })

  it("tells that it cannot connect", function()
    local proxy <close> = servers.socks()
    local at = "127.0.0.1:" .. proxy.port
    refused("http://127.0.0.1:1/", "socks5://" .. at)
  end, { skip = no_socks, timeout = 10 })
end)
