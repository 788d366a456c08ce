--- Does the cost of one grow with the number of all? Measures the processor time
--- per task, connection, megabyte and item, each in a process of its own, and
--- draws growth.svg.
---
---   luge bench/growth.lua [DIRECTORY]      docs, unless another is named
package.path = "bench/?.lua;" .. package.path

local fs = require "luge.fs"
local http = require "luge.http"
local json = require "luge.json"
local luge = require "luge"
local process = require "luge.process"

local build = os.getenv "BENCH_BUILD" or "build"
local self = build .. "/luge"

local measures = {}

local function spawn_and_await(n, fn)
  local tasks = {}
  for i = 1, n do
    tasks[i] = luge.spawn(fn, i)
  end
  for i = 1, n do
    luge.await(tasks[i])
  end
end

--- So often that a hundred thousand operations are counted.
local function often(n, fn)
  local rounds = math.max(1, 100000 // n)
  for _ = 1, rounds do
    fn()
  end
  return rounds * n
end

function measures.tasks(n)
  return often(n, function()
    spawn_and_await(n, function(i)
      return i
    end)
  end)
end

function measures.sleepers(n)
  return often(n, function()
    spawn_and_await(n, function()
      luge.sleep(0.01)
    end)
  end)
end

function measures.connections(n, url)
  local client <close> = http.client { max_connections = n }
  local options = {
    json = { model = "mock" },
    headers = { ["x-latency-ms"] = n > 100 and 500 or 0 },
  }
  local each, rounds = {}, math.max(2, 10000 // n)
  for i = 1, n do
    each[i] = i
  end
  for _ = 1, rounds do
    luge.map(each, function()
      client:post(url, options):json()
    end, { concurrency = n })
  end
  return rounds * n
end

function measures.body(n, url)
  local times = math.max(5, math.min(1000, 10000000 // n))
  for _ = 1, times do
    assert(#http.get(url .. "?bytes=" .. n, { max_body = n }).body == n)
  end
  return times
end

function measures.document(n)
  local list = {}
  for i = 1, n do
    list[i] = { id = i, name = "item " .. i, tags = { "a", "b" } }
  end
  local text = json.encode(list)
  local cpu = os.clock()
  local operations = often(n, function()
    json.decode(text)
  end)
  return operations, os.clock() - cpu
end

local panels = {
  {
    name = "tasks",
    title = "spawn and await, all at once",
    x = "tasks",
    unit = "µs per task",
    sizes = { 10, 100, 1000, 10000, 100000, 1000000 },
  },
  {
    name = "sleepers",
    title = "asleep at once",
    x = "tasks",
    unit = "µs per task",
    sizes = { 100, 1000, 10000, 100000 },
  },
  {
    name = "connections",
    title = "requests at once",
    x = "connections",
    unit = "µs per request",
    sizes = { 1, 10, 100, 1000, 10000 },
    server = { build .. "/bench_server" },
  },
  {
    name = "body",
    title = "an answer read whole",
    x = "bytes",
    unit = "µs per answer",
    logarithmic = true, -- a straight line is linear growth
    sizes = { 1000, 10000, 100000, 1000000, 10000000, 100000000 },
    server = { self, "bench/growth.lua", "--serve" },
  },
  {
    name = "document",
    title = "a JSON document decoded",
    x = "items",
    unit = "µs per item",
    sizes = { 10, 100, 1000, 10000, 100000 },
  },
}

--- Serves bodies of the size that is asked for.
local function serve()
  local server = http.server {
    handler = function(request)
      return { body = ("x"):rep(math.tointeger(request.query.bytes)) }
    end,
  }
  print(server.port)
  io.stdout:flush()
  luge.future():await()
end

local function measure(name, n, url)
  local cpu = os.clock()
  local operations, seconds = measures[name](n, url)
  seconds = seconds or os.clock() - cpu
  print(json.encode { cost = seconds / operations * 1e6 })
end

local function cost(panel, n, url)
  local best = math.huge
  for _ = 1, 3 do
    local result = process.run {
      self,
      "bench/growth.lua",
      "--measure",
      panel.name,
      tostring(n),
      url,
      check = true,
      timeout = 300,
    }
    best = math.min(best, json.decode(result.stdout).cost)
  end
  return best
end

local function fill(panel)
  local server <close> = panel.server and process.spawn(panel.server) or nil
  local url = server and ("http://127.0.0.1:%s/"):format(server.stdout:lines():next()) or ""
  panel.costs = {}
  for i, n in ipairs(panel.sizes) do
    panel.costs[i] = cost(panel, n, url)
    print(("%-12s %10d %12.3f %s"):format(panel.name, n, panel.costs[i], panel.unit))
  end
end

local first, name, n, url = ...
if first == "--measure" then
  measure(name, math.tointeger(n), url)
elseif first == "--serve" then
  serve()
else
  for _, panel in ipairs(panels) do
    fill(panel)
  end
  fs.write((first or "docs") .. "/growth.svg", require("plot").svg(panels))
end
