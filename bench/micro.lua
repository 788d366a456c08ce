--- The hot paths, one operation at a time: `luge bench/micro.lua NAME N`.
--- bench/compare.lua counts the instructions of each.
local luge = require "luge"

local paths = {}

local function identity(x)
  return x
end

function paths.spawn_and_await(n)
  for i = 1, n do
    luge.await(luge.spawn(identity, i))
  end
end

function paths.yield(n)
  for _ = 1, n do
    luge.sleep(0)
  end
end

function paths.queue_item(n)
  local queue = luge.queue(100)
  luge.spawn(function()
    for i = 1, n do
      queue:put(i)
    end
    queue:close()
  end)
  for _ in queue:iter() do
    n = n - 1
  end
  assert(n == 0)
end

function paths.timer(n)
  for i = 1, n do
    luge.timeout(60, identity, i)
  end
end

function paths.stream_item(n)
  local stream = luge.stream(function(emit)
    for i = 1, n do
      emit(i)
    end
  end)
  for _ in stream do
    n = n - 1
  end
  assert(n == 0)
end

local DOCUMENT = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,'
  .. '"model":"mock","choices":[{"index":0,"delta":{"content":"tok1 "},"finish_reason":null}]}'

function paths.json_decode(n)
  local decode = require("luge.json").decode
  for _ = 1, n do
    decode(DOCUMENT)
  end
end

function paths.json_encode(n)
  local json = require "luge.json"
  local value = json.decode(DOCUMENT)
  for _ = 1, n do
    json.encode(value)
  end
end

function paths.chain_step(n)
  local chain = require "luge.chain"
  local step = chain.fn(identity) | identity
  for i = 1, n do
    step:invoke(i)
  end
end

function paths.chain_event(n)
  local chain = require "luge.chain"
  local source = chain.generator(function(_, emit)
    for i = 1, n do
      emit(i)
    end
  end)
  for event in source:events() do
    n = event.event == "on_chain_stream" and n - 1 or n
  end
  assert(n == 0)
end

function paths.json_piece(n)
  local document = "[" .. (DOCUMENT .. ","):rep(n * 4 // #DOCUMENT) .. DOCUMENT .. "]"
  local at, values = -3, 0
  local parser = require("luge.llm").json()
  for _ in
    parser:transform(function()
      at = at + 4
      return at <= #document and document:sub(at, at + 3) or nil
    end)
  do
    values = values + 1
  end
  assert(values > n // 2) -- a piece may add nothing
end

-- Against bench_server, whose address is BENCH_URL.

local function model(headers)
  return require("luge.llm").model {
    base_url = os.getenv("BENCH_URL"):gsub("/$", ""),
    model = "mock",
    headers = headers,
  }
end

function paths.llm_prompt(n)
  local llm = require "luge.llm"
  local chain = llm.prompt "Question {i}: what is the answer?" | model() | llm.text()
  for i = 1, n do
    chain:invoke { i = i }
  end
end

function paths.llm_token(n)
  local llm = require "luge.llm"
  local chain = model { ["x-tokens"] = tostring(n) } | llm.text()
  for _ in chain:stream "Go on." do
    n = n - 1
  end
  assert(n == 0)
end

local function post(client, stream, pieces)
  return client:post(os.getenv "BENCH_URL", {
    json = { model = "mock", stream = stream },
    headers = { ["x-tokens"] = pieces },
    stream = stream,
  })
end

function paths.request(n)
  local client <close> = require("luge.http").client()
  for _ = 1, n do
    post(client):json()
  end
end

function paths.sse_event(n)
  local client <close> = require("luge.http").client()
  for _ in post(client, true, n):events() do
    n = n - 1
  end
  assert(n < 0) -- the first event names the role, the last two the end
end

local name, n = ...
if name == "--list" then
  for path in pairs(paths) do
    print(path)
  end
else
  paths[name](math.tointeger(n))
end
