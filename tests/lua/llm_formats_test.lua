-- luge.llm: the formats of the providers, whole, streamed, and cut at every
-- byte.
local luge = require "luge"
local http = require "luge.http"
local json = require "luge.json"
local llm = require "luge.llm"
local message = require "luge.internal.llm.message"
local test = require "luge.test"
local describe, it = test.describe, test.it

local provider = dofile "tests/support/provider.lua"

-- Builds for finding bugs are slow: they try some of the places to cut at.
local STRIDE = require("luge.native.testrun").patience > 1 and 7 or 1

local function read(name)
  local file <close> = assert(io.open("tests/data/streams/" .. name, "rb"))
  return file:read("a")
end

-- Name of a stream -> the provider, its content type, and what it adds up to;
-- `ends`: from after which text it is complete.
local streams = {
  ["openai_text.sse"] = {
    provider = "openai", ends = '"finish_reason":"stop"}],"usage":null}\n\n',
    want = { content = "메이플 é🌊.", finish_reason = "stop", id = "chatcmpl-1",
      usage = { input_tokens = 9, output_tokens = 4, total_tokens = 13, cached_tokens = 2 } },
  },
  ["openai_tools.sse"] = {
    provider = "openai", ends = '"finish_reason":"tool_calls"}]}\n\n',
    want = { content = "", finish_reason = "tool_calls",
      calls = { { "call_a", "get_weather", { city = "Oslo" } }, { "call_b", "get_time", {} } } },
  },
  ["compatible_tools.sse"] = {
    provider = "openai", ends = '"finish_reason":"tool_calls"}]}\r\n\r',
    want = { content = "", finish_reason = "tool_calls", model = "compatible-1",
      calls = {
        { "a1", "get_weather", { city = "Bergen" } }, { "a2", "get_time", { zone = 1 } },
      } },
  },
  ["compatible_reasoning.sse"] = {
    provider = "openai", ends = '"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n',
    want = { content = "42", reasoning = "Hm, so.", finish_reason = "stop",
      usage = { input_tokens = 3, output_tokens = 4 } },
  },
  ["azure_text.sse"] = {
    provider = "openai", ends = '"finish_reason":"stop","index":0,"logprobs":null}],'
      .. '"created":1728000000,"id":"chatcmpl-az","model":"gpt-4o-2024-08-06",'
      .. '"object":"chat.completion.chunk","system_fingerprint":"fp_az","usage":null}\n\n',
    want = { content = "Grüß dich!", finish_reason = "stop", id = "chatcmpl-az",
      model = "gpt-4o-2024-08-06", usage = { input_tokens = 8, output_tokens = 4,
        total_tokens = 12, cached_tokens = 0, reasoning_tokens = 0 } },
  },
  ["gemini_tools.sse"] = {
    provider = "openai", ends = '"total_tokens":42}}\n\n',
    want = { content = "", finish_reason = "stop", model = "gemini-2.5-flash",
      usage = { input_tokens = 30, output_tokens = 12, total_tokens = 42 },
      calls = { { "call_1", "get_weather", { city = "Malmö" } },
        { "call_2", "get_weather", { city = "Oslo" } }, { "call_3", "get_time", {} } } },
  },
  ["openrouter_reasoning.sse"] = {
    provider = "openai", ends = '"native_finish_reason":"stop","logprobs":null}]}\n\n',
    want = { content = "42", reasoning = "Hm, 6 × 7.", finish_reason = "stop",
      usage = { input_tokens = 9, output_tokens = 6, total_tokens = 15, reasoning_tokens = 4 } },
  },
  ["anthropic_text.sse"] = {
    provider = "anthropic", ends = '{"type":"message_stop"}\n\n',
    want = { content = "Héllo", finish_reason = "stop", id = "msg_1", model = "claude-sonnet-4-5",
      usage = { input_tokens = 12, output_tokens = 6, cached_tokens = 4 } },
  },
  ["anthropic_tools.sse"] = {
    provider = "anthropic", ends = '{"type":"message_stop"}\n\n',
    want = { content = "I look.", reasoning = "Let me look.", finish_reason = "tool_calls",
      usage = { input_tokens = 20, output_tokens = 33 },
      calls = { { "toolu_1", "get_weather", { city = "Oslo" } }, { "toolu_2", "get_time", {} } } },
  },
  ["ollama.ndjson"] = {
    provider = "ollama", ends = '"eval_count":5}', type = "application/x-ndjson",
    want = { content = "Só", reasoning = "Hm.", finish_reason = "tool_calls", model = "llama3",
      usage = { input_tokens = 11, output_tokens = 5, total_tokens = 16 },
      calls = { { "call_1", "get_weather", { city = "Oslo" } }, { "call_2", "get_time", {} } } },
  },
}

