--- Instructions per operation on the hot paths of bench/micro.lua, of one build
--- or of two beside each other. They are the same in every run, however busy the
--- machine is, so that a commit that costs a hundredth more is seen.
---
---   luge bench/compare.lua OLD [NEW]      paths of the commands
---
--- With two, the exit status is 1 if a path costs more than 3 % more in NEW.
local luge = require "luge"
local process = require "luge.process"

local FEW, MANY = 1000, 3000
local TOLERANCE = 1.03

local function instructions(command, path, n, url)
  local result = process.run {
    "valgrind",
    "--tool=callgrind",
    "--callgrind-out-file=/dev/null",
    command,
    "bench/micro.lua",
    path,
    tostring(n),
    env = { BENCH_URL = url },
    check = true,
    timeout = 300,
  }
  return tonumber(result.stderr:match "Collected : (%d+)")
end

--- What one more operation costs: what both runs have in common drops out.
local function cost(command, path, url)
  return (instructions(command, path, MANY, url) - instructions(command, path, FEW, url))
    / (MANY - FEW)
end

local function paths(command)
  local list = process.run({ command, "bench/micro.lua", "--list", check = true }).stdout
  local names = {}
  for name in list:gmatch "%S+" do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local old, new = ...
if not old then
  io.stderr:write "usage: luge bench/compare.lua OLD [NEW]\n"
  os.exit(2)
end

local build = os.getenv "BENCH_BUILD" or "build"
local server <close> = process.spawn { build .. "/bench_server" }
local url = ("http://127.0.0.1:%s/"):format(server.stdout:lines():next())
local slower = false

print(("%-16s %10s %10s %7s"):format("instructions of", "old", new and "new" or "", ""))
for _, path in ipairs(paths(new or old)) do
  local costs = luge.map({ old, new }, function(command)
    return cost(command, path, url)
  end, { concurrency = 2 })
  local ratio = new and costs[2] / costs[1] or 1
  slower = slower or ratio > TOLERANCE
  print(
    ("%-16s %10.0f %10s %7s"):format(
      path,
      costs[1],
      new and ("%.0f"):format(costs[2]) or "",
      new and ("%.3f"):format(ratio) or ""
    )
  )
end
os.exit(slower and 1 or 0)
