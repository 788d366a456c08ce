-- luge.llm: models, their names, options, keys and errors, over HTTP.
local http = require "luge.http"
local llm = require "luge.llm"
local test = require "luge.test"
local describe, it = test.describe, test.it

local provider = dofile "tests/support/provider.lua"
local model = provider.model
local answer = provider.answer

local fails = test.raises

local function collect(stream) return stream:collect() end

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
    fails("invalid", llm.model, "demo", { headers = { "X-A: b" } })
    fails("invalid", llm.model, "demo", { headers = { a = {} } })
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
        m = llm.model(name .. ":x", { base_url = "http://127.0.0.1:1", api_key = "" })
        test.equal(fails("llm", m.invoke, m, "hi").code, "auth")
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
    local header = llm.model { base_url = server.url, model = "m", headers = { ["api-key"] = key } }
    test.ok(not tostring(fails("llm", header.invoke, header, "hi")):find(key, 1, true))
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
    for _, one in ipairs { { role = "user", content = "a" }, { "user", "a" }, { "human", "a" } } do
      m:invoke(one)
      test.same(server.requests[#server.requests].messages, { { role = "user", content = "a" } })
    end
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
      { 402, { message = "Insufficient balance", code = 402 }, "quota" },
      { 400, { message = "The input token count (9) exceeds the maximum number of tokens allowed" },
        "context_length" },
      { 429, { message = "Your account is not active", code = "billing_not_active" }, "quota" },
      { 400, { message = "API key not valid. Please pass a valid API key." }, "auth" },
      { 400, { type = "exceed_context_size_error",
        message = "the request exceeds the available context size" }, "context_length" },
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

  it("read errors that are listed, or in other words", function()
    local server <close> = provider.new {
      { status = 429, json = { { error = { code = 429, status = "RESOURCE_EXHAUSTED",
        message = "You exceeded your current quota. Please retry in 0.01s." } } } },
      answer "ok",
      { status = 404, json = { detail = "Not Found" } },
    }
    test.equal(model(server):invoke("hi").content, "ok")
    test.matches(fails("llm", function() model(server):invoke "hi" end).message,
      "%(invalid_request%): Not Found$")
  end)

  it("tell a redirect, and an answer that is empty", function()
    for want, response in pairs {
      ["redirects to https://x/v1, which is not followed"] =
        { status = 301, headers = { Location = "https://x/v1" }, body = "<html>moved</html>" },
      ["answered 500: its answer is empty"] = { status = 500, body = "" },
      ["not in its format; it is empty"] = { body = "" },
    } do
      local server <close> = provider.new { response }
      local _, err = pcall(function() model(server, { max_retries = 0 }):invoke "hi" end)
      test.ok(err.message:find(want, 1, true), err.message)
    end
  end)

  it("go below a base URL that has a query", function()
    local targets = {}
    local server <close> = http.server { handler = function(req)
      targets[#targets + 1] = req.target
      return provider.answer "ok"
    end }
    for _, base in ipairs { "/v1", "/v1/", "/azure/v1/?api-version=2", "/v1?key=a" } do
      llm.model({ base_url = server.url .. base, model = "m" }):invoke "hi"
    end
    test.same(targets, { "/v1/chat/completions", "/v1/chat/completions",
      "/azure/v1/chat/completions?api-version=2", "/v1/chat/completions?key=a" })
  end)

  it("refuse contents that are none", function()
    local m = llm.model "demo"
    for _, content in ipairs { 5, true, { "x" }, { { text = "x" } }, { { type = "text" } },
      { { type = "image" } }, { { type = "image", data = 5 } } } do
      local err = fails("invalid", m.invoke, m, { messages = { { "user", content } } })
      test.matches(err.message, "^messages%[1%]: .*content")
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
    local strange <close> = provider.new { { body = "3" }, { json = { choices = { 5 } } },
      { json = { choices = { { message = "yes" } } } }, { json = { content = { 5 } } } }
    for _ = 1, 3 do
      test.equal(fails("network", function() model(strange):invoke "hi" end).code, "protocol")
    end
    local claude = llm.model("anthropic:c", { base_url = strange.url, api_key = "k" })
    test.equal(fails("network", claude.invoke, claude, "hi").code, "protocol")
  end)

  it("raise errors at status 200", function()
    local server <close> = provider.new { { json = { error = { message = "no", code = 400 } } } }
    local m = model(server)
    test.equal(fails("llm", m.invoke, m, "hi").code, "invalid_request")
    fails("llm", collect, m:stream("hi"))
    for _, body in ipairs {
      { error = { message = "no", code = 502 }, choices = { { message = { content = "par" } } } },
      { choices = { { message = { content = "par" }, finish_reason = "error",
        error = { message = "no", code = 502 } } } },
      { choices = { { message = { content = "" }, finish_reason = "error" } } },
      { { error = { message = "no", code = 500 } } },
    } do
      local told <close> = provider.new { { json = body, headers = { ["x-request-id"] = "r1" } } }
      local err = fails("llm", function() model(told, { max_retries = 0 }):invoke "hi" end)
      test.same({ err.code, err.request_id }, { "server", "r1" })
    end
  end)

  it("read the first of several answers, and calls of functions", function()
    local server <close> = provider.new {
      { json = { choices = { { index = 1, message = { content = "B" } },
        { index = 0, message = { content = "A" } } } } },
      answer(nil, "function_call", { function_call = { name = "f", arguments = '{"x":1}' } }),
    }
    test.equal(model(server):invoke("hi").content, "A")
    local out = model(server):invoke "hi"
    test.equal(out.finish_reason, "tool_calls")
    test.same(out.tool_calls[1].arguments, { x = 1 })
  end)
end)
