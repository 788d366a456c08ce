--- Runs the workloads on luge and on the peers that are installed, and prints a
--- table. `scripts/bench` builds what it needs and calls it.
---
---   luge bench/run.lua [--workloads A,B] [--peers A,B] [--repeats N]
---                      [--scale F] [--out FILE.json] [--markdown FILE.md]
---
--- The rounds are interleaved, so that a drift of the machine hits all alike, and
--- the least of a peer's figures counts: noise only adds. With `taskset` and two
--- processors the client has the first for itself.
package.path = "bench/?.lua;" .. package.path

local fs = require "luge.fs"
local json = require "luge.json"
local luge = require "luge"
local process = require "luge.process"

local peers = require "peers"
local report = require "report"
local settings = require "settings"

local USAGE = "usage: luge bench/run.lua [--workloads A,B] [--peers A,B] [--repeats N] "
  .. "[--scale F] [--out FILE.json] [--markdown FILE.md]"

local function fail(...)
  io.stderr:write(string.format(...), "\n")
  os.exit(2)
end

local function parse(arguments)
  local options = { repeats = "3", scale = "1" }
  for i = 1, #arguments, 2 do
    local name = arguments[i]:match "^%-%-(%a+)$"
    if not name or not arguments[i + 1] then
      fail("%s", USAGE)
    end
    options[name] = arguments[i + 1]
  end
  return options
end

local function set_of(list)
  if not list then
    return nil
  end
  local set = {}
  for name in list:gmatch "[^,]+" do
    set[name:lower()] = true
  end
  return set
end

--- To run a command on the first processor alone.
local function pinned(command)
  local ok = pcall(process.run, { "taskset", "-c", "0", "true", check = true })
  return ok and table.move(command, 1, #command, 4, { "taskset", "-c", "0" }) or command
end

local function environment(workload, peer, url, scale)
  local env = { BENCH_URL = url }
  for name, value in pairs(workload.env) do
    value = name == "N" and math.max(1, value * scale // 1) or value
    env["BENCH_" .. name] = ("%d"):format(value)
  end
  env.BENCH_BATCH = env.BENCH_BATCH
    and ("%d"):format(math.min(tonumber(env.BENCH_BATCH), tonumber(env.BENCH_N)))
  for name, value in pairs(peer.env or {}) do
    env[name] = value
  end
  return env
end

--- Starts it N times; what counts is the time that each took.
local function start_up(peer, env)
  local best = math.huge
  for _ = 1, tonumber(env.BENCH_N) do
    local started = luge.now()
    process.run(table.move(peer.hello, 1, #peer.hello, 1, { check = true }))
    best = math.min(best, luge.now() - started)
  end
  return { ops = 1, wall_s = best }
end

local function measure(peer, workload, url, scale)
  local env = environment(workload, peer, url, scale)
  if workload.name == "startup" then
    return start_up(peer, env)
  end
  local command = pinned(peer.command)
  command[#command + 1] = workload.name
  command.env, command.check, command.timeout = env, true, 300
  return json.decode(process.run(command).stdout)
end

local function keep_best(results, workload, peer, result)
  local of = results[workload.name] or {}
  results[workload.name] = of
  local best = of[peer.name]
  local cost = result.cpu_s or result.wall_s
  if not best or cost < (best.cpu_s or best.wall_s) then
    of[peer.name] = result
  end
end

local function attempt(results, workload, peer, url, scale)
  local ok, result = pcall(measure, peer, workload, url, scale)
  if ok then
    keep_best(results, workload, peer, result)
  else
    io.stderr:write(peer.name, " on ", workload.name, ": ", tostring(result), "\n")
  end
end

local function round(results, chosen, wanted, url, scale)
  for _, workload in ipairs(settings) do
    if not wanted or wanted[workload.name] then
      for _, peer in ipairs(chosen) do
        if peer.runs[workload.name] then
          attempt(results, workload, peer, url, scale)
        end
      end
    end
  end
end

local options = parse { ... }
local chosen, results = peers.installed(set_of(options.peers)), {}
local server <close> = process.spawn { (os.getenv "BENCH_BUILD" or "build") .. "/bench_server" }
local port = server.stdout:lines():next()
local url = ("http://127.0.0.1:%s/v1/chat/completions"):format(port)
for i = 1, tonumber(options.repeats) do
  io.stderr:write(("round %d of %s\n"):format(i, options.repeats))
  round(results, chosen, set_of(options.workloads), url, tonumber(options.scale))
end
report.print(results)
if options.out then
  fs.write(options.out, json.encode { machine = report.machine(), results = results } .. "\n")
end
if options.markdown then
  fs.write(options.markdown, report.markdown(results))
end
