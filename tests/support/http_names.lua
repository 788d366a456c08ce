-- Names, in a host that trusts its scripts: see tests/unit/http_names_test.c.
local luge = require "luge"
local http = require "luge.http"
local fs = require "luge.fs"
local names = require "names"
local test = require "luge.test"

local longer = dofile "tests/support/longer.lua"

local function url(name, path)
  return ("http://%s:%d%s"):format(name, names.port, path or "/")
end

local function network(code, fn)
  local ok, err = pcall(fn)
  test.ok(not ok and luge.is_error(err, "network"))
  test.equal(err.code, code)
  return err
end

-- One look-up for all who ask, and none for a connection that is kept.
do
  names.set("many.test", "127.0.0.1")
  local client <close> = http.client {}
  local answers = luge.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, function()
    return client:get(url "many.test").body
  end)
  for _, body in ipairs(answers) do
    test.equal(body, "127.0.0.1 /")
  end
  test.equal(names.asked "many.test", 1)
  local _ <close> = test.clock()
  luge.sleep(100)
  local response = client:get(url "MANY.test")
  test.ok(response.reused)
  test.equal(names.asked "many.test", 1)
  local other <close> = http.client {}
  other:get(url "many.test")
  test.equal(names.asked "many.test", 2)
end

-- Times count from the request on.
do
  names.set("timed.test", "127.0.0.1")
  local timings = http.get(url "timed.test").timings
  test.ok(timings.dns > 0 and timings.dns <= timings.connect
    and timings.connect <= timings.request and timings.request <= timings.total)
end

-- The first address is dead: the next one is tried.
do
  names.set("dead.test", "127.0.0.3", "127.0.0.2")
  test.equal(http.get(url "dead.test").body, "127.0.0.2 /")
  names.set("all-dead.test", "127.0.0.3")
  network("connect", function() http.get(url "all-dead.test") end)
end

-- One that is silent, as where no packet comes back: one of the other kind is
-- tried meanwhile (RFC 8305), long before the time to connect is over.
if names.silence "::1" then
  names.set("silent.test", "::1", "127.0.0.2")
  local response = http.get(url "silent.test")
  test.equal(response.body, "127.0.0.2 /")
  local err = test.raises("timeout", http.get, ("http://[::1]:%d/"):format(names.port),
    { connect_timeout = 0.1 })
  test.equal(err.phase, "connect")
end

-- One of the same kind is tried in time where there is no limit, too: that takes
-- seconds, and is awaited at the end.
local unlimited
if names.silence "127.0.0.5" then
  names.set("silent-for-ever.test", "127.0.0.5", "127.0.0.2")
  unlimited = luge.spawn(http.get, url "silent-for-ever.test", { connect_timeout = math.huge })
end

-- One of the same kind is tried in half of the time to connect.
if names.silence "127.0.0.4" then
  names.set("silent-first.test", "127.0.0.4", "127.0.0.2")
  names.set("all-silent.test", "::1", "127.0.0.4")
  longer(0.4, function(seconds)
    local options = { connect_timeout = seconds }
    test.equal(http.get(url "silent-first.test", options).body, "127.0.0.2 /")
    local err = test.raises("timeout", http.get, url "all-silent.test", options)
    test.equal(err.phase, "connect")
    test.equal(err.seconds, seconds)
  end)
end

-- What fails is asked for again.
do
  local err = network("dns", function() http.get(url "missing.test") end)
  test.equal(err.phase, "dns")
  test.matches(err.message, "no address is known")
  names.set("missing.test", "127.0.0.1")
  test.equal(http.get(url "missing.test").status, 200)
  test.equal(names.asked "missing.test", 2)
end

-- Names that are none never get that far.
for _, name in ipairs { "a..b", ".a", "256.1.1.1", "a.1", ("a"):rep(64) .. ".test",
  ("a."):rep(127) .. "test" } do
  test.raises("invalid", function() http.get(url(name)) end)
