-- luge.llm: Messages, deltas that add up, tool calls in every numbering.
local luge = require "luge"
local json = require "luge.json"
local message = require "luge.internal.llm.message"
local openai = require "luge.internal.llm.openai"
local pack = require "luge.internal.chain.pack"
local test = require "luge.test"
local describe, it = test.describe, test.it

local function sum_of(deltas)
  local sum = message.sum()
  for _, delta in ipairs(deltas) do sum:push(delta) end
  return sum:message()
end

-- The deltas of a stream whose chunks have these tool calls, with a reason.
local function deltas_of(chunks, reason)
  local decoder, deltas = openai.decoder(), {}
  for i, calls in ipairs(chunks) do
    deltas[i] = decoder:event(json.encode { id = "x", model = "m", choices = { {
      index = 0, delta = { tool_calls = json.array(calls) },
    } } })
  end
  deltas[#deltas + 1] = decoder:event(json.encode { choices = { {
    index = 0, delta = {}, finish_reason = reason or "tool_calls",
  } } })
  return deltas
end

local function call(index, id, name, arguments)
  return { index = index, id = id, type = "function",
    ["function"] = { name = name, arguments = arguments } }
end

-- What the deltas add up to, in both ways, as "name(arguments)#id".
local function calls_of(chunks)
  local deltas = deltas_of(chunks)
  local whole, folded = sum_of(deltas), deltas[1]
  for i = 2, #deltas do folded = folded + deltas[i] end
  test.same(folded.tool_calls, whole.tool_calls)
  local texts = {}
  for i, one in ipairs(whole.tool_calls) do
    test.equal(one.index, nil)
    test.same(one.arguments, json.decode(one.arguments_text == "" and "{}" or one.arguments_text))
    texts[i] = ("%s(%s)#%s"):format(one.name, one.arguments_text, one.id)
  end
  return texts
end

