-- luge.llm: models, their options, keys, errors and retries, over HTTP.
local luge = require "luge"
local chain = require "luge.chain"
local json = require "luge.json"
local llm = require "luge.llm"
local test = require "luge.test"
local describe, it = test.describe, test.it

local here = debug.getinfo(1, "S").source:match("^@(.*)lua/[^/]*$")
local provider = dofile(here .. "support/provider.lua")
local chunk, answer = provider.chunk, provider.answer

-- Passes pieces on, through a stream of its own.
local passing = chain.generator(function(input, emit)
  for piece in input do emit(piece) end
end)

local function fails(kind, fn, ...)
  local ok, err = pcall(fn, ...)
  test.ok(not ok, "no error, but it should be " .. kind)
  test.ok(luge.is_error(err, kind), tostring(err))
  return err
end

local function model(server, options)
  local all = { base_url = server.url .. "/v1", model = "mock" }
  for name, value in pairs(options or {}) do all[name] = value end
  return llm.model(all)
end

local function collect(stream)
  local pieces = {}
  for piece in stream do pieces[#pieces + 1] = piece end
  return pieces
end

-- Reads a stream that breaks: its pieces, and the error.
local function broken(m, input)
  local pieces = {}
  local ok, err = pcall(function()
    for piece in m:stream(input or "hi") do pieces[#pieces + 1] = tostring(piece) end
  end)
  return pieces, not ok and err or nil
end

describe("names and keys", function()
  it("knows its providers", function()
    local err = fails("invalid", llm.model, "opnai:gpt-4o")
    test.matches(err.message, "no provider 'opnai'; providers: anthropic, demo, ollama, openai")
    test.matches(fails("invalid", llm.model, "gpt-4o").message, "provider:model")
    test.matches(fails("invalid", llm.model, "openai:").message, "names no model")
    test.matches(fails("invalid", llm.model, { base_url = "http://x" }).message, "option model")
    test.matches(fails("invalid", llm.model, "demo", { temprature = 1 }).message,
      "no option 'temprature'; it takes api_key, base_url")
    test.matches(fails("invalid", llm.model, "anthropic:x", { seed = 1 }).message,
      "anthropic takes no option 'seed'")
    fails("invalid", llm.model, "demo", { max_tokens = 0 })
    fails("invalid", llm.model, "demo", { tool_choice = "x" })
    fails("invalid", llm.model, 3)
  end)

  it("misses a key before anything is sent, naming the variable", function()
    for name, variable in pairs { openai = "OPENAI_API_KEY", anthropic = "ANTHROPIC_API_KEY" } do
      if not os.getenv(variable) then
        local m = llm.model(name .. ":x", { base_url = "http://127.0.0.1:1" })
        local err = fails("llm", m.invoke, m, "hi")
        test.equal(err.code, "auth")
        test.matches(err.message, variable)
        fails("llm", collect, m:stream("hi"))
      end
    end
  end)

  it("sends the key, and shows it nowhere", function()
    local key = "sk-secret-1234567890"
    local server <close> = provider.new { { status = 401, json = { error = {
      message = "Incorrect API key: " .. key, code = "invalid_api_key",
    } } } }
    local m = llm.model("openai:gpt", { base_url = server.url, api_key = key })
    local err = fails("llm", m.invoke, m, "hi")
    test.equal(server.headers[1].authorization, "Bearer " .. key)
    test.equal(err.code, "auth")
    test.equal(err.status, 401)
    test.ok(not tostring(err):find(key, 1, true))
    test.ok(not tostring(m):find(key, 1, true))
    for _, value in pairs(m) do test.ok(value ~= key) end
    local function dump(value, seen)
      if type(value) == "table" and not seen[value] then
        seen[value] = true
        for k, v in pairs(value) do
          test.ok(not tostring(v):find(key, 1, true), tostring(k))
          dump(v, seen)
        end
      end
    end
    dump(err, {})
    dump(m, {})
  end)
end)

describe("calls", function()
  it("send what the options say and read the answer", function()
    local server <close> = provider.new { answer("hello") }
    local m = model(server, {
      temperature = 0.5, max_tokens = 9, stop = { "x" }, seed = 3, extra = { user = "me" },
      headers = { ["X-Test"] = "1" }, response_format = { type = "json_object" },
    })
    local out = m:invoke "hi"
    test.same(server.requests[1], {
      model = "mock", messages = { { role = "user", content = "hi" } }, temperature = 0.5,
      max_tokens = 9, stop = { "x" }, seed = 3, user = "me",
      response_format = { type = "json_object" },
    })
    test.equal(server.paths[1], "/v1/chat/completions")
    test.equal(server.headers[1]["x-test"], "1")
    test.equal(server.headers[1].authorization, nil)
    test.equal(out.content, "hello")
    test.equal(tostring(out), "hello")
    test.equal(out.role, "assistant")
    test.equal(out.finish_reason, "stop")
    test.equal(out.model, "mock-1")
    test.equal(out.id, "a1")
    test.equal(out.usage.input_tokens, 5)
    test.equal(out.usage.output_tokens, 7)
    test.equal(out.raw.id, "a1")
  end)

  it("take strings, prompts, messages and parts", function()
    local server <close> = provider.new { answer("ok") }
    local m = model(server)
    m:invoke { messages = {
      { role = "system", content = "be" }, { "user", "hi" },
      { role = "user", content = {
        { type = "text", text = "look" },
        { type = "image", data = "abcd", media_type = "image/gif" },
        { type = "image", url = "http://x/y.png" },
      } },
    } }
    test.same(server.requests[1].messages, {
      { role = "system", content = "be" }, { role = "user", content = "hi" },
      { role = "user", content = {
        { type = "text", text = "look" },
        { type = "image_url", image_url = { url = "data:image/gif;base64,YWJjZA==" } },
        { type = "image_url", image_url = { url = "http://x/y.png" } },
      } },
    })
    fails("invalid", m.invoke, m, 3)
    fails("invalid", m.invoke, m, {})
    test.matches(fails("invalid", m.invoke, m, { messages = { { role = "bot", content = "" } } })
      .message, "no role \"bot\"")
  end)

  it("bind options", function()
    local server <close> = provider.new { answer("ok") }
    model(server, { temperature = 0 }):bind({ stop = "." }):invoke "hi"
    test.equal(server.requests[1].stop, ".")
    test.equal(server.requests[1].temperature, 0)
    local m = model(server)
    fails("invalid", m.bind, m, { api_key = "x" })
  end)

  it("tell what a server refuses", function()
    local cases = {
      { 400, { code = "context_length_exceeded", message = "too long" }, "context_length" },
      { 400, { message = "This model's maximum context length is 5" }, "context_length" },
      { 400, { message = "bad" }, "invalid_request" },
      { 403, { message = "no" }, "auth" },
      { 404, { message = "no model", code = "model_not_found" }, "invalid_request" },
      { 429, { code = "insufficient_quota", message = "pay" }, "quota" },
      { 400, { code = "content_filter", message = "no" }, "content_filter" },
    }
    for _, case in ipairs(cases) do
      local server <close> = provider.new { {
        status = case[1], json = { error = case[2] }, headers = { ["x-request-id"] = "r1" },
      } }
      local m = model(server)
      local err = fails("llm", m.invoke, m, "hi")
      test.equal(err.code, case[3])
      test.equal(err.status, case[1])
      test.equal(err.request_id, "r1")
      test.equal(err.provider, "openai")
      test.equal(err.model, "mock")
      test.equal(err.retryable, false)
      test.equal(#server.requests, 1)
    end
  end)

  it("tell an answer that is not one", function()
    local server <close> = provider.new { {
      body = "<html><body>Hotel WiFi</body></html>", headers = { ["Content-Type"] = "text/html" },
    } }
    local m = model(server)
    local err = fails("network", m.invoke, m, "hi")
    test.equal(err.code, "protocol")
    test.matches(err.message, "Hotel WiFi")
    test.equal(fails("network", collect, m:stream("hi")).code, "protocol")
    local list <close> = provider.new { { json = { data = {} } } }
    test.equal(fails("network", function() model(list):invoke "hi" end).code, "protocol")
  end)

  it("raise errors at status 200", function()
    local server <close> = provider.new { { json = { error = { message = "no", code = 400 } } } }
    local m = model(server)
    test.equal(fails("llm", m.invoke, m, "hi").code, "invalid_request")
    fails("llm", collect, m:stream("hi"))
  end)
end)

describe("retries", function()
  it("try again what may help, as often as allowed", function()
    for _, status in ipairs { 408, 409, 429, 500, 503, 529 } do
      local bad = { status = status, json = { error = { message = "later" } },
        headers = { ["retry-after-ms"] = "1" } }
      local server <close> = provider.new { bad, bad, answer("ok") }
      test.equal(model(server):invoke("hi").content, "ok")
      test.equal(#server.requests, 3)
      local worse <close> = provider.new { bad }
      local m = model(worse, { max_retries = 1 })
      local err = fails("llm", m.invoke, m, "hi")
      test.equal(#worse.requests, 2)
      test.equal(err.attempts, 2)
      test.equal(err.status, status)
    end
  end)

  it("do not multiply inside an outer retry", function()
    local bad = { status = 500, json = {}, headers = { ["retry-after-ms"] = "1" } }
    local server <close> = provider.new { bad }
    local m = model(server)
    fails("llm", luge.retry, function() m:invoke "hi" end, { attempts = 2 })
    test.equal(#server.requests, 2)
    local outer = m:retry { attempts = 3 }
    fails("llm", outer.invoke, outer, "hi")
    test.equal(#server.requests, 5)
    local set = model(server, { max_retries = 1 })
    fails("llm", luge.retry, function() set:invoke "hi" end, { attempts = 2 })
    test.equal(#server.requests, 9)
  end)

  it("fail at once when the hint is too long", function()
    local server <close> = provider.new { {
      status = 429, json = { error = { message = "slow" } }, headers = { ["retry-after"] = "3600" },
    } }
    local m = model(server)
    local err = fails("llm", m.invoke, m, "hi")
    test.equal(#server.requests, 1)
    test.equal(err.retry_after, 3600)
    test.equal(err.code, "rate_limit")
  end)

  it("keep to the deadline", function()
    local server <close> = provider.new { {
      status = 503, json = { error = { message = "later" } }, headers = { ["retry-after"] = "2" },
    } }
    local m = model(server, { deadline = 1 })
    local start = luge.now()
    test.equal(fails("llm", m.invoke, m, "hi").status, 503)
    test.ok(luge.now() - start < 0.5)
    local hanging <close> = provider.new { function() luge.sleep(10) end }
    fails("timeout", function() model(hanging, { deadline = 0.05 }):invoke "hi" end)
    test.ok(luge.now() - start < 1)
  end)

  it("bound an attempt, and count it", function()
    local server <close> = provider.new { function() luge.sleep(10) end }
    local m = model(server, { timeout = 0.02, max_retries = 0 })
    fails("timeout", m.invoke, m, "hi")
    test.equal(#server.requests, 1)
  end)

  it("cool every waiter of a model down", function()
    local refused, answered = 0, 0
    local cold
    local server <close> = provider.new { function()
      if not cold then
        cold = luge.now() + 0.1
        refused = refused + 1
        return { status = 429, json = { error = { message = "slow" } },
          headers = { ["retry-after-ms"] = "100" } }
      elseif luge.now() < cold then
        refused = refused + 1
        return { status = 429, json = { error = { message = "slow" } },
          headers = { ["retry-after-ms"] = tostring((cold - luge.now()) * 1000) } }
      end
      answered = answered + 1
      return answer("ok")
    end }
    local first = model(server)
    local inputs = {}
    for i = 1, 30 do inputs[i] = "q" .. i end
    luge.spawn(function() first:invoke "first" end)
    luge.sleep(0.02)
    first:batch(inputs, { concurrency = 30 })
    test.equal(answered, 31)
    test.equal(refused, 1)
  end)
end)

describe("streams", function()
  local hello = {
    chunk { role = "assistant", content = "" }, chunk { content = "hel" }, chunk { content = "lo" },
    chunk({}, "stop"),
    chunk(nil, nil, {
      choices = json.array(), usage = { prompt_tokens = 1, completion_tokens = 2 },
    }),
    "[DONE]",
  }

  it("give deltas that add up to the whole", function()
    local server <close> = provider.new { hello }
    local pieces = collect(model(server):stream "hi")
    test.equal(server.requests[1].stream, true)
    local texts = {}
    for i, piece in ipairs(pieces) do texts[i] = piece.content end
    test.same({ texts[1], texts[2] }, { "hel", "lo" })
    local sum = pieces[1]
    for i = 2, #pieces do sum = sum + pieces[i] end
    test.equal(sum.content, "hello")
    test.equal(sum.finish_reason, "stop")
    test.equal(sum.role, "assistant")
    test.equal(sum.model, "mock-1")
    test.same(sum.usage, { input_tokens = 1, output_tokens = 2 })
  end)

  it("come piece by piece", function()
    local gate = luge.event()
    local server <close> = provider.new { {
      chunk { content = "a" }, function() gate:wait() end, chunk { content = "b" }, "[DONE]",
    } }
    local s <close> = ((model(server) | llm.text()):stream "hi")
    test.equal(s:next(), "a")
    gate:set()
    test.equal(s:next(), "b")
    test.equal(s:next(), nil)
  end)

  it("end at [DONE] even if the socket stays open", function()
    local server <close> = provider.new { {
      chunk { content = "a" }, "[DONE]", function() luge.sleep(10) end,
    } }
    local start = luge.now()
    test.equal(#collect(model(server):stream "hi"), 1)
    test.ok(luge.now() - start < 1)
  end)

  it("end with a finish reason where [DONE] is missing", function()
    local server <close> = provider.new { { chunk { content = "a" }, chunk({}, "stop") } }
    test.equal(#collect(model(server):stream "hi"), 2)
  end)

  it("are truncated without an end mark, with what came", function()
    local server <close> = provider.new {
      { chunk { content = "hel" }, chunk { content = "lo" } },
    }
    local pieces, err = broken(model(server))
    test.same(pieces, { "hel", "lo" })
    test.equal(err.kind, "truncated")
    test.equal(err.partial.content, "hello")
    test.equal(#server.requests, 1)
    local free = broken(model(server, { end_mark = false }))
    test.same(free, { "hel", "lo" })
  end)

  it("are tried again until the first visible piece", function()
    local server <close> = provider.new {
      { chunk { role = "assistant", content = "" } },
      { json.encode { error = { type = "overloaded_error", message = "busy" } } },
      hello,
    }
    test.same(collect((model(server) | llm.text()):stream "hi"), { "hel", "lo" })
    test.equal(#server.requests, 3)
  end)

  it("raise an error in the stream, with what came", function()
    local server <close> = provider.new { {
      chunk { content = "a" }, json.encode { error = { message = "overloaded", code = 503 } },
    } }
    local pieces, err = broken(model(server))
    test.same(pieces, { "a" })
    test.equal(err.kind, "llm")
    test.equal(err.code, "overloaded")
    test.equal(err.partial.content, "a")
    test.equal(#server.requests, 1)
  end)

  it("tell an event that is no JSON", function()
    local server <close> = provider.new { { chunk { content = "a" }, "{broken" } }
    local _, err = broken(model(server))
    test.equal(err.kind, "network")
    test.equal(err.code, "protocol")
    test.equal(err.partial.content, "a")
  end)

  it("close the connection when they are left", function()
    local left = false
    local server <close> = provider.new { {
      chunk { content = "a" },
      function()
        local _ <close> = setmetatable({}, { __close = function() left = true end })
        luge.sleep(5)
      end,
    } }
    for _ in model(server):stream "hi" do break end -- luacheck: ignore 512
    local start = luge.now()
    while not left and luge.now() - start < 2 do luge.sleep(0.002) end
    test.ok(left)
  end)

  it("are whole after a wait that was cancelled", function()
    local server <close> = provider.new { {
      chunk { content = "a" }, function() luge.sleep(0.05) end, chunk { content = "b" }, "[DONE]",
    } }
    local s <close> = ((model(server) | llm.text() | passing):stream "hi")
    test.equal(s:next(), "a")
    fails("timeout", luge.timeout, 0.005, s.next, s)
    test.equal(s:next(), "b")
    test.equal(s:next(), nil)
  end)

  it("are closed when the task that opened them ends", function()
    local left = luge.event()
    local server <close> = provider.new { {
      chunk { content = "a" },
      function()
        local _ <close> = setmetatable({}, { __close = function() left:set() end })
        luge.sleep(5)
      end,
    } }
    local s
    luge.await(luge.spawn(function()
      s = (model(server):stream "hi")
      s:next()
    end))
    luge.timeout(2, left.wait, left)
  end)

  it("keep to a deadline", function()
    local server <close> = provider.new {
      { chunk { content = "a" }, function() luge.sleep(5) end },
    }
    local pieces, err = broken(model(server, { deadline = 0.05 }))
    test.same(pieces, { "a" })
    test.equal(err.kind, "timeout")
  end)

  it("wait for their turn with a concurrency", function()
    local inside, most = 0, 0
    local server <close> = provider.new { function()
      inside = inside + 1
      most = math.max(most, inside)
      luge.sleep(0.003)
      inside = inside - 1
      return { chunk { content = "a" }, "[DONE]" }
    end }
    local m = model(server, { concurrency = 2 })
    luge.map({ 1, 2, 3, 4, 5, 6 }, function() return #collect(m:stream "hi") end)
    test.equal(most, 2)
  end)
end)

describe("a refused connection", function()
  it("is network, and tried again", function()
    local server = provider.new { answer("ok") }
    local m = model(server, { max_retries = 1 })
    server.server:close()
    local err = fails("network", m.invoke, m, "hi")
    test.equal(err.attempts, 2)
  end)
end)
