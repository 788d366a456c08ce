-- luge.llm: agents.
local luge = require "luge"
local http = require "luge.http"
local json = require "luge.json"
local llm = require "luge.llm"
local test = require "luge.test"
local describe, it = test.describe, test.it

local longer = dofile "tests/support/longer.lua"
local provider = dofile "tests/support/provider.lua"
local answer = provider.answer

test.after_each(function() require("luge.internal.llm.demo").close() end)

local fails = test.raises

-- An answer that calls tools: { name, arguments as text } each.
local function calling(...)
  local calls = {}
  for i, call in ipairs { ... } do
    calls[i] = { id = "c" .. i, type = "function",
      ["function"] = { name = call[1], arguments = call[2] or "{}" } }
  end
  return answer("", "tool_calls", { tool_calls = calls })
end

local function model(server)
  return llm.model { base_url = server.url, model = "m", max_retries = 0 }
end

local function tool(name, run, parameters)
  return llm.tool { name = name, run = run, parameters = parameters }
end

-- What the model was told of the calls of its first turn.
local function told(server)
  local texts = {}
  for _, m in ipairs(server.requests[2].messages) do
    if m.role == "tool" then texts[#texts + 1] = m.content end
  end
  return texts
end

describe("an agent", function()
  it("calls tools until it has an answer", function()
    local server <close> = provider.new {
      calling({ "add", '{"a":1,"b":2}' }), answer("It is 3."),
    }
    local agent = llm.agent {
      model = model(server), instructions = "Be brief.",
      tools = { tool("add", function(t) return t.a + t.b end) },
    }
    local result = agent:run "What is 1 and 2?"
    test.equal(result.output, "It is 3.")
    test.equal(tostring(result), "It is 3.")
    test.equal(result.turns, 2)
    test.equal(result.usage.requests, 2)
    test.equal(result.usage.input_tokens, 10)
    test.equal(result.agent, agent)
    local roles = {}
    for i, m in ipairs(result.messages) do roles[i] = m.role end
    test.same(roles, { "user", "assistant", "tool", "assistant" })
    test.same(told(server), { "3" })
    test.equal(server.requests[2].messages[1].content, "Be brief.")
    local again = agent:run { messages = result.messages }
    test.equal(again.output, "It is 3.")
  end)

  it("runs the calls of a turn at the same time, and answers in their order", function()
    local running, most = 0, 0
    local function slow(t)
      running = running + 1
      most = math.max(most, running)
      luge.sleep(t.s)
      running = running - 1
      return "after " .. t.s
    end
    local server <close> = provider.new {
      calling({ "slow", '{"s":0.02}' }, { "slow", '{"s":0.001}' }), answer("ok"),
    }
    llm.agent({ model = model(server), tools = { tool("slow", slow) } }):run "go"
    test.equal(most, 2)
    test.same(told(server), { "after 0.02", "after 0.001" })
  end)

  it("tells the model what went wrong", function()
    local ran = false
    local server <close> = provider.new {
      calling({ "nothing" }, { "strict", '{"n":"x"}' }, { "strict", '{"n":' }, { "fails" },
        { "fn" }, { "nan" }, { "large" }),
      answer("ok"),
    }
    llm.agent({ model = model(server), tools = {
      tool("strict", function() ran = true end, {
        type = "object", properties = { n = { type = "integer" } },
      }),
      tool("fails", function() error("it broke") end),
      tool("fn", function() return print end),
      tool("nan", function() return 0 / 0 end),
      tool("large", function() return ("x"):rep(10 * 1024 * 1024) end),
    } }):run "go"
    local texts = told(server)
    test.matches(texts[1], "no tool 'nothing'; there are: fails, fn, large, nan, strict")
    test.matches(texts[2], "/n")
    test.matches(texts[3], "^Error: ")
    -- Some servers refuse a conversation with arguments that are no JSON object.
    local sent = server.requests[2].messages[2].tool_calls
    test.equal(sent[2]["function"].arguments, '{"n":"x"}')
    test.equal(sent[3]["function"].arguments, "{}")
    test.matches(texts[4], "it broke")
    test.matches(texts[5], "cannot be written as JSON")
    test.matches(texts[6], "cannot be written as JSON")
    test.ok(#texts[7] < 300 * 1024)
    test.matches(texts[7], "was cut: it has 10485760 bytes")
    test.ok(not ran)
  end)

  it("bounds a tool that hangs, and tells the model", function()
    local left = false
    local server <close> = provider.new { calling({ "hangs" }), answer("ok") }
    local hanging = llm.tool { name = "hangs", timeout = 0.02, run = function()
      local _ <close> = setmetatable({}, { __close = function() left = true end })
      luge.sleep(60)
    end }
    test.equal(llm.agent({ model = model(server), tools = { hanging } }):run("go").output, "ok")
    test.matches(told(server)[1], "^Error: .*0.02 s")
    test.ok(left)
    fails("invalid", llm.tool, { name = "t", run = print, timeout = 0 })
  end)

  it("takes a tool that hangs with it when it is cancelled", function()
    longer(0.05, function(seconds)
      local left = false
      local server <close> = provider.new { calling({ "hangs" }, { "hangs" }), answer("ok") }
      local agent = llm.agent { model = model(server), tools = { tool("hangs", function()
        local _ <close> = setmetatable({}, { __close = function() left = true end })
        luge.sleep(60)
      end) } }
      fails("timeout", agent.invoke, agent, "go", { timeout = seconds })
      test.ok(left)
      test.equal(#server.requests, 1)
    end)
  end)

  it("ends where a model calls forever what does not exist", function()
    local server <close> = provider.new { calling({ "nothing" }) }
    local agent = llm.agent { model = model(server), max_turns = 4 }
    local err = fails("limit", agent.run, agent, "go")
    test.matches(err.message, "4 turns")
    test.equal(#server.requests, 4)
    test.matches(server.requests[4].messages[3].content, "no tool 'nothing'")
  end)

  it("tells a result of 100 MB in part", function()
    local server <close> = provider.new { calling({ "huge" }), answer("ok") }
    local piece = ("x"):rep(1024)
    llm.agent({ model = model(server), tools = { tool("huge", function()
      return piece:rep(100 * 1024)
    end) } }):run "go"
    test.ok(#told(server)[1] < 300 * 1024)
    test.matches(told(server)[1], "it has 104857600 bytes")
  end, { timeout = 30 })

  it("raises what `approve` raises", function()
    local server <close> = provider.new { calling({ "a" }), answer("ok") }
    local agent = llm.agent { model = model(server), tools = { tool("a", print) },
      approve = function() error(luge.error { kind = "closed", message = "nobody is there" }) end }
    fails("closed", agent.run, agent, "go")
    test.equal(#server.requests, 1)
  end)

  it("waits for a person while others go on", function()
    local server <close> = provider.new { calling({ "a" }), answer("ok") }
    local verdict, asked = luge.future(), luge.event()
    local agent = llm.agent { model = model(server), tools = { tool("a", function() return 1 end) },
      approve = function()
        asked:set()
        return verdict:await()
      end }
    local waiting = luge.spawn(agent.run, agent, "go")
    asked:wait()
    local other <close> = provider.new { answer("meanwhile") }
    test.equal(llm.agent({ model = model(other) }):run("x").output, "meanwhile")
    test.equal(waiting:done(), false)
    verdict:resolve(true)
    test.equal(waiting:await().output, "ok")
  end)

  it("ends after max_turns", function()
    local server <close> = provider.new { calling({ "again" }) }
    local agent = llm.agent {
      model = model(server), max_turns = 3, tools = { tool("again", function() return 1 end) },
    }
    local err = fails("limit", agent.run, agent, "go")
    test.equal(err.limit, 3)
    test.equal(#server.requests, 3)
    test.equal(err.what, "turns")
  end)

  it("asks before it runs a call", function()
    local ran = {}
    local server <close> = provider.new { calling({ "a" }, { "b" }, { "c" }), answer("ok") }
    local function note(name)
      return tool(name, function()
        ran[#ran + 1] = name
        return name
      end)
    end
    llm.agent({
      model = model(server), tools = { note "a", note "b", note "c" },
      approve = function(call)
        luge.sleep(0.001)
        if call.name == "a" then return true end
        return false, call.name == "b" and "too dear" or nil
      end,
    }):run "go"
    test.same(ran, { "a" })
    test.same(told(server),
      { "a", "The call was not approved: too dear", "The call was not approved." })
  end)

  it("asks nobody about a call that cannot run", function()
    local server <close> = provider.new { calling({ "a", '{"x":"y"}' }), answer("ok") }
    llm.agent({
      model = model(server), approve = function() error "asked" end,
      tools = { tool("a", print, { type = "object", properties = { x = { type = "integer" } } }) },
    }):run "go"
    test.matches(told(server)[1], "^Error: /x: expected an integer")
  end)

  it("says that there are no tools", function()
    local server <close> = provider.new { calling({ "a" }), answer("ok") }
    llm.agent({ model = model(server) }):run "go"
    test.same(told(server), { "There is no tool 'a'; there are none" })
  end)

  it("raises what no second question can mend", function()
    for code, given in pairs {
      refusal = answer("", nil, { refusal = "I cannot." }),
      length = answer('{"n":', "length"), content_filter = answer("", "content_filter"),
    } do
      local server <close> = provider.new { given }
      local agent = llm.agent { model = model(server), output = { type = "object" } }
      local err = fails("llm", agent.run, agent, "count")
      test.same({ err.code, #server.requests }, { code, 1 })
      test.equal(err.partial.role, "assistant")
    end
  end)

  it("tells the schema where the format has no place for it", function()
    local server <close> = provider.new { { json = { content = { { type = "text",
      text = '{"n":3}' } } } } }
    local result = llm.agent({
      model = llm.model("anthropic:c", { base_url = server.url, api_key = "k" }),
      instructions = "Be brief.", output = { type = "object", title = "Count" },
    }):run "count"
    test.same({ result.output, result.turns }, { { n = 3 }, 1 })
    test.matches(server.requests[1].system, '^Be brief.\n\n.*"title":"Count"')
  end)

  it("gives checked outputs", function()
    local schema = { type = "object", required = { "n" },
      properties = { n = { type = "integer" } } }
    local server <close> = provider.new { answer("three"), answer('{"n":3}') }
    local result = llm.agent({ model = model(server), output = schema }):run "count"
    test.same(result.output, { n = 3 })
    test.equal(result.turns, 2)
    test.same(server.requests[1].response_format.json_schema.schema, schema)
    local bad <close> = provider.new { answer("three") }
    local agent = llm.agent { model = model(bad), output = schema }
    fails("parse", agent.run, agent, "count")
    test.equal(#bad.requests, 3)
  end)

  it("hands the conversation over", function()
    local server <close> = provider.new {
      calling({ "transfer_to_billing" }, { "transfer_to_support" }), answer("Paid."),
    }
    local billing = llm.agent { name = "billing", model = model(server), instructions = "Bill." }
    local support = llm.agent { name = "support", model = model(server) }
    local front = llm.agent {
      name = "front", model = model(server), instructions = "Route.",
      handoffs = { billing, support },
    }
    local result = front:run "my invoice"
    test.equal(result.output, "Paid.")
    test.equal(result.agent, billing)
    test.equal(server.requests[2].messages[1].content, "Bill.")
    test.same(told(server), { "Transferred to billing.",
      "The conversation goes to one agent only." })
  end)

  it("takes the conversation back", function()
    local server <close> = provider.new {
      calling { "transfer_to_b" }, calling { "transfer_to_a" }, answer("Here I am again."),
    }
    local back = {}
    local b = llm.agent { name = "b", model = model(server), handoffs = back }
    local a = llm.agent { name = "a", model = model(server), handoffs = { b } }
    back[1] = a
    local result = a:run "go"
    test.same({ result.agent, result.turns, result.output }, { a, 3, "Here I am again." })
    back[2] = "c"
    fails("invalid", b.run, b, "go")
  end)

  it("is a tool of another agent", function()
    local server <close> = provider.new {
      calling({ "expert", '{"input":"why?"}' }), answer("Because."), answer("He says because."),
    }
    local expert = llm.agent { name = "expert", model = model(server) }
    local result = llm.agent({ model = model(server), tools = { expert } }):run "ask"
    test.equal(result.output, "He says because.")
    test.equal(server.requests[2].messages[1].content, "why?")
    test.equal(result.turns, 2)
    test.equal(result.usage.requests, 3)
    test.equal(result.usage.output_tokens, 21)
  end)

  it("tells in its events what the model is told of a second hand-off", function()
    local calls = { { name = "transfer_to_a" }, { name = "transfer_to_b" } }
    local asked = test.model { { tool_calls = calls }, "I am a." }
    local a = llm.agent { name = "a", model = asked }
    local b = llm.agent { name = "b", model = asked }
    local desk = llm.agent { model = asked, handoffs = { a, b } }
    local results = {}
    for event in desk:stream "go" do
      if event.type == "tool_result" then
        results[event.call.name] = { event.content, event.is_error }
      end
    end
    test.same(results, {
      transfer_to_a = { "Transferred to a.", false },
      transfer_to_b = { "The conversation goes to one agent only.", true },
    })
  end)

  it("takes any reason of `approve`", function()
    local reasons = { "too late", 42, { code = 7 }, luge.error { kind = "io", message = "gone" } }
    local server <close> = provider.new {
      calling({ "t" }, { "t" }, { "t" }, { "t" }), answer("ok"),
    }
    llm.agent({ model = model(server), tools = { tool("t", print) }, approve = function(call)
      return false, reasons[tonumber(call.id:sub(2))]
    end }):run "go"
    for i, text in ipairs { "too late", "42", '{"code":7}', "io: gone" } do
      test.equal(told(server)[i], "The call was not approved: " .. text)
    end
  end)

  it("refuses what is no list of tools", function()
    local one = tool("t", print)
    for _, tools in ipairs { one, { t = one }, { t = one, u = one } } do
      fails("invalid", llm.agent, { tools = tools })
      fails("invalid", llm.model().bind, llm.model(), { tools = tools })
    end
    fails("invalid", llm.agent, { handoffs = llm.agent { name = "a" } })
    llm.agent { tools = json.array { one }, handoffs = {} }
  end)

  it("refuses what is no agent", function()
    fails("invalid", llm.agent, { tool = {} })
    fails("invalid", llm.agent, { tools = { print } })
    fails("invalid", llm.agent, { tools = { llm.agent {} } })
    fails("invalid", llm.agent, { handoffs = { llm.agent {} } })
    fails("invalid", llm.agent, { name = "a b" })
    fails("invalid", llm.agent, { model = 3 })
    test.matches(fails("invalid", llm.agent({}).run, "go").message, "with a colon")
    local t = tool("same", print)
    test.matches(fails("invalid", llm.agent, { tools = { t, t } }).message, "two tools")
  end)
end)

describe("agents as Runnables", function()
  local weather = llm.tool {
    name = "get_weather", description = "Tells the weather in a city.",
    parameters = { type = "object", required = { "city" },
      properties = { city = { type = "string" } } },
    run = function(t) return "rain in " .. t.city end,
  }

  local function demo()
    return llm.agent {
      name = "guide", tools = { weather }, model = llm.model("demo", { extra = { delay = 0 } }),
    }
  end

  it("stream what happens", function()
    local kinds, text, done = {}, {}, nil
    for event in demo():stream "How is the weather in Oslo?" do
      if event.type == "text" then
        text[#text + 1] = event.text
      else
        kinds[#kinds + 1] = event.type
      end
      done = event
    end
    test.same(kinds, { "tool_call", "tool_result", "done" })
    test.equal(done.output, table.concat(text))
    test.matches(done.output, "rain in Oslo")
    test.equal(done.turns, 2)
  end)

  it("stream what they think, and whom they hand over to", function()
    local chunk = provider.chunk
    local server <close> = provider.new {
      { chunk { reasoning_content = "Who? " }, chunk { reasoning_content = "Billing." },
        chunk { tool_calls = { { index = 0, id = "c1",
          ["function"] = { name = "transfer_to_billing", arguments = "{}" } } } },
        chunk({}, "tool_calls"), "[DONE]" },
      { chunk { content = "Pa" }, chunk { content = "id." }, chunk({}, "stop"), "[DONE]" },
    }
    local billing = llm.agent { name = "billing", model = model(server) }
    local front = llm.agent { name = "front", model = model(server), handoffs = { billing } }
    local seen = {}
    for event in front:stream "my invoice" do
      seen[#seen + 1] = event.type .. ":" .. (event.text or event.to or "")
      if event.type == "done" then test.equal(event.agent, billing) end
    end
    test.same(seen, { "reasoning:Who? ", "reasoning:Billing.", "tool_call:", "tool_result:",
      "handoff:billing", "text:Pa", "text:id.", "done:" })
  end)

  it("are composed and run in batches", function()
    local c = demo() | function(result) return result.output end
    test.matches(c:invoke "weather in Bergen", "rain in Bergen")
    local out = c:batch { "weather in Oslo", "weather in Rome" }
    test.matches(out[1], "Oslo")
    test.matches(out[2], "Rome")
    test.matches((c:stream "weather in Bergen"):collect()[1], "rain in Bergen")
  end)

  it("give parsers their text", function()
    local speaker = test.model {
      { content = "I look. ", tool_calls = { { name = "get_weather",
        arguments = { city = "Oslo" } } } }, "It rains.",
      { tool_calls = { { name = "get_weather", arguments = { city = "Oslo" } } } }, "It rains.",
      '{"n":3}',
    }
    local agent = llm.agent { model = speaker, tools = { weather } }
    test.equal(table.concat((agent | llm.text()):stream("go"):collect()), "I look. It rains.")
    test.equal((agent | llm.text()):invoke "go", "It rains.")
    local last
    for value in (agent | llm.json()):stream "go" do last = value end
    test.same(last, { n = 3 })
  end)

  it("have results that are kept, by caches and histories", function()
    local server <close> = provider.new { answer "one", answer "two" }
    local agent = llm.agent { name = "keeper", model = model(server) }
    local cached = agent:cache()
    local first, again = cached:invoke "q", cached:invoke "q"
    test.same({ again.output, again.turns, again.agent }, { "one", 1, "keeper" })
    test.equal(tostring(again), tostring(first))
    test.equal(getmetatable(again.messages[2]), getmetatable(first.messages[2]))
    local history = llm.history()
    agent:with_history(history):invoke "r"
    test.equal(history:messages()[2].content, "two")
  end)

  it("have events of agents, models and tools", function()
    local seen = {}
    for event in demo():events "weather in Oslo" do
      seen[event.event .. " " .. event.name] = true
    end
    for _, name in ipairs {
      "on_agent_start guide", "on_chat_model_stream demo", "on_tool_start get_weather",
      "on_tool_end get_weather", "on_agent_end guide",
    } do
      test.ok(seen[name], name)
    end
  end)

  it("are tried again, bounded, and replaced", function()
    local server <close> = provider.new {
      { status = 500, json = {}, headers = { ["retry-after-ms"] = "1" } }, answer("ok"),
    }
    local agent = llm.agent { model = model(server) }
    test.equal(agent:retry({ attempts = 2 }):invoke("x").output, "ok")
    test.equal(#server.requests, 2)

    local stuck = llm.agent { model = model(server),
      tools = { tool("never", function() luge.sleep(60) end) } }
    local slow <close> = provider.new { function() luge.sleep(60) end }
    local late = llm.agent { model = model(slow) }
    fails("timeout", function() late:timeout(0.02):invoke "x" end)
    test.equal(late:timeout(0.02):fallback({ stuck }):invoke("x").output, "ok")

    local broken <close> = provider.new { { status = 400, json = {} } }
    local c = llm.agent({ model = model(broken) }):fallback { agent }
      | function(result) return result.output end
    test.equal(c:invoke "x", "ok")
    local events = {}
    local replaced = llm.agent({ model = model(broken) }):fallback { demo() }
    for event in replaced:stream "weather in Rome" do
      events[#events + 1] = event.type
    end
    test.same({ events[1], events[#events] }, { "tool_call", "done" })
  end)

  it("leave no request running when they are cancelled", function()
    local inside = 0
    local server <close> = http.server { handler = function()
      inside = inside + 1
      local _ <close> = setmetatable({}, { __close = function() inside = inside - 1 end })
      luge.sleep(10)
    end }
    local agent = llm.agent { model = llm.model { base_url = server.url, model = "m" } }
    fails("timeout", luge.timeout, 0.05, agent.run, agent, "x")
    local start = luge.now()
    while inside > 0 and luge.now() - start < 2 do luge.sleep(0.002) end
    test.equal(inside, 0)
  end)

  it("speak Anthropic's format, with its reasoning", function()
    local function say(content, reason)
      return { json = { id = "m", type = "message", role = "assistant", model = "c",
        content = content, stop_reason = reason,
        usage = { input_tokens = 2, output_tokens = 3 } } }
    end
    local server <close> = provider.new {
      say({ { type = "thinking", thinking = "hm", signature = "s" },
        { type = "tool_use", id = "t", name = "get_weather", input = { city = "Oslo" } } },
        "tool_use"),
      say({ { type = "text", text = "Rain." } }, "end_turn"),
    }
    local agent = llm.agent { tools = { weather },
      model = llm.model("anthropic:c", { base_url = server.url, api_key = "k" }) }
    local result = agent:run "weather?"
    test.equal(result.output, "Rain.")
    test.equal(result.usage.output_tokens, 6)
    test.equal(server.requests[2].messages[2].content[1].signature, "s")
    test.equal(json.encode(server.requests[2].messages[3].content[1].content), '"rain in Oslo"')
  end)
end)
