-- Names in a host that may reach everything but 127.0.0.2.
local luge = require "luge"
local http = require "luge.http"
local names = require "names"
local test = require "luge.test"

local function url(name, path)
  return ("http://%s:%d%s"):format(name, names.port, path or "/")
end

local function denied(fn, ...)
  local ok, err = pcall(fn, ...)
  test.ok(not ok)
  test.equal(luge.is_error(err) and err.kind or err, "permission")
  test.equal(err.capability, "net")
  return err
end

-- However the address is written.
for _, host in ipairs { "127.0.0.2", "127.2", "0x7f.2", "2130706434", "0177.0.0.2",
  "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "[64:ff9b::7f00:2]", "[2002:7f00:2::]" } do
  denied(http.get, url(host))
end

-- What a name leads to, whatever else it leads to.
names.set("private.test", "127.0.0.2")
local err = denied(http.get, url "private.test")
test.equal(err.resource, "127.0.0.2:" .. names.port)
names.set("mapped.test", "::ffff:127.0.0.2")
denied(http.get, url "mapped.test")
names.set("both.test", "127.0.0.2", "127.0.0.1")
test.equal(http.get(url "both.test").body, "127.0.0.1 /")
names.set("both-ways.test", "127.0.0.1", "127.0.0.2")
test.equal(http.get(url "both-ways.test").body, "127.0.0.1 /")
names.set("half-dead.test", "127.0.0.2", "127.0.0.3")
test.equal(select(2, pcall(http.get, url "half-dead.test")).code, "connect")

-- Rebinding: public on the first look-up, private on the second.
do
  local _ <close> = test.clock()
  names.set("turn.test", "127.0.0.1")
  test.equal(http.client {}:get(url "turn.test").body, "127.0.0.1 /")
  names.set("turn.test", "127.0.0.2")
  luge.sleep(61)
  denied(function() http.client {}:get(url "turn.test") end)
end

-- Redirects, and streams.
names.set("public.test", "127.0.0.1")
denied(http.get, url("public.test", "/to?" .. url "127.0.0.2"))
denied(http.get, url("public.test", "/to?" .. url "private.test"))
denied(http.get, url("public.test", "/to?//127.2:" .. names.port .. "/"))
denied(http.get, url "private.test", { stream = true })

-- Proxies: the proxy itself, and what is behind it.
local function behind(proxy, target)
  return http.get(url(target), { proxy = ("%s:%d"):format(proxy, names.port) }).body
end
denied(behind, "http://127.0.0.2", "public.test")
denied(behind, "http://private.test", "public.test")
denied(behind, "http://public.test", "127.0.0.2")
denied(behind, "socks5h://public.test", "127.2")
denied(behind, "socks5://public.test", "private.test")
test.equal(behind("socks5://public.test", "both.test"), "address 127.0.0.1 at 127.0.0.1 /")
