-- Proxies that the environment names: see tests/unit/http_names_test.c.
local http = require "luge.http"
local names = require "names"
local test = require "luge.test"

local function url(name)
  return ("http://%s:%d/"):format(name, names.port)
end

names.set("proxy.test", "127.0.0.2")
names.set("direct.test", "127.0.0.1")
names.set("a.sub.test", "127.0.0.1")
test.equal(http.get(url "behind.test").body, "127.0.0.2 " .. url "behind.test")
test.equal(names.asked "behind.test", 0)
test.equal(http.get(url "direct.test").body, "127.0.0.1 /")
test.equal(http.get(url "a.sub.test").body, "127.0.0.1 /")
test.equal(http.get(url "127.0.0.1").body, "127.0.0.1 /")
test.equal(http.get(url "notdirect.test").body, "127.0.0.2 " .. url "notdirect.test")
names.set("behind.test", "127.0.0.1")
test.equal(http.get(url "behind.test", { proxy = "" }).body, "127.0.0.1 /")
test.equal(http.get(url "behind.test").body, "127.0.0.2 " .. url "behind.test")
