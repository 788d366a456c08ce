-- luge.llm: the demo model, and what is shown with it: usage, recordings,
-- embeddings, batches.
local luge = require "luge"
local json = require "luge.json"
local llm = require "luge.llm"
local test = require "luge.test"
local describe, it = test.describe, test.it

local function fails(kind, fn, ...)
  local ok, err = pcall(fn, ...)
  test.ok(not ok, "no error, but it should be " .. kind)
  test.ok(luge.is_error(err, kind), tostring(err))
  return err
end

-- The server lives for a second after its last use, longer than a test.
local server = require "luge.internal.llm.demo"
test.after_each(server.close)

local quick = { extra = { delay = 0 } }

describe("the demo model", function()
  it("answers, says what it is, and always the same", function()
    local m = llm.model("demo", quick)
    local one = m:invoke "What are tides?"
    test.matches(one.content, "demo")
    test.matches(one.content, "What are tides%?")
    test.equal(one.content, m:invoke("What are tides?").content)
    test.equal(one.usage.input_tokens, 3)
    test.equal(one.finish_reason, "stop")
  end)

  it("streams the same in pieces", function()
    local c = llm.prompt "About {x}" | llm.model("demo", quick) | llm.text()
    local pieces = (c:stream { x = "sea" }):collect()
    test.ok(#pieces > 10)
    test.equal(table.concat(pieces), c:invoke { x = "sea" })
  end)

  it("keeps to limits and stops", function()
    local m = llm.model("demo", quick)
    local cut = m:bind({ max_tokens = 3 }):invoke "hi"
    test.equal(cut.content, "This is luge's")
    test.equal(cut.finish_reason, "length")
    test.equal(m:bind({ stop = " model" }):invoke("hi").content, "This is luge's built-in demo")
  end)

  it("calls the tools that are spoken of, and tells their results", function()
    local ran = {}
    local weather = llm.tool {
      name = "get_weather", description = "Tells the weather in a city.",
      parameters = { type = "object", required = { "city" },
        properties = { city = { type = "string" }, days = { type = "integer" } } },
      run = function(arguments)
        ran[#ran + 1] = arguments
        return "rain"
      end,
    }
    local other = llm.tool { name = "lookup", description = "Finds flights.", run = print }
    local m = llm.model("demo", { tools = { weather, other }, extra = { delay = 0 } })
    local question = "How is the weather in Oslo for 3 days?"
    local out = m:invoke(question)
    test.equal(out.finish_reason, "tool_calls")
    test.equal(#out.tool_calls, 1)
    test.same(out.tool_calls[1].arguments, { city = "Oslo", days = 3 })
    local sum
    for delta in m:stream(question) do sum = sum and sum + delta or delta end
    test.same(sum.tool_calls, out.tool_calls)
    local last = m:invoke { messages = { { "user", question }, out,
      weather:answer(out.tool_calls[1]) } }
    test.matches(last.content, "rain")
    test.equal(#ran, 1)
    test.matches(m:invoke("hello").content, "demo")
    test.equal(#m:bind({ tool_choice = "required" }):invoke("hello").tool_calls, 1)
    test.equal(m:bind({ tool_choice = "lookup" }):invoke("hello").tool_calls[1].name, "lookup")
    test.equal(m:bind({ tool_choice = "none" }):invoke(question).tool_calls, nil)
  end)

  it("fills in schemas", function()
    local schema = {
      type = "object", required = { "kind", "count", "tags", "inner", "maybe" },
      properties = {
        kind = { enum = { "small", "large" } }, count = { type = "integer", minimum = 5 },
        tags = { type = "array", items = { type = "string" }, minItems = 2 },
        inner = { ["$ref"] = "#/$defs/inner" }, maybe = { anyOf = { { type = "boolean" } } },
      },
      ["$defs"] = { inner = { type = "object", properties = { x = { type = "number" } } } },
    }
    local value = llm.model("demo"):structured(schema):invoke "A large one, 3 of them"
    test.equal(value.kind, "large")
    test.equal(value.count, 5)
    test.equal(#value.tags, 2)
    local any = llm.model("demo", { response_format = { type = "json_object" } }) | llm.json()
    test.equal(type(any:invoke "hi"), "table")
  end)

  it("refuses what is no request", function()
    local m = llm.model("demo", { extra = { messages = json.array() } })
    test.equal(fails("llm", m.invoke, m, "x").code, "invalid_request")
  end)
end)

describe("embeddings", function()
  it("are vectors, near for like texts", function()
    local e = llm.embed()
    local vector = e:invoke "the sea"
    test.equal(#vector, 64)
    local list = e:invoke { "the sea", "the sea is deep", "taxes" }
    test.same(list[1], vector)
    local function dot(a, b)
      local sum = 0
      for i = 1, #a do sum = sum + a[i] * b[i] end
      return sum
    end
    test.ok(math.abs(dot(vector, vector) - 1) < 1e-9)
    test.ok(dot(list[1], list[2]) > dot(list[1], list[3]))
    local many = {}
    for i = 1, 1100 do many[i] = "text " .. i end
    local vectors = e:invoke(many)
    test.equal(#vectors, 1100)
    test.same(vectors[1100], e:invoke "text 1100")
    fails("invalid", e.invoke, e, 3)
    fails("invalid", e.invoke, e, { "a", 3 })
    fails("invalid", llm.embed, "anthropic:x")
  end, { timeout = 20 })
end)

describe("usage", function()
  it("is summed over tasks and nested sums", function()
    local m = llm.model("demo", quick)
    local inner
    local total, first, second = llm.usage(function(...)
      m:invoke "one two"
      luge.await(luge.spawn(function() m:invoke "three" end))
      inner = llm.usage(function() (m:stream "four five six"):collect() end)
      return ...
    end, "a", "b")
    test.same({ first, second }, { "a", "b" })
    test.equal(total.requests, 3)
    test.equal(total.input_tokens, 6)
    test.equal(inner.input_tokens, 3)
    test.equal(inner.requests, 1)
    test.equal(total.total_tokens, total.input_tokens + total.output_tokens)
  end)
end)

describe("recordings", function()
  local path

  test.before_each(function()
    path = os.tmpname()
    os.remove(path)
  end)
  test.after_each(function() os.remove(path) end)

  it("keep answers and give them again, with no model", function()
    local calls = 0
    local function ask(m)
      return llm.record(path, function()
        calls = calls + 1
        local streamed = {}
        for piece in (m | llm.text()):stream "stream" do streamed[#streamed + 1] = piece end
        return m:invoke("whole"), table.concat(streamed), m:invoke("whole").content
      end)
    end
    local m = llm.model("demo", quick)
    local whole, streamed, again = ask(m)
    server.close()
    local whole2, streamed2, again2 = ask(m)
    test.equal(whole2.content, whole.content)
    test.same(whole2.usage, whole.usage)
    test.equal(streamed2, streamed)
    test.equal(again2, again)
    test.equal(calls, 2)
  end)

  it("need no key, and know what was asked", function()
    local file <close> = assert(io.open(path, "wb"))
    file:write("")
    file:close()
    local m = llm.model("openai:x", { base_url = "http://127.0.0.1:1" })
    local err = fails("invalid", llm.record, path, m.invoke, m, "q")
    test.matches(err.message, "has no answer to this")
    fails("invalid", llm.record, 3, print)
  end)

  it("leave no file when the function fails", function()
    test.ok(not pcall(llm.record, path, function()
      llm.model("demo", quick):invoke "x"
      error("no")
    end))
    test.equal(io.open(path), nil)
  end)
end)
