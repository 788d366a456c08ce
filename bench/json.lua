-- luge.json beside lua-cjson: CPU time for one document, each way, and how
-- many times faster luge.json is. Run: luge bench/json.lua
--
-- The two take turns in short runs and the fastest run counts, so that other
-- programs on the machine disturb the ratio little.

local json = require "luge.json"
local cjson = require "cjson"

local RUNS = 15
local RUN_SECONDS = 0.02

local function completion()
  return [[{"id":"chatcmpl-9f2LxW0aGmQv5Zq7rTtYb3uKcDeHs","object":"chat.completion",]]
    .. [["created":1718345013,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,]]
    .. [["message":{"role":"assistant","content":"The tides are caused by the pull of the Moon ]]
    .. [[and the Sun on the oceans.\n\nTwice a day the water rises, and twice it falls: \"high\" ]]
    .. [[and \"low\" water.","refusal":null},"logprobs":null,"finish_reason":"stop"}],]]
    .. [["usage":{"prompt_tokens":24,"completion_tokens":41,"total_tokens":65,]]
    .. [["prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":"fp_483d39d857"}]]
end

local function chunk()
  return [[{"id":"chatcmpl-9f2LxW0aGmQv5Zq7rTtYb3uKcDeHs","object":"chat.completion.chunk",]]
    .. [["created":1718345013,"model":"gpt-4o-mini-2024-07-18","system_fingerprint":]]
    .. [["fp_483d39d857","choices":[{"index":0,"delta":{"content":" tide"},"logprobs":null,]]
    .. [["finish_reason":null}]}]]
end

local function record(i)
  return {
    id = i,
    name = "user " .. i,
    email = ("person%d@example.com"):format(i),
    active = i % 3 == 0,
    score = i * 0.37,
    ratio = 1 / i,
    tags = { "alpha", "beta", "überraschung", "日本語" },
    address = { street = i .. " Main Street", city = "Springfield", zip = "12345" },
    note = "She said \"hello\",\nand then\tleft. " .. ("lorem ipsum "):rep(8),
  }
end

local function mixed()
  local list = {}
  for i = 1, 2800 do
    list[i] = record(i)
  end
  return json.encode(list)
end

local function numbers(make)
  local list = {}
  for i = 1, 100000 do
    list[i] = make(i)
  end
  return json.encode(list)
end

local function long_strings()
  local list = {}
  for i = 1, 20 do
    list[i] = ("It was the best of times, it was the worst of times. "):rep(100) .. "\n" .. i
  end
  return json.encode(list)
end

math.randomseed(42)

local documents = {
  { "completion, 0.6 KB", completion() },
  { "stream chunk, 0.25 KB", chunk() },
  { "mixed, 1 MB", mixed() },
  { "100,000 integers", numbers(function(i) return i * 7919 % 1000003 end) },
  { "100,000 prices", numbers(function(i) return (i * 7919 % 1000003) / 100 end) },
  { "100,000 random doubles", numbers(function() return math.random() * 2 - 1 end) },
  { "long strings, 100 KB", long_strings() },
}

local function run(fn, argument, times)
  local start = os.clock()
  for _ = 1, times do
    fn(argument)
  end
  return os.clock() - start
end

local function repetitions(fn, argument)
  local times = 1
  while run(fn, argument, times) < RUN_SECONDS do
    times = times * 2
  end
  return times
end

-- Seconds for one call of each function.
local function compare(ours, our_argument, theirs, their_argument)
  local times = repetitions(ours, our_argument)
  local our_best, their_best = math.huge, math.huge
  for _ = 1, RUNS do
    collectgarbage()
    our_best = math.min(our_best, run(ours, our_argument, times))
    collectgarbage()
    their_best = math.min(their_best, run(theirs, their_argument, times))
  end
  return our_best / times, their_best / times
end

local function report(name, what, ours, theirs)
  print(("%-24s %-7s %12.2f %12.2f %8.2f"):format(name, what, ours * 1e6, theirs * 1e6,
    theirs / ours))
end

print(("%-24s %-7s %12s %12s %8s"):format("document", "", "luge us", "cjson us", "ratio"))
for _, document in ipairs(documents) do
  local name, text = document[1], document[2]
  report(name, "decode", compare(json.decode, text, cjson.decode, text))
  report(name, "encode", compare(json.encode, json.decode(text), cjson.encode, cjson.decode(text)))
end
