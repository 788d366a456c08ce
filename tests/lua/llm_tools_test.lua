-- luge.llm: tools and structured outputs.
local luge = require "luge"
local json = require "luge.json"
local llm = require "luge.llm"
local test = require "luge.test"
local describe, it = test.describe, test.it

local provider = dofile "tests/support/provider.lua"
local answer = provider.answer

local fails = test.raises

local person = {
  type = "object",
  properties = { name = { type = "string" }, age = { type = "integer", minimum = 0 } },
  required = { "name", "age" },
}

local function add(arguments) return { sum = arguments.a + arguments.b } end

local adder = llm.tool {
  name = "add", description = "Adds two numbers.", run = add,
  parameters = { type = "object", required = { "a", "b" },
    properties = { a = { type = "number" }, b = { type = "number" } } },
}

describe("tools", function()
  it("check their arguments, run, and answer", function()
    test.same(adder:invoke { a = 1, b = 2 }, { sum = 3 })
    local call = { id = "c1", name = "add", arguments = { a = 1, b = 2 }, arguments_text = "{}" }
    test.same(adder:invoke(call), { sum = 3 })
    test.same(adder:invoke { id = "c1", name = "add", arguments = { a = 1, b = 2 } }, { sum = 3 })
    local told = adder:answer(call)
    test.same({ told.role, told.tool_call_id, told.name, json.decode(told.content) },
      { "tool", "c1", "add", { sum = 3 } })
    test.equal(fails("schema", adder.invoke, adder, { a = 1 }).path, "")
    test.equal(fails("schema", adder.invoke, adder, { a = 1, b = "x" }).path, "/b")
    fails("schema", adder.invoke, adder, 3)
  end)

  it("never run with arguments that are not whole", function()
    local ran = false
    local t = llm.tool { name = "t", run = function() ran = true end }
    fails("schema", t.invoke, t, { arguments_text = "3" })
    local broken = luge.error { kind = "parse", message = "cut" }
    fails("parse", t.invoke, t, { arguments_text = '{"a":', error = broken })
    test.ok(not ran)
  end)

  it("tell of failures", function()
    local t = llm.tool { name = "t", run = function() error("oops") end }
    local err = fails("tool", t.invoke, t, {})
    test.equal(err.tool, "t")
    test.matches(err.message, "the tool t failed: .*oops")
    test.matches(tostring(err.cause), "oops")
    local own = llm.tool { name = "t", run = function()
      error(luge.error { kind = "io", message = "x" })
    end }
    fails("io", own.invoke, own, {})
    local table_raised = llm.tool { name = "t", run = function() error { code = 5 } end }
    test.matches(fails("tool", table_raised.invoke, table_raised, {}).message, ': {"code":5}$')
  end)

  it("refuse what is no tool", function()
    fails("invalid", llm.tool, { name = "a b", run = print })
    fails("invalid", llm.tool, { name = "a" })
    fails("invalid", llm.tool, { run = print })
    fails("invalid", llm.tool, { name = "a", run = print, parameters = { type = "nonsense" } })
    fails("invalid", llm.tool, { name = "a", run = print, parameters = { type = "array" } })
    fails("invalid", llm.tool, { name = "a", run = print, params = {} })
    test.matches(fails("invalid", llm.tool, { name = "a", run = print,
      parameters = { city = { type = "string" } } }).message, "properties = {...}")
    fails("invalid", llm.model, "demo", { tools = { "add" } })
    test.matches(fails("invalid", llm.model, "demo", { tools = { adder }, tool_choice = "sub" })
      .message, "a tool's name")
  end)

  it("are sent as schemas of objects whose empty lists are lists", function()
    local server <close> = provider.new { answer "ok" }
    local m = llm.model { base_url = server.url, model = "m", stop = {}, tools = {
      llm.tool { name = "a", run = print },
      llm.tool { name = "b", run = print, parameters = { properties = {
        required = {}, x = { type = "object", required = {}, properties = {} },
      }, required = {} } },
    } }
    m:invoke "q"
    local sent = server.requests[1]
    test.equal(json.encode(sent.tools[1]["function"].parameters, { sort_keys = true }),
      '{"properties":{},"type":"object"}')
    test.equal(json.encode(sent.tools[2]["function"].parameters, { sort_keys = true }),
      '{"properties":{"required":{},"x":{"properties":{},"required":[],"type":"object"}},'
        .. '"required":[],"type":"object"}')
    test.equal(sent.stop, nil)
    m:bind({ tools = {} }):invoke "q"
    test.equal(server.requests[2].tools, nil)
    pcall(function() m:structured({ type = "object", required = {} }):invoke "q" end)
    test.equal(json.encode(server.requests[3].response_format.json_schema.schema.required), "[]")
  end)

  it("take back what a server gave with its calls", function()
    local thought = { google = { thought_signature = "s" } }
    local call = { id = "c1", type = "function", extra_content = thought,
      ["function"] = { name = "add", arguments = "{}" } }
    local server <close> = provider.new {
      answer("", "tool_calls", { tool_calls = { call }, reasoning_content = "hm" }),
      { provider.chunk { reasoning_content = "h" }, provider.chunk { reasoning_content = "m" },
        provider.chunk({ tool_calls = { call } }, "tool_calls"), "[DONE]" },
      answer("", "tool_calls", { tool_calls = { call }, reasoning = "hm" }),
    }
    local m = llm.model { base_url = server.url, model = "m" }
    local streamed
    local whole = m:invoke "q"
    for delta in m:stream "q" do streamed = streamed and streamed + delta or delta end
    local other = m:invoke "q"
    m:invoke { messages = { { "user", "q" }, whole, streamed, other } }
    local sent = server.requests[4].messages
    for i = 2, 4 do
      test.same(sent[i].tool_calls[1].extra_content, thought)
      test.equal(sent[i].reasoning_content, i < 4 and "hm" or nil)
      test.equal(sent[i].reasoning, nil)
    end
  end)

  it("take back OpenRouter's reasoning, whole", function()
    local function text(piece, signature)
      return { type = "reasoning.text", index = 0, text = piece,
        signature = signature or json.null }
    end
    local sealed = { type = "reasoning.encrypted", data = "z", id = "t1", index = 0 }
    local function piece(...)
      return provider.chunk { content = "", reasoning = "h", reasoning_details = { ... } }
    end
    local call = { id = "c1", type = "function", ["function"] = { name = "add", arguments = "{}" } }
    local summaries = { { type = "reasoning.summary", summary = "a" },
      { type = "reasoning.summary", summary = "b" } }
    local server <close> = provider.new {
      answer("", "tool_calls", { tool_calls = { call }, reasoning_content = "a",
        reasoning_details = summaries }),
      { piece(text "Let "), piece(text "me."),
        piece { type = "reasoning.text", signature = "s", index = 0 },
        piece(sealed), piece(sealed, summaries[1], summaries[2]),
        provider.chunk { content = "ok", reasoning_details = json.array() },
        provider.chunk({ tool_calls = { call } }, "tool_calls"), "[DONE]" },
      answer "done",
    }
    local m = llm.model { base_url = server.url, model = "m" }
    local streamed
    local whole = m:invoke "q"
    for delta in m:stream "q" do streamed = streamed and streamed + delta or delta end
    m:invoke { messages = { { "user", "q" }, whole, streamed } }
    local sent = server.requests[3].messages
    test.same(sent[2].reasoning_details, summaries)
    test.equal(sent[2].reasoning_content, nil)
    test.same(sent[3].reasoning_details, { text("Let me.", "s"), sealed, sealed,
      summaries[1], summaries[2] })
    test.equal(streamed.content, "ok")
  end)

  it("are bound to models, and their calls come back", function()
    local server <close> = provider.new { answer("", "tool_calls", { tool_calls = {
      { id = "c1", type = "function",
        ["function"] = { name = "add", arguments = '{"a":1,"b":2}' } },
    } }) }
    local m = llm.model { base_url = server.url, model = "m" }
    local out = m:bind({ tools = { adder }, tool_choice = "add" }):invoke "add 1 and 2"
    test.same(server.requests[1].tools, { { type = "function", ["function"] = {
      name = "add", description = "Adds two numbers.", parameters = adder.parameters,
    } } })
    test.same(server.requests[1].tool_choice,
      { type = "function", ["function"] = { name = "add" } })
    test.same(out.tool_calls[1].arguments, { a = 1, b = 2 })
    m:invoke { messages = { { "user", "q" }, out, adder:answer(out.tool_calls[1]) } }
    test.same(server.requests[2].messages[2], { role = "assistant", content = json.null,
      tool_calls = { { id = "c1", type = "function",
        ["function"] = { name = "add", arguments = '{"a":1,"b":2}' } } } })
    test.same(server.requests[2].messages[3],
      { role = "tool", tool_call_id = "c1", name = "add", content = '{"sum":3}' })
  end)
end)

