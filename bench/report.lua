--- Tables of results: for a terminal, and in Markdown.
local fs = require "luge.fs"
local settings = require "settings"

local report = {}

--- The processor, their number, and the system: what figures depend on.
function report.machine()
  local cpus, model = 0, "unknown processor"
  for line in fs.read("/proc/cpuinfo"):gmatch "[^\n]+" do
    model = line:match "^model name%s*: (.*)" or model
    cpus = cpus + (line:match "^processor" and 1 or 0)
  end
  local system = fs.read("/proc/sys/kernel/osrelease"):match "^[%d.]+%d"
  return ("%d x %s, Linux %s"):format(cpus, model, system)
end

--- What an operation costs: processor time, or for start-up, time. Microseconds.
local function cost(result)
  return (result.cpu_s or result.wall_s) / result.ops * 1e6
end

local function ratio(value, baseline)
  return baseline and ("%.2f"):format(value / baseline) or "-"
end

local function rows(workload, of)
  local list = {}
  local baseline = of[workload.baseline] and cost(of[workload.baseline])
  local luge = of.luge and cost(of.luge)
  for name, result in pairs(of) do
    list[#list + 1] = { name = name, cost = cost(result), result = result }
  end
  table.sort(list, function(a, b)
    return a.cost < b.cost
  end)
  for i, row in ipairs(list) do
    local memory = row.result.peak_rss_kb
    list[i] = {
      row.name,
      ("%.2f"):format(row.cost),
      ratio(row.cost, baseline),
      ratio(row.cost, luge),
      ("%.3f"):format(row.result.wall_s),
      memory and ("%.1f"):format(memory / 1024) or "-",
    }
  end
  return list
end

local function heads(workload)
  return {
    "peer",
    (workload.name == "startup" and "us/" or "CPU us/") .. workload.unit,
    "x " .. (workload.baseline or "-"),
    "x luge",
    "wall s",
    "peak MB",
  }
end

local function measured(results)
  local i = 0
  return function()
    repeat
      i = i + 1
    until not settings[i] or results[settings[i].name]
    return settings[i], settings[i] and results[settings[i].name]
  end
end

function report.print(results)
  print(report.machine())
  local line = "  %-14s %14s %8s %8s %9s %9s"
  for workload, of in measured(results) do
    print(("\n%s: %s"):format(workload.name, workload.title))
    print(line:format(table.unpack(heads(workload))))
    for _, row in ipairs(rows(workload, of)) do
      print(line:format(table.unpack(row)))
    end
  end
end

function report.markdown(results)
  local out = {}
  for workload, of in measured(results) do
    out[#out + 1] = ("### %s\n\n%s.\n"):format(workload.name, workload.title)
    out[#out + 1] = "| " .. table.concat(heads(workload), " | ") .. " |"
    out[#out + 1] = "| --- | ---: | ---: | ---: | ---: | ---: |"
    for _, row in ipairs(rows(workload, of)) do
      out[#out + 1] = "| " .. table.concat(row, " | ") .. " |"
    end
    out[#out + 1] = ""
  end
  return table.concat(out, "\n")
end

return report