local function check(got, want)
  for name, value in pairs(want) do
    if name ~= "calls" then test.same(got[name], value) end
  end
  test.equal(#(got.tool_calls or {}), #(want.calls or {}))
  for i, call in ipairs(want.calls or {}) do
    local made = got.tool_calls[i]
    test.same({ made.id, made.name, made.arguments }, call)
  end
end

local function model(case, url)
  return llm.model(case.provider .. ":m", {
    base_url = url, api_key = "k", max_retries = 0,
  })
end

-- A server that sends a stream as the question says: in pieces of so many
-- bytes, up to so many.
local function serve(text, kind)
  return http.server { handler = function(req)
    local last = req:json().messages[1].content
    if type(last) == "table" then last = last[1].text end
    local size, length = last:match("(%d+) (%d+)")
    size, length = math.tointeger(size), math.tointeger(length)
    return {
      headers = { ["Content-Type"] = kind or "text/event-stream" },
      stream = function(emit)
        for i = 1, length, size do
          emit(text:sub(i, math.min(i + size - 1, length)))
        end
      end,
    }
  end }
end

local function run(m, size, length)
  local sum = message.sum()
  local ok, err = pcall(function()
    for delta in m:stream(("%d %d"):format(size, length)) do sum:push(delta) end
  end)
  return ok, ok and sum:message() or err
end

local function check_cut(case, text, m, length)
  local complete = select(2, text:find(case.ends, 1, true))
  local ok, got = run(m, 4096, length)
  test.equal(ok, length >= complete, ("cut at %d: %s"):format(length, tostring(got)))
  if ok then return end
  test.equal(got.kind, "truncated")
  for _, call in ipairs(got.partial.tool_calls or {}) do
    test.ok(call.arguments == nil or got.partial.finish_reason, "a call that is not whole")
  end
  test.ok(case.want.content:sub(1, #got.partial.content) == got.partial.content)
end

for name, case in pairs(streams) do
  describe(name, function()
    local text = read(name)

    it("adds up, however it comes", function()
      local server <close> = serve(text, case.type)
      local m = model(case, server.url)
      for _, size in ipairs { 1, 2, 7, 4096 } do
        local ok, got = run(m, size, #text)
        test.ok(ok, tostring(got))
        check(got, case.want)
      end
    end)

    it("is truncated wherever it is cut before its end", function()
      local server <close> = serve(text, case.type)
      local m = model(case, server.url)
      luge.map((function()
        local length = 0
        return function()
          length = length + STRIDE
          return length <= #text and length or nil
        end
      end)(), function(length) check_cut(case, text, m, length) end, { concurrency = 8 })
    end, { timeout = 120 })
  end)
end

describe("anthropic", function()
  local answer = { json = {
    id = "msg", type = "message", role = "assistant", model = "claude", stop_reason = "tool_use",
    content = {
      { type = "thinking", thinking = "hm", signature = "sig" }, { type = "text", text = "so" },
      { type = "tool_use", id = "t1", name = "f", input = { x = 1 } },
    },
    usage = { input_tokens = 1, output_tokens = 2 },
  } }

  it("reads whole answers, and is told of them again", function()
    local server <close> = provider.new { answer }
    local tool = llm.tool { name = "f", description = "does f", run = function() return "done" end }
    local m = llm.model("anthropic:claude", {
      base_url = server.url, api_key = "k", tools = { tool }, tool_choice = "required",
      stop = "x", temperature = 1,
    })
    local out = m:invoke { messages = { { "system", "be kind" }, { "user", "hi" } } }
    check(out, { content = "so", reasoning = "hm", finish_reason = "tool_calls", model = "claude",
      calls = { { "t1", "f", { x = 1 } } } })
    test.equal(server.paths[1], "/v1/messages")
    test.equal(server.headers[1]["x-api-key"], "k")
    test.equal(server.headers[1]["anthropic-version"], "2023-06-01")
    test.same(server.requests[1], {
      model = "claude", system = "be kind", max_tokens = 4096, temperature = 1,
      messages = { { role = "user", content = { { type = "text", text = "hi" } } } },
      stop_sequences = { "x" }, tool_choice = { type = "any" },
      tools = { { name = "f", description = "does f",
        input_schema = { type = "object", properties = {} } } },
    })
    m:invoke { messages = { { "user", "hi" }, out, tool:answer(out.tool_calls[1]),
      tool:answer(out.tool_calls[1]) } }
    local sent = server.requests[2].messages
    test.same(sent[2], { role = "assistant", content = {
      { type = "thinking", thinking = "hm", signature = "sig" }, { type = "text", text = "so" },
      { type = "tool_use", id = "t1", name = "f", input = { x = 1 } },
    } })
    local result = { type = "tool_result", tool_use_id = "t1", content = "done" }
    test.same(sent[3], { role = "user", content = { result, result } })
    m:invoke { messages = { { "user", "a" }, { "assistant", "" }, { "user", "b" } } }
    test.same(server.requests[3].messages, { { role = "user",
      content = { { type = "text", text = "a" }, { type = "text", text = "b" } } } })
  end)

  it("is told parts of the system and of results, and calls that have only a text", function()
    local server <close> = provider.new { answer }
    local part = { type = "text", text = "long", cache_control = { type = "ephemeral" } }
    llm.model("anthropic:claude", { base_url = server.url, api_key = "k" }):invoke { messages = {
      { "system", "a" }, { "system", { part } }, { "user", "q" },
      { role = "assistant", content = "",
        tool_calls = { { id = "t", name = "f", arguments_text = '{"x":1}' } } },
      { role = "tool", tool_call_id = "t", content = { { type = "image", data = "abcd" } } },
    } }
    local sent = server.requests[1]
    test.same(sent.system, { { type = "text", text = "a" }, part })
    test.same(sent.messages[2].content[1].input, { x = 1 })
    test.same(sent.messages[3].content[1].content, { { type = "image",
      source = { type = "base64", media_type = "image/png", data = "YWJjZA==" } } })
  end)

  it("reads the input of a call that is no object as an error", function()
    local call = { type = "tool_use", id = "t", name = "f", input = 5 }
    local server <close> = provider.new { { json = { content = { call } } } }
    local got = llm.model("anthropic:c", { base_url = server.url, api_key = "k" }):invoke "hi"
    test.equal(got.tool_calls[1].arguments, nil)
    test.equal(got.tool_calls[1].error.kind, "parse")
  end)

  it("keeps the blocks of its reasoning in a stream", function()
    local text = read("anthropic_tools.sse")
    local server <close> = serve(text)
    local _, got = run(model(streams["anthropic_tools.sse"], server.url), 9, #text)
    test.same(got.reasoning_blocks,
      { { type = "thinking", thinking = "Let me look.", signature = "c2ln" } })
  end)

  it("keeps reasoning between other blocks, and such streams", function()
    local function block(index, start)
      return json.encode { type = "content_block_start", index = index, content_block = start }
    end
    local events = {
      block(0, { type = "thinking", thinking = "", signature = "" }),
      json.encode { type = "content_block_delta", index = 0,
        delta = { type = "thinking_delta", thinking = "a" } },
      json.encode { type = "content_block_delta", index = 0,
        delta = { type = "signature_delta", signature = "s" } },
      block(1, { type = "text", text = "x" }),
      block(2, { type = "redacted_thinking", data = "z" }),
      json.encode { type = "message_stop" },
    }
    local server <close> = provider.new { events }
    local m = llm.model("anthropic:c", { base_url = server.url, api_key = "k" })
    local path = os.tmpname()
    os.remove(path)
    local want = { { type = "thinking", thinking = "a", signature = "s" },
      { type = "redacted_thinking", data = "z", offset = 1 } }
    for _ = 1, 2 do
      local ok, got = llm.record(path, run, m, 1, 1)
      test.ok(ok, tostring(got))
      test.same(got.reasoning_blocks, want)
    end
    os.remove(path)
    test.equal(#server.requests, 1)
  end)

  it("gives reasoning back where it stood", function()
    local blocks = {
      { type = "thinking", thinking = "a", signature = "s" }, { type = "text", text = "Só, " },
      { type = "thinking", thinking = "b", signature = "t" }, { type = "text", text = "\n" },
      { type = "redacted_thinking", data = "z" }, { type = "text", text = "look." },
      { type = "tool_use", id = "t1", name = "f", input = { x = 1 } },
    }
    local events = {}
    local function add(event) table.insert(events, json.encode(event)) end
    for i, b in ipairs(blocks) do
      local start = {}
      for name, value in pairs(b) do start[name] = value end
      local delta = { type = b.type .. "_delta" }
      if b.type == "text" or b.type == "thinking" then
        delta[b.type], start[b.type] = b[b.type], ""
        start.signature = nil
      end
      add { type = "content_block_start", index = i, content_block = start }
      if delta[b.type] then add { type = "content_block_delta", index = i, delta = delta } end
      if b.signature then
        add { type = "content_block_delta", index = i,
          delta = { type = "signature_delta", signature = b.signature } }
      end
    end
    add { type = "message_delta", delta = { stop_reason = "tool_use" } }
    add { type = "message_stop" }
    local body = { id = "m", type = "message", role = "assistant", content = blocks,
      stop_reason = "tool_use" }
    local server <close> = provider.new { { json = body }, events, { json = body } }
    local m = llm.model("anthropic:c", { base_url = server.url, api_key = "k" })
    local whole = m:invoke "q"
    test.same(whole.raw, body)
    local ok, streamed = run(m, 1, 1)
    test.ok(ok, tostring(streamed))
    m:invoke { messages = { { "user", "q" }, whole, { "user", "r" }, streamed } }
    local sent = server.requests[3].messages
    table.remove(blocks, 4) -- the API refuses a text of nothing but white space
    test.same(sent[2].content, blocks)
    test.same(sent[4].content, blocks)
    test.equal(streamed.content, "Só, \nlook.")
  end)

  it("takes the tools of the server's own for no calls", function()
    local server <close> = provider.new { {
      json.encode { type = "message_start", message = { id = "m" } },
      json.encode { type = "content_block_start", index = 0,
        content_block = { type = "server_tool_use", id = "s", name = "web_search" } },
      json.encode { type = "content_block_delta", index = 0,
        delta = { type = "input_json_delta", partial_json = '{"query":"x"}' } },
      json.encode { type = "content_block_start", index = 1,
        content_block = { type = "text", text = "found" } },
      json.encode { type = "message_delta", delta = { stop_reason = "end_turn" } },
      json.encode { type = "message_stop" },
    } }
    local ok, got = run(llm.model("anthropic:c", { base_url = server.url, api_key = "k" }), 1, 1)
    test.ok(ok, tostring(got))
    check(got, { content = "found", finish_reason = "stop" })
  end)

  it("tells an error in a stream", function()
    local server <close> = provider.new { { json.encode {
      type = "error", error = { type = "overloaded_error", message = "Overloaded" },
    } } }
    local ok, err = run(llm.model("anthropic:c", {
      base_url = server.url, api_key = "k", max_retries = 0,
    }), 1, 1)
    test.ok(not ok)
    test.same({ err.kind, err.code, err.retryable }, { "llm", "overloaded", true })
  end)
end)

describe("ollama", function()
  it("sends its options and reads its answer", function()
    local server <close> = provider.new { { json = {
      model = "llama3", done = true, done_reason = "stop", prompt_eval_count = 1, eval_count = 2,
      message = { role = "assistant", content = "hi", tool_calls = { { ["function"] = {
        name = "f", arguments = { x = 1 } } } } },
    } } }
    local out = llm.model("ollama:llama3:8b", {
      base_url = server.url, temperature = 0, max_tokens = 5, stop = "x", seed = 1,
      response_format = { type = "json_object" },
    }):invoke "q"
    check(out, { content = "hi", finish_reason = "tool_calls",
      calls = { { "call_1", "f", { x = 1 } } } })
    test.same(server.requests[1], {
      model = "llama3:8b", stream = false, format = "json",
      messages = { { role = "user", content = "q" } },
      options = { temperature = 0, num_predict = 5, stop = { "x" }, seed = 1 },
    })
    test.equal(server.paths[1], "/api/chat")
  end)

  it("tells an error in a stream", function()
    local server <close> = provider.new { {
      headers = { ["Content-Type"] = "application/x-ndjson" }, body = '{"error":"no such model"}\n',
    } }
    local ok, err = run(llm.model("ollama:x", { base_url = server.url, max_retries = 0 }), 1, 1)
    test.ok(not ok)
    test.equal(err.kind, "llm")
    test.matches(err.message, "no such model")
  end)
end)

describe("images", function()
  it("are written as each format has them", function()
    local input = { messages = { { "user", {
      { type = "text", text = "look" },
      { type = "image", data = "abcd", media_type = "image/gif" },
      { type = "image", url = "http://x/y.png" },
    } } } }
    local server <close> = provider.new {
      { json = { content = { { type = "text", text = "a cat" } } } },
      { json = { message = { role = "assistant", content = "a cat" }, done = true } },
    }
    test.equal(llm.model("anthropic:c", { base_url = server.url, api_key = "k" })
      :invoke(input).content, "a cat")
    test.same(server.requests[1].messages[1].content, {
      { type = "text", text = "look" },
      { type = "image", source = { type = "base64", media_type = "image/gif", data = "YWJjZA==" } },
      { type = "image", source = { type = "url", url = "http://x/y.png" } },
    })
    local ollama = llm.model("ollama:c", { base_url = server.url })
    test.matches(test.raises("invalid", ollama.invoke, ollama, input).message, "http://x/y.png")
    input.messages[1][2][3].url = "data:image/webp;base64,YQ=="
    test.equal(ollama:invoke(input).content, "a cat")
    test.same(server.requests[2].messages, {
      { role = "user", content = "look", images = { "YWJjZA==", "YQ==" } },
    })
  end)

  it("have the type that their bytes say, and what else is said of them", function()
    local server <close> = provider.new { provider.answer "ok",
      { json = { content = { { type = "text", text = "ok" } } } } }
    local cached = { type = "ephemeral" }
    local input = { messages = { { "user", {
      { type = "image", data = "\xff\xd8\xff\xe0", detail = "low", cache_control = cached },
      { type = "image", url = "data:image/gif;base64,YQ==" },
    } } } }
    llm.model({ base_url = server.url, model = "m" }):invoke(input)
    test.same(server.requests[1].messages[1].content, {
      { type = "image_url",
        image_url = { url = "data:image/jpeg;base64,/9j/4A==", detail = "low" } },
      { type = "image_url", image_url = { url = "data:image/gif;base64,YQ==" } },
    })
    llm.model("anthropic:c", { base_url = server.url, api_key = "k" }):invoke(input)
    test.same(server.requests[2].messages[1].content, {
      { type = "image", cache_control = cached,
        source = { type = "base64", media_type = "image/jpeg", data = "/9j/4A==" } },
      { type = "image", source = { type = "base64", media_type = "image/gif", data = "YQ==" } },
    })
  end)
end)

describe("calls that are cut off", function()
  it("are an error, whole and streamed", function()
    local chunk = provider.chunk
    local server <close> = provider.new {
      provider.answer("", "length", { tool_calls = { { id = "a", type = "function",
        ["function"] = { name = "f", arguments = '{"x":' } } } }),
      { chunk { tool_calls = { { index = 0, id = "a", ["function"] = {
        name = "f", arguments = '{"x":' } } } }, chunk({}, "length"), "[DONE]" },
      provider.answer("only a text", "length"),
    }
    local m = llm.model { base_url = server.url, model = "m" }
    local ok, err = pcall(m.invoke, m, "q")
    test.ok(not ok)
    test.same({ err.kind, err.code }, { "llm", "length" })
    ok, err = run(m, 1, 1)
    test.ok(not ok)
    test.same({ err.kind, err.code }, { "llm", "length" })
    test.equal(m:invoke("q").finish_reason, "length")
  end)

  it("are one also before their arguments have begun", function()
    local chunk = provider.chunk
    local call = { type = "tool_use", id = "t1", name = "f", input = { x = 1 } }
    local server <close> = provider.new {
      { chunk { tool_calls = { { index = 0, id = "a", ["function"] = { name = "f" } } } },
        chunk({}, "length"), "[DONE]" },
      { json = { content = { call }, stop_reason = "max_tokens" } },
      { json = { content = { call }, stop_reason = "model_context_window_exceeded" } },
    }
    local openai = llm.model { base_url = server.url, model = "m" }
    local anthropic = llm.model("anthropic:c", { base_url = server.url, api_key = "k" })
    for _, case in ipairs { { run, openai, 1, 1 }, { pcall, anthropic.invoke, anthropic, "q" },
      { pcall, anthropic.invoke, anthropic, "q" } } do
      local ok, err = case[1](table.unpack(case, 2))
      test.ok(not ok)
      test.same({ err.kind, err.code }, { "llm", "length" })
    end
  end)
end)

describe("arguments", function()
  it("are an object, or an error", function()
    for text, want in pairs {
      [""] = {}, ["null"] = {}, ["[]"] = {}, ['{"x":1}'] = { x = 1 },
      ["[1]"] = false, ["3"] = false,
    } do
      local server <close> = provider.new { provider.answer("", "tool_calls", { tool_calls = {
        { id = "a", type = "function", ["function"] = { name = "f", arguments = text } },
      } }) }
      local call = llm.model({ base_url = server.url, model = "m" }):invoke("q").tool_calls[1]
      if want then
        test.same(call.arguments, want)
      else
        test.equal(call.arguments, nil)
        test.equal(call.error.kind, "parse")
      end
    end
  end)
end)
