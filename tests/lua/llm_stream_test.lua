-- luge.llm: streams of models, whole and broken.
local luge = require "luge"
local chain = require "luge.chain"
local json = require "luge.json"
local llm = require "luge.llm"
local message = require "luge.internal.llm.message"
local test = require "luge.test"
local describe, it = test.describe, test.it

local longer = dofile "tests/support/longer.lua"
local provider = dofile "tests/support/provider.lua"
local model = provider.model
local chunk = provider.chunk

-- Passes pieces on, through a stream of its own.
local passing = chain.generator(function(input, emit)
  for piece in input do emit(piece) end
end)

local fails = test.raises

local function collect(stream) return stream:collect() end

-- Reads a stream that breaks: its pieces, and the error.
local function broken(m, input)
  local pieces = {}
  local ok, err = pcall(function()
    for piece in m:stream(input or "hi") do pieces[#pieces + 1] = tostring(piece) end
  end)
  return pieces, not ok and err or nil
end

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

  it("hold the server back until they are read", function()
    local sent, big = 0, ("word "):rep(2000)
    local server <close> = provider.new { function()
      local function more()
        sent = sent + 1
        return chunk { content = big }
      end
      return { events = function(emit)
        while true do emit(more()) end
      end }
    end }
    local c = model(server) | llm.text() | passing
    local s <close> = (c:stream "hi")
    for _ = 1, 5 do test.equal(s:next(), big) end
    local before
    repeat -- until the buffers between are full
      before = sent
      luge.sleep(0.05)
    until sent == before
    test.ok(sent * #big < 32 * 1024 * 1024, sent .. " pieces were sent for 5")
    for _ = 1, 50 do s:next() end
    test.equal(s:next(), big)
  end, { timeout = 20 })

  it("end at [DONE] even if the socket stays open", function()
    local server <close> = provider.new { {
      chunk { content = "a" }, "[DONE]", function() luge.sleep(3600) end,
    } }
    test.equal(#collect(model(server):stream "hi"), 1)
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

  it("raise an error that stands beside a chunk, or in its place", function()
    for _, event in ipairs {
      chunk({ content = "" }, "error", { error = { message = "lost", code = 502 } }),
      json.encode { object = "error", message = "lost", code = 500 },
      json.encode { error = true, message = "lost" }, json.encode { detail = "lost" },
      json.encode { { error = { code = 500, message = "lost" } } },
      json.encode { choices = { { delta = {}, error = { code = 502, message = "lost" } } } },
    } do
      local server <close> = provider.new { { chunk { content = "a" }, event, "[DONE]" } }
      local _, err = broken(model(server))
      test.same({ err.kind, err.code, err.partial.content }, { "llm", "server", "a" })
      test.matches(err.message, "lost")
    end
  end)

  it("raise an error where the finish reason is one, with the request's id", function()
    local server <close> = provider.new { { headers = {
      ["Content-Type"] = "text/event-stream", ["x-request-id"] = "r7",
    }, body = "data: " .. chunk({}, "error") .. "\n\n" } }
    local _, err = broken(model(server, { max_retries = 0 }))
    test.same({ err.kind, err.code, err.request_id }, { "llm", "server", "r7" })
  end)

  it("take empty events for none", function()
    local server <close> = provider.new { { "", chunk { content = "a" }, " ", "[DONE] " } }
    test.equal(#collect(model(server):stream "hi"), 1)
  end)

  it("have usage that stands in the choice", function()
    local server <close> = provider.new { { chunk(nil, nil, { choices = { {
      delta = { content = "a" }, finish_reason = "model_length", usage = { prompt_tokens = 3 },
    } } }) } }
    local only = collect(model(server):stream "hi")[1]
    test.same({ only.usage, only.finish_reason }, { { input_tokens = 3 }, "length" })
  end)

  it("are whole where the connection breaks behind the end mark", function()
    local server <close> = provider.new { {
      chunk { content = "a" }, chunk({}, "stop"), function() error "gone" end,
    } }
    test.same(collect((model(server) | llm.text()):stream "hi"), { "a" })
  end)

  it("read calls whose finish reason is missing", function()
    local call = { index = 0, id = "a", ["function"] = { name = "f", arguments = '{"x":1}' } }
    local server <close> = provider.new { { chunk { tool_calls = { call } }, "[DONE]" } }
    local sum = message.sum()
    for delta in model(server):stream "hi" do sum:push(delta) end
    test.same(sum:message().tool_calls[1].arguments, { x = 1 })
    test.equal(sum:message().finish_reason, "tool_calls")
  end)

  it("have the arguments of calls that come in one delta", function()
    local call = { index = 0, id = "a", ["function"] = { name = "f", arguments = { x = 1 } } }
    local server <close> = provider.new {
      { chunk({ tool_calls = { call } }, "stop"), "[DONE]" },
      { chunk({ tool_calls = json.array(), content = "a" }, "stop"), "[DONE]" },
      { chunk { tool_calls = json.array() }, "[DONE]" },
      { chunk { function_call = { name = "f", arguments = '{"x"' } },
        chunk({ function_call = { arguments = ":1}" } }, "function_call"), "[DONE]" },
    }
    local m = model(server)
    local deltas = collect(m:stream "hi")
    test.equal(#deltas, 1)
    test.same(deltas[1].tool_calls[1].arguments, { x = 1 })
    test.equal(collect(m:stream "hi")[1].tool_calls, nil)
    test.equal(collect(m:stream "hi")[1].finish_reason, nil)
    deltas = collect(m:stream "hi")
    test.same((deltas[1] + deltas[2]).tool_calls[1].arguments, { x = 1 })
  end)

  it("take no fields of other types", function()
    for _, delta in ipairs {
      { reasoning_content = { "x" } }, { refusal = true },
      { tool_calls = { { index = 0, id = {}, ["function"] = { name = "f" } } } },
      { tool_calls = { { index = 0, ["function"] = { name = 5 } } } },
      { tool_calls = { { index = 0, ["function"] = { name = "f", arguments = 5 } } } },
      { tool_calls = { index = 0, ["function"] = { name = "f" } } },
    } do
      local server <close> = provider.new { { chunk { content = "a" }, chunk(delta), "[DONE]" } }
      local _, err = broken(model(server))
      test.same({ err.kind, err.code, err.partial.content }, { "network", "protocol", "a" })
    end
    local odd <close> = provider.new { { chunk({ content = "a" }, "stop", {
      id = 5, usage = { prompt_tokens = "many", completion_tokens = 2 },
    }), "[DONE]" } }
    local sum = message.sum()
    for delta in model(odd):stream "hi" do sum:push(delta) end
    test.same(sum:message().usage, { output_tokens = 2 })
  end)

  it("read contents that are lists, and the first of several choices", function()
    local thinking = { type = "thinking", thinking = { { type = "text", text = "hm" } } }
    local server <close> = provider.new { {
      chunk { content = { thinking } }, chunk { content = { { type = "text", text = "a" } } },
      chunk(nil, nil, { choices = { { index = 1, delta = { content = "other" } } } }),
      chunk(nil, nil, { choices = {
        { index = 1, delta = { content = "other" } }, { index = 0, delta = { content = "c" } },
      } }),
      chunk({}, "stop"), "[DONE]",
    }, provider.answer { thinking, { type = "text", text = "a" }, { type = "text", text = "b" } } }
    local sum = message.sum()
    for delta in model(server):stream "hi" do sum:push(delta) end
    test.same({ sum:message().content, sum:message().reasoning }, { "ac", "hm" })
    local whole = model(server):invoke "hi"
    test.same({ whole.content, whole.reasoning }, { "ab", "hm" })
  end)

  it("tell an event that is no JSON, or of another form", function()
    for _, event in ipairs {
      "{broken", '{"choices":[{"delta":{"content":"\xff"}}]}', '{"choices":[3]}', "3",
    } do
      local server <close> = provider.new { { chunk { content = "a" }, event } }
      local _, err = broken(model(server))
      test.equal(err.kind, "network")
      test.equal(err.code, "protocol")
      test.equal(err.partial.content, "a")
    end
  end)

  it("close the connection when they are left", function()
    local left = luge.event()
    local server <close> = provider.new { {
      chunk { content = "a" },
      function()
        local _ <close> = setmetatable({}, { __close = function() left:set() end })
        luge.sleep(3600)
      end,
    } }
    for _ in model(server):stream "hi" do break end -- luacheck: ignore 512
    left:wait()
  end)

  it("are whole after a wait that was cancelled", function()
    local go_on = luge.event()
    local server <close> = provider.new { {
      chunk { content = "a" }, function() go_on:wait() end, chunk { content = "b" }, "[DONE]",
    } }
    local s <close> = ((model(server) | llm.text() | passing):stream "hi")
    test.equal(s:next(), "a")
    fails("timeout", luge.timeout, 0.005, s.next, s)
    go_on:set()
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
    longer(0.05, function(seconds)
      local server <close> = provider.new {
        { chunk { content = "a" }, function() luge.sleep(60) end },
      }
      local pieces, err = broken(model(server, { deadline = seconds }))
      test.same(pieces, { "a" })
      test.same({ err.kind, err.seconds, err.partial.content }, { "timeout", seconds, "a" })
    end)
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
