--- The peers: who they are, what they run, and whether they are installed. The
--- build directory and the node_modules of `scripts/bench --peers` come from the
--- environment: BENCH_BUILD, BENCH_MODULES.
local fs = require "luge.fs"
local process = require "luge.process"

local build = os.getenv "BENCH_BUILD" or "build"
local modules = os.getenv "BENCH_MODULES" or ""

local TASKS = { "tasks", "tasks_yield", "queue" }
local HTTP = { "http_fanout", "latency_fanout", "stream", "stream_paced", "pipeline" }

local function all(...)
  local names = {}
  for _, list in ipairs { ... } do
    table.move(list, 1, #list, #names + 1, names)
  end
  return names
end

local EVERYTHING = all(TASKS, HTTP, { "sleepers", "startup" })

local function npm(path)
  return modules .. "/" .. path
end

--- `command` runs a workload, whose name comes last; `hello` the start-up.
local peers = {
  {
    name = "luge",
    command = { build .. "/luge", "bench/workloads.lua" },
    hello = { build .. "/luge", "-e", 'print "hello"' },
    workloads = EVERYTHING,
  },
  { name = "C", command = { build .. "/bench_limit" }, workloads = HTTP },
  {
    name = "Lua",
    command = { "lua5.4", "bench/peers/bare.lua" },
    hello = { "lua5.4", "-e", 'print "hello"' },
    workloads = all(TASKS, { "startup" }),
  },
  {
    name = "asyncio",
    command = { "python3", "bench/peers/asyncio_peer.py" },
    hello = { "python3", "-c", 'import asyncio; print("hello")' },
    workloads = all(TASKS, { "sleepers", "startup" }),
  },
  {
    name = "aiohttp",
    check = { "python3", "-c", "import aiohttp" },
    command = { "python3", "bench/peers/asyncio_peer.py" },
    hello = { "python3", "-c", 'import aiohttp; print("hello")' },
    workloads = all(HTTP, { "startup" }),
  },
  {
    name = "Node.js",
    command = { "node", "bench/peers/fetch.mjs" },
    hello = { "node", "-e", 'console.log("hello")' },
    workloads = EVERYTHING,
  },
  {
    name = "Bun",
    command = { npm "bun/bin/bun.exe", "bench/peers/fetch.mjs" },
    hello = { npm "bun/bin/bun.exe", "-e", 'console.log("hello")' },
    env = { BUN_CONFIG_MAX_HTTP_REQUESTS = "65536" },
    workloads = EVERYTHING,
  },
  {
    name = "Deno",
    command = { npm ".bin/deno", "run", "-A", "bench/peers/fetch.mjs" },
    hello = { npm ".bin/deno", "eval", 'console.log("hello")' },
    workloads = EVERYTHING,
  },
  {
    name = "openai SDK",
    needs = npm "openai",
    command = { "node", npm "../models.mjs", "openai" },
    workloads = { "pipeline" },
  },
  {
    name = "LangChain.js",
    needs = npm "@langchain/openai",
    command = { "node", npm "../models.mjs", "langchain" },
    workloads = { "pipeline" },
  },
}

local function is_there(peer)
  if peer.needs and not fs.stat(peer.needs) then
    return false
  end
  local probe = peer.check or { peer.command[1], "--version" }
  local ok, result = pcall(process.run, probe)
  return ok and (result.code == 0 or not peer.check)
end

--- The peers that are installed, in order; of `names`, if given.
local function installed(names)
  local found = {}
  for _, peer in ipairs(peers) do
    if (not names or names[peer.name:lower()]) and is_there(peer) then
      local runs = {}
      for _, workload in ipairs(peer.workloads) do
        runs[workload] = true
      end
      found[#found + 1] = setmetatable({ runs = runs }, { __index = peer })
    end
  end
  return found
end

return { installed = installed }