describe("messages", function()
  it("add up, text, reasoning, usage and the rest", function()
    local a = message.new { role = "assistant", content = "he", reasoning = "so", id = "1",
      usage = { input_tokens = 3, output_tokens = 1 } }
    local b = message.new { role = "assistant", content = "llo", reasoning = " what",
      finish_reason = "stop", id = "2", usage = { output_tokens = 9 } }
    local sum = a + b
    test.equal(sum.content, "hello")
    test.raises("invalid", function() return a + 1 end)
    test.raises("invalid", function() return "x" + a end)
    test.equal(sum.reasoning, "so what")
    test.equal(sum.id, "1")
    test.equal(sum.finish_reason, "stop")
    test.same(sum.usage, { input_tokens = 3, output_tokens = 9 })
    test.equal(tostring(sum), "hello")
    test.equal(a.content, "he")
    test.same((a + b) + b, a + (b + b))
  end)

  it("add up in linear time", function()
    local function cost(n)
      local piece, start = message.new { content = "word " }, os.clock()
      local sum = message.sum()
      for _ = 1, n do sum:push(piece) end
      test.equal(#sum:message().content, 5 * n)
      return os.clock() - start
    end
    cost(1000)
    test.ok(cost(200000) < 2)
    local piece, start = message.new { content = "",
      tool_calls = { { index = 1, arguments_text = "word " } },
      reasoning_blocks = { { index = 1, thinking = "word " } },
    }, os.clock()
    local sum = message.sum()
    for _ = 1, 50000 do sum:push(piece) end
    local whole = sum:message()
    test.equal(#whole.tool_calls[1].arguments_text, 250000)
    test.equal(#whole.reasoning_blocks[1].thinking, 250000)
    test.ok(os.clock() - start < 2)
  end)

  it("survive JSON", function()
    local m = message.new { role = "assistant", content = "x", raw = { secret = 1 },
      tool_calls = { { id = "1", name = "f", arguments = { a = 1 }, arguments_text = "{}" } } }
    local back = pack.unpack(json.decode(json.encode(pack.pack(m))))
    test.equal(back.raw, nil)
    m.raw = nil
    test.same(back, m)
    test.ok(message.is(back))
  end)
end)

describe("tool calls", function()
  it("are numbered by index", function()
    test.same(calls_of {
      { call(0, "a", "f", "") }, { call(0, nil, nil, '{"x"') }, { call(1, "b", "g", "") },
      { call(0, nil, nil, ":1}") }, { call(1, nil, nil, '{"y":2}') },
    }, { 'f({"x":1})#a', 'g({"y":2})#b' })
  end)

  it("are numbered by id, also where every index is 0", function()
    local want = { 'f({"x":1})#a', 'g({"y":2})#b' }
    for _, index in ipairs { false, 0 } do
      test.same(calls_of {
        { call(index or nil, "a", "f", '{"x"') }, { call(index or nil, "a", nil, ":1}") },
        { call(index or nil, "b", "g", '{"y":2}') },
      }, want)
    end
    test.same(calls_of {
      { call(nil, "a", "f", '{"x"') }, { call(nil, "b", "g", '{"y"') },
      { call(nil, "a", nil, ":1}") }, { call(nil, "b", nil, ":2}") },
    }, want)
  end)

  it("are numbered by neither", function()
    test.same(calls_of {
      { call(nil, nil, "f", '{"x"') }, { call(nil, nil, nil, ":1}") },
      { call(nil, nil, "g", '{"y":2}') },
    }, { 'f({"x":1})#call_1', 'g({"y":2})#call_2' })
  end)

  it("are told apart by what has come of their arguments where numbers do not", function()
    local want = { 'f({"x":1})#call_1', 'g({"y":2})#call_2' }
    for _, id in ipairs { false, "" } do
      test.same(calls_of {
        { call(0, id or nil, "f", '{"x":1}') }, { call(0, id or nil, "g", '{"y":2}') },
      }, want)
    end
    test.same(calls_of {
      { call(0, nil, "f", '{"x":1}') }, { call(0, nil, "f", '{"x":2') }, { call(0, nil, "f", "}") },
    }, { 'f({"x":1})#call_1', 'f({"x":2})#call_2' })
    test.same(calls_of { { call(0, nil, "f", '{"x":1}') }, { call(0, nil, "f", "") } },
      { 'f({"x":1})#call_1' })
    test.same(calls_of { { call(nil, nil, "f", '{"x"') }, { call(nil, nil, "f", ":1}") } },
      { 'f({"x":1})#call_1' })
    test.same(calls_of { { call(nil, nil, "f", '{"x":1}') }, { call(nil, nil, "f", "{}") } },
      { 'f({"x":1})#call_1', "f({})#call_2" })
    test.same(calls_of { { call(0, "a", "f", "") }, { call(0, "b", nil, '{"x"') },
      { call(0, "c", "", ":1}") } }, { 'f({"x":1})#a' })
  end)

  it("come several in a chunk, and interleaved", function()
    test.same(calls_of {
      { call(0, "a", "f", ""), call(1, "b", "g", "") },
      { call(1, nil, nil, '{"y":2}'), call(0, nil, nil, '{"x":1}') },
    }, { 'f({"x":1})#a', 'g({"y":2})#b' })
  end)

  it("have late names and ids, repeated names, names in pieces", function()
    test.same(calls_of { { call(0, "a", nil, "") }, { call(0, nil, "f", '{"x":1}') } },
      { 'f({"x":1})#a' })
    test.same(calls_of { { call(0, nil, "f", "") }, { call(0, "a", nil, '{"x":1}') } },
      { 'f({"x":1})#a' })
    test.same(calls_of { { call(0, "a", "f", "{") }, { call(0, "a", "f", "}") } }, { "f({})#a" })
    test.same(calls_of { { call(0, "a", "get_", "{") }, { call(0, nil, "time", "}") } },
      { "get_time({})#a" })
    test.same(calls_of { { call(0, "a", "get", "{") }, { call(0, nil, "get_time", "}") } },
      { "get_time({})#a" })
    test.same(calls_of { { call(0, "", "f", "{") }, { call(0, "", "", "}") } }, { "f({})#call_1" })
  end)

  it("may have no arguments, or an object", function()
    test.same(calls_of { { call(0, "a", "f", "") } }, { "f()#a" })
    test.same(calls_of { { call(0, "a", "f", { x = 1 }) } }, { 'f({"x":1})#a' })
  end)

  it("keep what is no JSON apart", function()
    local whole = sum_of(deltas_of { { call(0, "a", "f", '{"x":') } })
    local broken = whole.tool_calls[1]
    test.equal(broken.arguments, nil)
    test.ok(luge.is_error(broken.error, "parse"))
    local list = sum_of(deltas_of { { call(0, "a", "f", "3") } }).tool_calls[1]
    test.equal(list.arguments, nil)
  end)

  it("take no numbers that are none, and of two keys the last", function()
    for _, text in ipairs { '{"x":NaN}', '{"x":1e400}', '{"x":Infinity}', '{"x":1', "[1,2" } do
      local one = sum_of(deltas_of { { call(0, "a", "f", text) } }).tool_calls[1]
      test.equal(one.arguments, nil)
      test.ok(luge.is_error(one.error, "parse"), text)
      test.equal(one.arguments_text, text)
    end
    test.same(calls_of { { call(0, "a", "f", '{"x":1,"x":2}') } }, { 'f({"x":1,"x":2})#a' })
  end)

  it("have no arguments before the end", function()
    local deltas = deltas_of { { call(0, "a", "f", '{"x":1}') }, { call(0, nil, nil, "") } }
    test.equal((deltas[1] + deltas[2]).tool_calls[1].arguments, nil)
    test.same(((deltas[1] + deltas[2]) + deltas[3]).tool_calls[1].arguments, { x = 1 })
  end)
end)
