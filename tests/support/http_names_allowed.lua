-- Names in a host that may reach ok.test and 127.0.0.1 at the server's port,
-- and whatever is below sub.test.
local luge = require "luge"
local http = require "luge.http"
local names = require "names"
local test = require "luge.test"

local function url(name, path)
  return ("http://%s:%d%s"):format(name, names.port, path or "/")
end

local function denied(...)
  local ok, err = pcall(http.get, ...)
  test.ok(not ok)
  test.equal(luge.is_error(err) and err.kind or err, "permission")
  test.equal(err.capability, "net")
  return err
end

names.set("ok.test", "127.0.0.2")
test.equal(http.get(url "ok.test").body, "127.0.0.2 /")
test.equal(http.get(url "OK.Test").body, "127.0.0.2 /")
test.equal(http.get(url "127.1").body, "127.0.0.1 /")

-- An address with a dot behind it is a name to libcurl, which must not ask.
names.set("127.0.0.1.", "127.0.0.2")
test.equal(http.get(url "127.0.0.1.").body, "127.0.0.1 /")
test.equal(names.asked "127.0.0.1.", 0)

-- Other names, hosts that only look like it, other ports.
for _, host in ipairs { "other.test", "notok.test", "ok.test.evil.test", "127.0.0.2", "[::1]",
  "localhost.evil.test", "ok.test@other.test", "sub.test" } do
  names.set(host:match "[^@]+$", "127.0.0.2")
  denied(url(host))
end
denied("http://ok.test/")
denied("http://127.0.0.1:1/")
names.set("a.sub.test", "127.0.0.2")
test.equal(http.get(url "a.sub.test").body, "127.0.0.2 /")

-- A name that no rule names may lead to an address that one does.
names.set("alias.test", "127.0.0.1")
test.equal(http.get(url "alias.test").body, "127.0.0.1 /")
names.set("alias2.test", "127.0.0.2")
denied(url "alias2.test")
test.equal(names.asked "other.test", 1)

-- Each hop.
denied(url("ok.test", "/to?" .. url "127.0.0.2"))
denied(url("ok.test", "/to?http://ok.test:1/"))
test.equal(http.get(url("ok.test", "/to?" .. url "127.0.0.1")).body, "127.0.0.1 /")

-- Behind a proxy there is nothing but the name.
local proxy = { proxy = url "ok.test" }
test.equal(http.get(url "a.sub.test", proxy).body, "127.0.0.2 " .. url "a.sub.test")
denied(url "alias.test", proxy)
denied(url "a.sub.test", { proxy = url "other.test" })

-- Files and sockets are none of the network's business: nothing may be written.
local ok, err = pcall(http.get, "http://ok.test/", { unix_socket = "/tmp/none" })
test.ok(not ok and luge.is_error(err, "permission"))
test.equal(err.capability, "write")
