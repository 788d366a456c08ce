-- The workloads that peers are measured on, as a user of luge writes them.
--
--   luge bench/workloads.lua NAME
--
-- Settings come from the environment: BENCH_N (operations), BENCH_CONC (at
-- once), BENCH_URL, BENCH_LATENCY_MS, BENCH_CHUNKS, BENCH_DELAY_MS,
-- BENCH_BATCH, BENCH_SLEEP_MS, BENCH_CAP. Prints one line of JSON.
local luge = require "luge"
local json = require "luge.json"

local function setting(name, default)
  return math.tointeger(tonumber(os.getenv("BENCH_" .. name)) or default)
end

local N = setting("N", 1000)
local CONCURRENCY = setting("CONC", 64)
local URL = os.getenv "BENCH_URL"
local LATENCY, CHUNKS, DELAY = setting "LATENCY_MS", setting "CHUNKS", setting "DELAY_MS"

-- Loading modules is a part of the start; libcurl too, as for programs that link
-- it.
local http = URL and require "luge.http"
if http then
  http.client():close()
end
local llm = ... == "pipeline" and require "luge.llm"

local workloads = {}

-- Tasks.

local function run_tasks(fn)
  local batch, sum = setting("BATCH", 10000), 0
  for first = 0, N - 1, batch do
    local tasks = {}
    for i = 1, batch do
      tasks[i] = luge.spawn(fn, first + i - 1)
    end
    for i = 1, batch do
      sum = sum + luge.await(tasks[i])
    end
  end
  assert(sum == N * (N - 1) // 2)
  return N
end

function workloads.tasks()
  return run_tasks(function(i)
    return i
  end)
end

function workloads.tasks_yield()
  return run_tasks(function(i)
    luge.sleep(0)
    return i
  end)
end

function workloads.sleepers()
  local seconds = setting("SLEEP_MS", 1000) / 1000
  for _ = 1, N do
    luge.spawn(luge.sleep, seconds)
  end
  return N -- they are done when the program is: it owns them
end

function workloads.queue()
  local queue, sum = luge.queue(setting("CAP", 100)), 0
  luge.spawn(function()
    for i = 0, N - 1 do
      queue:put(i)
    end
    queue:close()
  end)
  for item in queue:iter() do
    sum = sum + item
  end
  assert(sum == N * (N - 1) // 2)
  return N
end

-- HTTP.

local function request(i, stream)
  return {
    json = {
      model = "mock",
      messages = {
        { role = "system", content = "You are a helpful assistant." },
        { role = "user", content = ("Question %d: what is the answer?"):format(i) },
      },
      temperature = 0.2,
      stream = stream,
    },
    headers = {
      authorization = "Bearer test",
      ["x-latency-ms"] = LATENCY,
      ["x-tokens"] = CHUNKS,
      ["x-token-delay-ms"] = DELAY,
    },
    stream = stream,
  }
end

local function numbers()
  local i = -1
  return function()
    i = i + 1
    return i < N and i or nil
  end
end

local function complete()
  local client <close> = http.client { max_connections = CONCURRENCY }
  luge.map(numbers(), function(i)
    local answer = client:post(URL, request(i)):json()
    assert(#answer.choices[1].message.content == 300, "bad answer")
  end, { concurrency = CONCURRENCY })
  return N
end

workloads.http_fanout, workloads.latency_fanout = complete, complete

local function expected_text(chunks)
  local words = {}
  for i = 0, chunks - 1 do
    words[#words + 1] = "tok" .. i .. (i % 20 == 19 and "\n" or " ")
  end
  return table.concat(words)
end

local function read_streams()
  local client <close> = http.client { max_connections = N }
  local chunks = CHUNKS or 100
  local expected = expected_text(chunks)
  luge.map(numbers(), function(i)
    local pieces = {}
    for event in client:post(URL, request(i, true)):events() do
      if event.data ~= "[DONE]" then
        local piece = json.decode(event.data).choices[1].delta.content
        if piece and piece ~= "" then
          pieces[#pieces + 1] = piece
        end
      end
    end
    assert(#pieces == chunks and table.concat(pieces) == expected, "text differs")
  end, { concurrency = N })
  return N * chunks
end

workloads.stream, workloads.stream_paced = read_streams, read_streams

-- Prompt, model, parser.

function workloads.pipeline()
  local chain = llm.prompt {
    { "system", "You are a helpful assistant." },
    { "user", "Question {i}: what is the answer?" },
  } | llm.model {
    base_url = URL:gsub("/chat/completions$", ""),
    model = "mock",
    api_key = "test",
    temperature = 0.2,
  } | llm.text()
  local inputs = {}
  for i = 1, N do
    inputs[i] = { i = i - 1 }
  end
  for _, text in ipairs(chain:batch(inputs, { concurrency = CONCURRENCY })) do
    assert(#text == 300, "bad answer")
  end
  return N
end

local function peak_rss_kb()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmHWM:%s+(%d+)"
    if kb then
      return tonumber(kb)
    end
  end
end

local name = ...
local workload = workloads[name] or error(("unknown workload %q"):format(tostring(name)), 0)
local started, cpu = luge.now(), os.clock()
local operations = luge.scope(workload)
local line = '{"peer":"luge","workload":"%s","ops":%d,"wall_s":%.6f,"cpu_s":%.6f,"peak_rss_kb":%d}'
print(line:format(name, operations, luge.now() - started, os.clock() - cpu, peak_rss_kb()))
