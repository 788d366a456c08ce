--- A million requests of one client, a tenth of them streams of a hundred events:
--- does memory grow, does a descriptor stay open? Prints both as it goes, and
--- fails if they have grown after the first tenth.
---
---   luge bench/soak.lua [REQUESTS]
local fs = require "luge.fs"
local http = require "luge.http"
local luge = require "luge"
local process = require "luge.process"

local REQUESTS = math.tointeger((...) or 1000000)
local CONCURRENCY, EVENTS, ROUNDS = 64, 100, 20
--- What a heap may vary by from one moment to another.
local SLACK_KB = 8192

local build = os.getenv "BENCH_BUILD" or "build"

local function rss_kb()
  collectgarbage()
  return tonumber(fs.read("/proc/self/status"):match "VmRSS:%s+(%d+)")
end

local function descriptors()
  return #fs.list "/proc/self/fd"
end

local function numbers(n)
  local i = 0
  return function()
    i = i + 1
    return i <= n and i or nil
  end
end

local function ask(client, url)
  local answer = client:post(url, { json = { model = "mock" } }):json()
  assert(#answer.choices[1].message.content == 300)
end

local function read_stream(client, url)
  local options = { json = { stream = true }, headers = { ["x-tokens"] = EVENTS }, stream = true }
  local count = 0
  for _ in client:post(url, options):events() do
    count = count + 1
  end
  assert(count == EVENTS + 3) -- the role, the end, the end mark
end

--- A tenth of them are streams.
local function round(client, url, requests)
  luge.map(numbers(requests), function(i)
    if i % 10 == 0 then
      read_stream(client, url)
    else
      ask(client, url)
    end
  end, { concurrency = CONCURRENCY })
end

local function tell(done)
  local memory, open = rss_kb(), descriptors()
  print(("%9d requests  %8.1f MB  %4d descriptors"):format(done, memory / 1024, open))
  return memory, open
end

local server <close> = process.spawn { build .. "/bench_server" }
local url = ("http://127.0.0.1:%s/"):format(server.stdout:lines():next())
local client <close> = http.client { max_connections = CONCURRENCY }
local each = REQUESTS // ROUNDS

round(client, url, each)
round(client, url, each)
local memory, open = tell(2 * each)
for i = 3, ROUNDS do
  round(client, url, each)
  local memory_now, open_now = tell(i * each)
  assert(memory_now < memory + SLACK_KB, "memory grows")
  assert(open_now <= open, "descriptors stay open")
end