end
test.equal(http.get(url "2130706433").body, "127.0.0.1 /")
test.equal(http.get(url "0x7f.1").body, "127.0.0.1 /")

-- A look-up that hangs: deadlines, cancellation, closing, and others go on.
do
  names.set("hang.test", "hang")
  local ok, err = pcall(http.get, url "hang.test", { connect_timeout = 0.02 })
  test.ok(not ok and luge.is_error(err, "timeout"))
  test.equal(err.phase, "dns")
  ok, err = pcall(http.get, url "hang.test", { timeout = 0.02, stream = true })
  test.ok(not ok and luge.is_error(err, "timeout"))
  test.equal(err.phase, "dns")
  local client = http.client {}
  local task = luge.spawn(function() client:get(url "hang.test") end)
  luge.sleep(0)
  client:close()
  test.raises("closed", function() luge.await(task) end)
  test.ok(names.asked "hang.test" <= 1) -- none, if no thread was quick enough

  local tasks = {}
  for i = 1, 100 do
    names.set(("hang%d.test"):format(i), "hang")
    tasks[i] = luge.spawn(function() http.get(url(("hang%d.test"):format(i))) end)
  end
  luge.sleep(0.001)
  test.ok(#fs.read "tests/support/http_names.lua" > 0)
  for _, each in ipairs(tasks) do
    each:cancel()
  end
  for _, each in ipairs(tasks) do
    test.raises("cancelled", function() luge.await(each) end)
  end
  names.set("after.test", "127.0.0.1")
  test.equal(http.get(url "after.test").status, 200)
  for i = 1, 100 do
    names.set(("hang%d.test"):format(i))
  end
  names.set("hang.test", "127.0.0.1")
  test.equal(http.get(url "hang.test").status, 200)
end

-- Proxies: who looks what up.
do
  names.set("proxy.test", "127.0.0.2")
  names.set("target.test", "127.0.0.1")
  local function through(scheme)
    local client <close> = http.client { proxy = ("%s://proxy.test:%d"):format(scheme, names.port) }
    return client:get(url "target.test").body
  end
  test.equal(through "http", "127.0.0.2 " .. url "target.test")
  test.equal(through "socks5h", "name target.test at 127.0.0.2 /")
  test.equal(names.asked "target.test", 0)
  test.equal(through "socks5", "address 127.0.0.1 at 127.0.0.2 /")
  test.equal(names.asked "target.test", 1)
  test.equal(names.asked "proxy.test", 1)
  local by_address = ("socks5://127.0.0.2:%d"):format(names.port)
  names.set("second.test", "127.0.0.1")
  test.equal(http.get(url "second.test", { proxy = by_address }).body,
    "address 127.0.0.1 at 127.0.0.2 /")
  names.set("proxy6.test", "127.0.0.2")
  test.equal(http.get(url "[2001:db8::1]", {
    proxy = ("socks5://proxy6.test:%d"):format(names.port),
  }).body, "address of IPv6 at 127.0.0.2 /")
  local err = network("proxy", function()
    http.get(url "target.test", { proxy = "http://no-proxy.test" })
  end)
  test.equal(err.phase, "proxy")
  for _, bad in ipairs { "ftp://proxy.test", "socks5://localhost/run/socket", "http://" } do
    test.raises("invalid", function() http.get(url "target.test", { proxy = bad }) end)
  end
end

if unlimited then
  test.equal(unlimited:await().body, "127.0.0.2 /")
end

-- An address that changes is followed, a minute later.
do
  names.set("turn.test", "127.0.0.1")
  local _ <close> = test.clock()
  test.equal(http.client {}:get(url "turn.test").body, "127.0.0.1 /")
  names.set("turn.test", "127.0.0.2")
  test.equal(http.client {}:get(url "turn.test").body, "127.0.0.1 /")
  luge.sleep(61)
  test.equal(http.client {}:get(url "turn.test").body, "127.0.0.2 /")
end
