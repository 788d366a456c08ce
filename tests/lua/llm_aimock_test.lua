-- luge.llm against aimock, a model server that others wrote: the OpenAI and the
-- Anthropic format, Ollama's, its faults, and its journal of requests.
local luge = require "luge"
local http = require "luge.http"
local llm = require "luge.llm"
local test = require "luge.test"
local describe, it = test.describe, test.it

local aimock = dofile "tests/support/aimock.lua"
local missing = not aimock.is_installed() and "aimock is not installed" or nil

local server

test.before(function()
  if not missing then server = aimock.start("tests/data/aimock") end
end)
test.after(function()
  if server then server.close() end
end)

local weather = llm.tool {
  name = "get_weather", description = "Tells the weather.",
  parameters = { type = "object", required = { "city" }, properties = {
    city = { type = "string" }, days = { type = "integer" },
  } },
  run = function(arguments) return arguments.city .. ": rain" end,
}

local formats = {
  openai = function(options)
    options.base_url = server.url .. "/v1"
    return llm.model("openai:gpt-4o-mini", options)
  end,
  anthropic = function(options)
    options.base_url = server.url
    return llm.model("anthropic:claude-sonnet-4-5", options)
  end,
  ollama = function(options)
    options.base_url = server.url
    return llm.model("ollama:llama3", options)
  end,
}

local EXPLAINED = "메이플스토리 is a game. It is played by many. 🍁 It has mushrooms."

