-- luge.llm: the demo model, and what is shown with it: usage, recordings,
-- embeddings, batches.
local luge = require "luge"
local json = require "luge.json"
local llm = require "luge.llm"
local test = require "luge.test"
local describe, it = test.describe, test.it

local provider = dofile "tests/support/provider.lua"

local fails = test.raises

-- The server lives for a second after its last use, longer than a test.
local server = require "luge.internal.llm.demo"
test.after_each(server.close)

local quick = { extra = { delay = 0 } }

describe("the demo model", function()
  it("answers, says what it is, and always the same", function()
    local m = llm.model("demo", quick)
    local one = m:invoke "What are tides?"
    test.matches(one.content, "demo")
    test.matches(one.content, "about tides")
    test.matches(one.content, "LUGE_MODEL")
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
    test.equal(cut.content, "Hello! This is")
    test.equal(cut.finish_reason, "length")
    test.equal(m:bind({ stop = " built" }):invoke("hi").content, "Hello! This is luge's")
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

  it("calls a tool for each name, and one that calculates for a sum", function()
    local function tool(name, description, parameter)
      return llm.tool { name = name, description = description, run = print, parameters = {
        type = "object", required = { parameter },
        properties = { [parameter] = { type = "string" } },
      } }
    end
    local m = llm.model("demo", { tools = {
      tool("get_weather", "Tells the weather in a city.", "city"),
      tool("calculator", "Evaluates an arithmetic expression.", "expression"),
    } })
    local function calls(question)
      local texts = {}
      for i, call in ipairs(m:invoke(question).tool_calls or {}) do
        texts[i] = call.name .. call.arguments_text
      end
      return texts
    end
    test.same(calls "How is the weather in Oslo and in New York?",
      { 'get_weather{"city":"Oslo"}', 'get_weather{"city":"New York"}' })
    test.same(calls "What is 17 * 23?", { 'calculator{"expression":"17 * 23"}' })
    test.same(calls "What is in the city?", {})
  end)

  it("reads what it is given", function()
    local m = llm.model("demo", quick)
    local function says(question, want)
      test.equal(m:invoke(question).content, want)
    end
    says("What is 2 + 3 * (4 - 1)?", "2 + 3 * (4 - 1) = 11")
    says("Is it true that 17 times 23 = 392?", "No, 17 * 23 = 391, not that.")
    says("Summarize in two sentences:\nOne. Two! Three?", "One. Two!")
    says("Answer with one word: positive, negative or neutral. I love it.", "positive")
    says("One of: spam, mail. Is this spam or mail?\nNo spam here.", "spam")
    says('How many words are in "a b c"?', "3")
    says("List two colors, separated by commas.", "bright colors, quiet colors")
    says("Context:\nThe kettle boils fast. The lamp has two bulbs.\n"
      .. "Question: How many bulbs has the lamp?", "The lamp has two bulbs.")
    says({ messages = { { "user", "My name is Ada. I like tea." }, { "assistant", "Good." },
      { "user", "What is my name?" } } }, 'You said: "My name is Ada."')
    local joke = m:invoke("Tell a joke about cats.").content
    test.matches(joke, "cats")
    local other = m:invoke("Tell a joke about cats. Not this: " .. joke).content
    test.ok(other ~= joke)
  end)

  it("does not take long over long texts", function()
    local m = llm.model("demo", quick)
    for _, piece in ipairs { "(", "1", "9-", " ", "a", "translate ", ": ", '"a ', "Ab ", "\n" } do
      test.matches(m:invoke(piece:rep(50000) .. "1+1").content, "demo model")
    end
  end, { timeout = 60 })

  it("miscalculates for some seeds at a high temperature", function()
    local answers = {}
    for seed = 1, 3 do
      answers[seed] = llm.model("demo", { temperature = 1.5, seed = seed }):invoke("3 + 4").content
    end
    test.same(answers, { "3 + 4 = 7", "3 + 4 = 8", "3 + 4 = 7" })
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

  it("fills schemas with what a text says", function()
    local text, whole = { type = "string" }, { type = "integer" }
    local value = llm.model("demo"):structured({
      type = "object", required = { "name", "email", "skills", "jobs", "years", "fits", "score" },
      properties = {
        name = text, email = text, years = whole, skills = { type = "array", items = text },
        fits = { type = "boolean" }, score = { type = "integer", minimum = 1, maximum = 5 },
        jobs = { type = "array", items = {
          type = "object", required = { "title", "company" },
          properties = { title = text, company = text },
        } },
      },
    }):invoke [[
What does this say?
Name: Ada Lovelace
Skills: Lua, C, mathematics
Write to ada@example.org. She has worked for 12 years, and is excellent, not slow.
- Programmer at Analytical Engines
- Writer at the Notes]]
    test.same(value, {
      name = "Ada Lovelace", email = "ada@example.org", skills = { "Lua", "C", "mathematics" },
      years = 12, fits = false, score = 5, jobs = {
        { title = "Programmer", company = "Analytical Engines" },
        { title = "Writer", company = "Notes" },
      },
    })
    local holds = { type = "object", required = { "holds" },
      properties = { holds = { type = "boolean" } } }
    local m = llm.model("demo"):structured(holds)
    test.same({ m:invoke("Is 2 + 2 = 5?").holds, m:invoke("Is 2 + 2 = 4?").holds },
      { false, true })
  end)

  it("finds who is spoken of", function()
    local person = llm.model("demo"):structured {
      type = "object", required = { "name", "age" },
      properties = { name = { type = "string" }, age = { type = "integer" } },
    }
    for text, want in pairs {
      ["Ann is 30 years old"] = { name = "Ann", age = 30 },
      ["The person: John Smith is 25 and lives in Oslo."] = { name = "John Smith", age = 25 },
      ["My name is Bob and I am 42."] = { name = "Bob", age = 42 },
      ["Ada Lovelace, 36, mathematician"] = { name = "Ada Lovelace", age = 36 },
      ["Name: Carl\nAge: 51"] = { name = "Carl", age = 51 },
      ["Tell me about a woman called Dora who is 12"] = { name = "Dora", age = 12 },
    } do
      test.same(person:invoke(text), want)
    end
  end)

  it("fills a schema after its tools have answered", function()
    local lookup = llm.tool { name = "lookup_age", description = "Finds the age of a person.",
      run = function() return "age: 36" end }
    local result = llm.agent({ tools = { lookup }, output = {
      type = "object", required = { "age" }, properties = { age = { type = "integer" } },
    } }):run "Find the age of Ada."
    test.same(result.output, { age = 36 })
    test.equal(result.turns, 2)
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
    fails("invalid", llm.embed, "demo", { temperature = 1 })
  end, { timeout = 20 })

  it("keep to the options of a model", function()
    local hung <close> = provider.new { function() luge.sleep(60) end }
    local e = llm.embed { base_url = hung.url, model = "e", deadline = 0.05 }
    fails("timeout", e.invoke, e, "x")
    local running, most, both = 0, 0, luge.event()
    local busy <close> = provider.new { function()
      running = running + 1
      most = math.max(most, running)
      if running == 2 then both:set() end
      both:wait()
      running = running - 1
      return { json = { data = { { index = 0, embedding = { 1.5 } } } } }
    end }
    local few = llm.embed { base_url = busy.url, model = "e", concurrency = 2 }
    test.equal(few:batch({ "a", "b", "c", "d" }).n, 4)
    test.equal(most, 2)
  end)

  it("tell an error at status 200, and take a single vector of an older Ollama", function()
    local odd <close> = provider.new {
      { json = { error = { message = "no such model" } } }, { json = { embedding = { 1, 2 } } },
    }
    local e = llm.embed { base_url = odd.url, model = "e", max_retries = 0 }
    test.matches(fails("llm", e.invoke, e, "x").message, "no such model")
    test.same(llm.embed("ollama:e", { base_url = odd.url }):invoke "x", { 1, 2 })
    for _, data in ipairs { { 5 }, { { embedding = 5 } }, { { embedding = { "x" } } } } do
      local wrong <close> = provider.new { { json = { data = data, usage = json.null } } }
      local w = llm.embed { base_url = wrong.url, model = "e", max_retries = 0 }
      local err = fails("network", w.invoke, w, "x")
      test.equal(err.code, "protocol")
      test.matches(err.url, "/embeddings$")
    end
  end)
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

  it("is that of streams that are left or break, too, as far as it is known", function()
    local begun = { choices = { { delta = { content = "a" } } }, usage = { prompt_tokens = 3 } }
    local breaking <close> = provider.new { { json.encode(begun), json.encode(begun) } }
    local m = provider.model(breaking)
    local total = llm.usage(function()
      for _ in m:stream "hi" do break end -- luacheck: ignore 512
      fails("truncated", function() (m:stream "hi"):collect() end)
    end)
    test.same({ total.requests, total.input_tokens }, { 2, 6 })
  end)
end)

describe("caches", function()
  it("tell models, prompts and names apart that share a store", function()
    local store = {}
    local function count()
      local n = 0
      for _ in pairs(store) do n = n + 1 end
      return n
    end
    local m = llm.model("demo", quick)
    for i, step in ipairs {
      m, m:bind { temperature = 0.5 }, llm.prompt "a {x}" | m, llm.prompt "b {x}" | m,
      llm.prompt("b {x}"):partial { x = 1 } | m, m | llm.text(), llm.agent { model = m },
      llm.agent { model = m, instructions = "Be brief." }, m:structured { type = "object" },
      m:with { name = "other" },
    } do
      for _ = 1, 2 do step:cache(store):invoke "1" end
      test.equal(count(), i)
    end
    llm.model("demo", { extra = quick.extra, timeout = 5, max_retries = 1 }):cache(store):invoke "1"
    test.equal(count(), 10)
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

  it("keep vectors", function()
    local function ask()
      return llm.record(path, function() return llm.embed():invoke { "the sea", "taxes" } end)
    end
    local first = ask()
    server.close()
    test.same(ask(), first)
  end)

  it("keep a stream as far as it was read", function()
    local whole = false
    local function ask()
      return llm.record(path, function()
        local pieces = {}
        for piece in (llm.model("demo", quick) | llm.text()):stream "stream" do
          pieces[#pieces + 1] = piece
          if #pieces == 2 and not whole then break end
        end
        return table.concat(pieces)
      end)
    end
    local first = ask()
    server.close()
    test.equal(ask(), first)
    whole = true
    local ok, err = pcall(ask)
    test.ok(not ok)
    test.equal(err.kind, "invalid")
    test.matches(err.message, "as far as it was read")
  end)

  it("replay an agent, whose tools run again", function()
    local ran = 0
    local weather = llm.tool {
      name = "get_weather", description = "Tells the weather in a city.",
      parameters = { type = "object", required = { "city" },
        properties = { city = { type = "string" } } },
      run = function(t)
        ran = ran + 1
        return "rain in " .. t.city
      end,
    }
    local function ask()
      return llm.record(path, function()
        local agent = llm.agent { tools = { weather }, model = llm.model("demo", quick) }
        local result, kinds = agent:run "weather in Oslo?", {}
        for event in agent:stream "weather in Rome?" do kinds[event.type] = true end
        return { result.output, result.usage, result.turns, kinds }
      end)
    end
    local first = ask()
    server.close()
    test.same(ask(), first)
    test.matches(first[1], "rain in Oslo")
    test.equal(ran, 4)
  end)

  it("are of what was asked, however it was called", function()
    local image = { messages = { { "user", { { type = "image", data = "\xff\xd8\0" } } } } }
    local function ask(m) return llm.record(path, function() return m:invoke(image).content end) end
    local first = ask(llm.model("demo", quick))
    server.close()
    test.equal(ask(llm.model("demo", {
      extra = quick.extra, timeout = 9, deadline = 9, max_retries = 1, concurrency = 1,
    })), first)
    fails("invalid", ask, llm.model("demo", { extra = quick.extra, temperature = 1 }))
  end)

  it("fail before anybody is asked where they cannot be kept", function()
    local asked = false
    local function ask() asked = true end
    test.equal(fails("io", llm.record, path .. "/missing/r", ask).errno, "ENOENT")
    test.equal(fails("io", llm.record, "tests", ask).errno, "EISDIR")
    test.equal(asked, false)
  end)

  it("are damaged where a line is no answer", function()
    local file <close> = assert(io.open(path, "wb"))
    file:write('{"asked":"x","answer":{}}\nnot this\n')
    file:close()
    local err = fails("parse", llm.record, path, function() end)
    test.equal(err.line, 2)
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
