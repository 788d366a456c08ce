-- Finalizers run the last made first: that of a table may find what was made
-- after it finalized already. Methods of such objects, and finalizers that were
-- called by hand, crashed.
local luge = require "luge"
local fs = require "luge.fs"
local http = require "luge.http"
local net = require "luge.net"
local store = require "luge.store"
local test = require "luge.test"
local worker = require "luge.worker"
local it = test.it

local function unbound_server()
  return require("luge.native.http_server").listen("127.0.0.1", 0, nil, 1, 1024, 1, 1, 1)
end

local makers = {
  ["a file"] = function() return fs.open "/dev/null" end,
  ["a watch"] = function() return require("luge.native.fs").watch "/" end,
  ["an HTTP client"] = function() return http.client {} end,
  ["a listener"] = function() return net.listen() end,
  ["a store"] = function() return store.memory() end,
  ["a server"] = unbound_server,
  ["a pool of workers"] = function() return worker.pool { size = 1 } end,
}

-- The userdata behind an object.
local function behind(object)
  return type(object) == "userdata" and object or object.native
end

local function call_all(native)
  for _, method in pairs(debug.getmetatable(native).__index) do
    for _, argument in ipairs { 1, "x", luge.current() } do
      pcall(method, native, argument)
    end
  end
end

for name, make in pairs(makers) do
  it("is whole after " .. name, function()
    local called
    do
      local last = setmetatable({}, { __gc = function(self)
        call_all(self.native)
        called = true
      end })
      last.native = assert(behind(make()), name)
    end
    for _ = 1, 3 do
      collectgarbage()
    end
    test.ok(called)
  end)

  it("finalizes only once, and nothing else than " .. name, function()
    local native = behind(make())
    local meta = debug.getmetatable(native)
    for _, other in ipairs { 1, {}, io.stdout, luge.queue() } do
      meta.__gc(other)
    end
    meta.__gc()
    meta.__gc(native)
    meta.__gc(native)
    call_all(native)
  end)
end

it("binds a server once, and to a task that lives", function()
  local ended = luge.spawn(function() end)
  ended:await()
  local server <close> = http.server { handler = function() return "ok" end }
  test.raises("invalid", server.native.bind, server.native, luge.current())
  local unbound = unbound_server()
  test.raises("invalid", unbound.bind, unbound, ended)
  unbound:destroy()
  test.equal(http.get(server.url).body, "ok")
end)
