-- Handlers that coroutine.close runs may not wait: a file, a store and a server
-- that were open there raised `invalid`, and were open until they were collected.
local fs = require "luge.fs"
local http = require "luge.http"
local store = require "luge.store"
local test = require "luge.test"
local it = test.it

local dir

test.before(function()
  dir = fs.temp { directory = true }
end)

test.after(function()
  dir:close()
end)

local function left_behind(open)
  local opened
  local co = coroutine.create(function()
    local thing <close> = open()
    opened = thing
    coroutine.yield()
  end)
  coroutine.resume(co)
  test.same({ coroutine.close(co) }, { true })
  return opened
end

it("closes a file", function()
  local file = left_behind(function() return fs.open(dir.path .. "/file", "w") end)
  test.raises("closed", file.write, file, "x")
end)

it("closes a store, once what was asked of it is done", function()
  local path = dir.path .. "/store"
  local s = left_behind(function()
    local s = store.sqlite(path)
    s:put("k", 1)
    return s
  end)
  test.raises("closed", s.get, s, "k")
  local again <close> = store.sqlite(path)
  test.equal(again:get "k", 1)
end)

it("closes a server", function()
  local server = left_behind(function() return http.server { handler = function() end } end)
  test.equal(test.raises("network", http.get, server.url).code, "connect")
end)