describe("structured outputs", function()
  it("are checked tables", function()
    local server <close> = provider.new { answer('{"name":"Ada","age":36}') }
    local m = llm.model { base_url = server.url, model = "m" }
    test.same(m:structured(person):invoke "who?", { name = "Ada", age = 36 })
    test.same(server.requests[1].response_format, { type = "json_schema", json_schema = {
      name = "answer", schema = person, strict = false,
    } })
  end)

  it("may be no objects, which are all that providers take a schema of", function()
    local schema = { type = "array", items = { ["$ref"] = "#/$defs/n" },
      ["$defs"] = { n = { type = "integer" } } }
    local server <close> = provider.new {
      answer '{"answer":[1,"x"]}', answer '{"answer":[1,2]}', answer "[3]",
      { json = { stop_reason = "tool_use", content = { { type = "tool_use", id = "t",
        name = "answer", input = { answer = json.array { 4 } } } } } },
      answer "[5]",
    }
    local m = llm.model { base_url = server.url, model = "m" }
    test.same(m:structured(schema):invoke "q", { 1, 2 })
    local asked = server.requests[1].response_format.json_schema.schema
    test.same(asked, {
      type = "object", required = { "answer" }, additionalProperties = false,
      properties = { answer = { type = "array", items = { ["$ref"] = "#/$defs/n" } } },
      ["$defs"] = { n = { type = "integer" } },
    })
    test.same(m:structured(schema):invoke "q", { 3 })
    local claude = llm.model("anthropic:c", { base_url = server.url, api_key = "k" })
    test.same(claude:structured(schema):invoke "q", { 4 })
    test.same(server.requests[4].tools[1].input_schema, asked)
    test.same(llm.agent({ model = m, output = schema }):run("q").output, { 5 })
    test.equal(server.requests[5].response_format, nil)
    test.matches(server.requests[5].messages[1].content, '"array"')
  end)

  it("are asked for again, with what is wrong", function()
    local server <close> = provider.new {
      answer("Sure! Ada."), answer('{"name":"Ada","age":-1}'), answer('{"name":"Ada","age":36}'),
    }
    local m = llm.model { base_url = server.url, model = "m" }
    test.same(m:structured(person):invoke "who?", { name = "Ada", age = 36 })
    local last = server.requests[3].messages
    test.equal(#last, 5)
    test.equal(last[4].content, '{"name":"Ada","age":-1}')
    test.matches(last[5].content, "/age")
  end)

  it("fail when repairs run out", function()
    local server <close> = provider.new { answer('{"name":"Ada"}') }
    local m = llm.model { base_url = server.url, model = "m" }
    local s = m:structured(person, { repairs = 1 })
    local err = fails("schema", s.invoke, s, "who?")
    test.equal(#server.requests, 2)
    test.equal(err.answer.content, '{"name":"Ada"}')
    fails("invalid", m.structured, m, person, { repair = 1 })
    fails("invalid", m.structured, m, { type = "nonsense" })
    fails("invalid", s.structured, s, person)
  end)

  it("are not asked for again where that cannot help", function()
    local server <close> = provider.new {
      answer('{"name":', "length"), answer("", "stop", { refusal = "no" }),
      answer("", "content_filter"),
    }
    local s = llm.model({ base_url = server.url, model = "m" }):structured(person)
    local length = fails("llm", s.invoke, s, "who?")
    test.equal(length.code, "length")
    test.equal(length.partial.content, '{"name":')
    test.equal(fails("llm", s.invoke, s, "who?").code, "refusal")
    test.equal(fails("llm", s.invoke, s, "who?").code, "content_filter")
    test.equal(#server.requests, 3)
  end)

  it("come through a tool where the format has no place for a schema", function()
    local function use(input)
      return { json = { id = "m", type = "message", role = "assistant", model = "c",
        stop_reason = "tool_use",
        content = { { type = "tool_use", id = "t", name = "answer", input = input } } } }
    end
    local server <close> = provider.new { use { name = "Ada" }, use { name = "Ada", age = 36 } }
    local m = llm.model("anthropic:c", { base_url = server.url, api_key = "k" })
    test.same(m:structured(person):invoke "who?", { name = "Ada", age = 36 })
    test.same(server.requests[1].tool_choice, { type = "tool", name = "answer" })
    test.equal(server.requests[2].messages[3].content[1].type, "tool_result")
  end)
end)