for name, make in pairs(formats) do
  local function with_model(title, fn)
    it(title, function()
      fn(function(set)
        set = set or {}
        set.api_key = "test"
        return make(set)
      end)
    end, { skip = missing })
  end

  describe(name, function()
    with_model("does the main job: a call, a stream, a batch", function(model)
      local chain = llm.prompt "Explain {topic}" | model() | llm.text()
      test.equal(chain:invoke { topic = "a" }, EXPLAINED)
      local pieces = (chain:stream { topic = "a" }):collect()
      test.ok(#pieces > 1)
      test.equal(table.concat(pieces), EXPLAINED)
      local inputs = {}
      for i = 1, 40 do inputs[i] = { topic = tostring(i) } end
      local outputs = chain:batch(inputs, { concurrency = 8 })
      test.equal(outputs.n, 40)
      for i = 1, 40 do test.equal(outputs[i], EXPLAINED) end
    end)

    with_model("calls tools, whole and streamed", function(model)
      local m = model { tools = { weather } }
      local out = m:invoke "the weather, please"
      local sum
      for delta in m:stream "the weather, please" do sum = sum and sum + delta or delta end
      for _, message in ipairs { out, sum } do
        test.equal(message.finish_reason, "tool_calls")
        test.equal(#message.tool_calls, 2)
        test.same(message.tool_calls[1].arguments, { city = "Oslo", days = 2 })
        test.same(message.tool_calls[2].arguments, { city = "Bergen", days = 1 })
        local messages = { { "user", "the weather, please" }, message }
        for i, call in ipairs(message.tool_calls) do messages[2 + i] = weather:answer(call) end
        test.equal(m:invoke({ messages = messages }).content, "It rains in both.")
      end
    end)

    with_model("tells a stream that is cut off, with what came", function(model)
      local ok, err = pcall(function()
        for _ in model { max_retries = 0 }:stream "cut it" do end -- luacheck: ignore 542
      end)
      test.ok(not ok)
      test.ok(luge.is_error(err, "truncated") or luge.is_error(err, "network"), tostring(err))
      test.equal(("This answer is long"):sub(1, #err.partial.content),
        err.partial.content:sub(1, #"This answer is long"))
      test.equal(err.partial.finish_reason, nil)
    end)

    with_model("gives what the model thought", function(model)
      if name == "ollama" then return end -- gives no reasoning in this format
      local sum
      for delta in model():stream "think" do sum = sum and sum + delta or delta end
      for _, message in ipairs { model():invoke "think", sum } do
        test.same({ message.reasoning, message.content }, { "Let me see. ", "It is 42." })
      end
    end)

    with_model("tells each of its faults", function(model)
      local function under(chaos, want)
        http.post(server.url .. "/__aimock/chaos", { json = chaos }):raise_for_status()
        local m = model { max_retries = 0 }
        local calls = { m.invoke, function(...) return (m.stream(...)):collect() end }
        for i = 1, want[4] and 1 or 2 do -- a hint makes the next call wait
          local err = test.raises(want[1], calls[i], m, "Explain it")
          test.same({ err.kind, err.code, err.status, err.retry_after, err.retryable }, want)
        end
        http.request { method = "DELETE", url = server.url .. "/__aimock/chaos" }
      end
      under({ dropRate = 1 }, { "llm", "server", 500, nil, true })
      under({ malformedRate = 1 }, { "network", "protocol", nil, nil, false })
      under({ disconnectRate = 1 }, { "network", "reset", nil, nil, true })
      under({ rateLimitRate = 1 }, { "llm", "rate_limit", 429, 1, true })
    end)

    with_model("gives structured values", function(model)
      local schema = { type = "object", required = { "name", "age" }, properties = {
        name = { type = "string" }, age = { type = "integer" },
      } }
      test.same(model():structured(schema):invoke "a person", { name = "Ada", age = 36 })
    end)
  end)
end

-- The requests of the journal whose user said this last.
local function journaled(question)
  local journal = http.get(server.url .. "/__aimock/journal"):json()
  local seen = 0
  for _, entry in ipairs(journal.entries or journal) do
    local messages = type(entry.body) == "table" and entry.body.messages or {}
    for _, m in ipairs(messages) do
      local text = type(m.content) == "table" and m.content[1].text or m.content
      if m.role == "user" and text == question then seen = seen + 1 end
    end
  end
  return seen
end

describe("agents", function()
  for _, name in ipairs { "openai", "anthropic", "ollama" } do
    it("call tools and answer in the format of " .. name, function()
      local agent = llm.agent { model = formats[name] { api_key = "test" }, tools = { weather } }
      local result = agent:run("the weather, said to " .. name)
      test.equal(result.output, "It rains in both.")
      test.equal(result.turns, 2)
      test.equal(result.usage.requests, 2)
      test.equal(journaled("the weather, said to " .. name), 2)
      local kinds = {}
      for event in agent:stream "weather" do
        if event.type ~= "text" then kinds[#kinds + 1] = event.type end
      end
      test.same(kinds, { "tool_call", "tool_call", "tool_result", "tool_result", "done" })
    end, { skip = missing })
  end

  it("ask no more once they are cancelled", function()
    local began = luge.event()
    local agent = llm.agent { model = formats.openai { api_key = "test" }, tools = {
      llm.tool { name = "get_weather", run = function()
        began:set()
        luge.sleep(60)
      end },
    } }
    local task = luge.spawn(agent.run, agent, "weather, slowly")
    began:wait()
    task:cancel()
    pcall(task.await, task)
    local streaming = luge.spawn(function()
      for event in agent:stream "cut me off" do
        if event.type == "text" then luge.sleep(60) end
      end
    end)
    luge.sleep(0.05)
    streaming:cancel()
    pcall(streaming.await, streaming)
    luge.sleep(0.05)
    test.equal(journaled "weather, slowly", 1)
    test.ok(journaled "cut me off" <= 1)
  end, { skip = missing })
end)

describe("faults", function()
  it("of a busy server are waited for, as it says", function()
    local m = formats.openai { api_key = "test" }
    local before = luge.now()
    test.equal(m:invoke("are you busy?").content, "Here I am.")
    test.ok(luge.now() - before >= 0.4)
    local journal = http.get(server.url .. "/__aimock/journal"):json()
    local entries, seen = journal.entries or journal, 0
    for _, entry in ipairs(entries) do
      local body = entry.body
      local last = type(body) == "table" and body.messages and body.messages[#body.messages]
      if type(last) == "table" and last.content == "are you busy?" then seen = seen + 1 end
    end
    test.equal(seen, 2)
  end, { timeout = 20, skip = missing })

  it("at random do not lose an answer", function()
    http.post(server.url .. "/__aimock/chaos", {
      json = { dropRate = 0.2, disconnectRate = 0.1 },
    }):raise_for_status()
    local m = formats.openai { api_key = "test", max_retries = 12 }
    local chain = llm.prompt "Explain {topic}" | m | llm.text()
    local inputs = {}
    for i = 1, 12 do inputs[i] = { topic = tostring(i) } end
    local outputs = chain:batch(inputs)
    http.request { method = "DELETE", url = server.url .. "/__aimock/chaos" }
    for i = 1, 12 do test.equal(outputs[i], EXPLAINED) end
  end, { timeout = 60, skip = missing })
end)
