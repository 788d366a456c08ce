-- What the language allows: coroutines that a loop resumes, without events,
-- cancellation or errors. Settings and result line: bench/README.md.
local function setting(name, default)
  return math.tointeger(tonumber(os.getenv("BENCH_" .. name)) or default)
end

local N = setting("N", 1000)
local create, resume, status = coroutine.create, coroutine.resume, coroutine.status
local yield = coroutine.yield

local workloads = {}

local function run_tasks(fn)
  local batch, sum = setting("BATCH", 10000), 0
  for first = 0, N - 1, batch do
    local ready = {}
    for i = 1, batch do
      ready[i] = { co = create(fn), argument = first + i - 1 }
    end
    while #ready > 0 do
      local again = {}
      for _, task in ipairs(ready) do
        local ok, value = resume(task.co, task.argument)
        assert(ok, value)
        if status(task.co) == "dead" then
          sum = sum + value
        else
          again[#again + 1] = task
        end
      end
      ready = again
    end
  end
  assert(sum == N * (N - 1) // 2)
end

function workloads.tasks()
  run_tasks(function(i)
    return i
  end)
end

function workloads.tasks_yield()
  run_tasks(function(i)
    yield()
    return i
  end)
end

function workloads.queue()
  local capacity = setting("CAP", 100)
  local items, first, count, sum = {}, 0, 0, 0
  local putter = create(function()
    for i = 0, N - 1 do
      while count == capacity do
        yield()
      end
      items[(first + count) % capacity] = i
      count = count + 1
    end
  end)
  local getter = create(function()
    for _ = 1, N do
      while count == 0 do
        yield()
      end
      sum = sum + items[first]
      first, count = (first + 1) % capacity, count - 1
    end
  end)
  repeat
    for _, co in ipairs { putter, getter } do
      if status(co) ~= "dead" then
        assert(resume(co))
      end
    end
  until status(getter) == "dead"
  assert(sum == N * (N - 1) // 2)
end

local function peak_rss_kb()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmHWM:%s+(%d+)"
    if kb then
      return tonumber(kb)
    end
  end
end

-- It never waits: its time is its processor time.
local cpu = os.clock()
workloads[arg[1]]()
cpu = os.clock() - cpu
print(
  ('{"ops":%d,"wall_s":%.6f,"cpu_s":%.6f,"peak_rss_kb":%d}'):format(N, cpu, cpu, peak_rss_kb())
)
