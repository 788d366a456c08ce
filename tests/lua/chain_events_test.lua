-- luge.chain: `:events`, and the grammar that it keeps.
local luge = require "luge"
local chain = require "luge.chain"
local llm = require "luge.llm"
local process = require "luge.process"
local test = require "luge.test"
local describe, it = test.describe, test.it

local words = chain.generator(function(input, emit)
  for text in input do
    for word in text:gmatch("%S+") do emit(word) end
  end
end)

local grammar = dofile "tests/support/event_grammar.lua"
local check_grammar, events_of = grammar.check, grammar.events_of

describe("events", function()
  it("tell of each step", function()
    local c = chain.fn(string.upper):with { name = "shout" } | words
    local events, err = events_of(c, "a b", { name = "root", tags = { "t" }, metadata = { k = 1 } })
    test.equal(err, nil)
    local names = check_grammar(events)
    test.equal(names[1], "on_chain_start:root")
    test.equal(names[#names], "on_chain_end:root")
    test.equal(events[1].data.input, "a b")
    test.equal(events[#events].data.output, "AB")
    test.same(events[2].tags, { "t" })
    test.equal(events[2].metadata.k, 1)
    test.equal(#events[1].parent_ids, 0)
    test.equal(events[2].parent_ids[1], events[1].run_id)
  end)

  it("raise the root's error after its event", function()
    local c = chain.pass() | function() error(luge.error { kind = "io", message = "broken" }) end
    local events, err = events_of(c, 1)
    check_grammar(events)
    test.equal(events[#events].event, "on_chain_error")
    test.equal(#events[#events].parent_ids, 0)
    test.ok(luge.is_error(err, "io"))
    test.equal(events[#events].data.error, err)
  end)

  it("tell of siblings that were cancelled", function()
    local c = chain.parallel {
      a = chain.fn(function()
        luge.sleep(0.002)
        error("broken")
      end),
      b = chain.fn(function() luge.sleep(10) end),
    }
    local events = events_of(c, 1)
    local names = table.concat(check_grammar(events), " ")
    test.matches(names, "on_chain_cancelled")
    test.matches(names, "on_chain_error:parallel$")
  end)

  it("nest what a function calls", function()
    local inner = chain.fn(string.upper):with { name = "inner" }
    local c = chain.fn(function(x) return inner:invoke(x) .. inner:invoke("y") end)
    local events = events_of(c, "x", { name = "outer" })
    check_grammar(events)
    local nested = 0
    for _, event in ipairs(events) do
      if event.name == "inner" and event.event == "on_chain_start" then
        nested = nested + 1
        test.equal(event.parent_ids[1], events[1].run_id)
      end
    end
    test.equal(nested, 2)
  end)

  it("can be chosen by name, kind and tag", function()
    local c = chain.fn(string.upper):with { name = "up", tags = { "x" } } | words
    local by_name = events_of(c, "a", { include = { names = { "up" } } })
    for _, event in ipairs(by_name) do test.equal(event.name, "up") end
    test.ok(#by_name >= 2)
    test.equal(#events_of(c, "a", { exclude = { kinds = { "chain" } } }), 0)
    test.ok(#events_of(c, "a", { include = { tags = { "x" } } }) >= 2)
    for _, filter in ipairs { { name = "up" }, { kinds = { "model" } } } do
      local ok, err = pcall(c.events, c, "a", { include = filter })
      test.ok(not ok)
      test.equal(err.kind, "invalid")
    end
  end)

  it("keep the grammar for every combinator", function()
    local broken = chain.fn(function() error("broken") end)
    local flaky = 0
    local examples = {
      words | string.upper | words,
      chain.parallel { a = words, b = chain.pass() | words } | chain.pass(),
      chain.pass() | chain.parallel { a = words, b = string.upper } | function(t) return t.a end,
      chain.fn(function(x) return { x = x } end):assign { y = function(t) return t.x end }
        :pick("x", "y"),
      broken:fallback { words },
      words:fallback { broken } | string.upper,
      broken:fallback { broken },
      chain.branch { { function() return true end, words }, broken },
      chain.fn(function(x) return { x, x } end) | words:map(),
      words:timeout(1) | string.upper,
      chain.fn(function(x) luge.sleep(1) return x end):timeout(0.005),
      words:cache(),
      chain.generator(function(input, emit) emit(input:next()) end),
      words | chain.generator(function(input, emit) emit((input:next())) end),
      -- A generator that never reads, beside what fails with the first piece.
      words:assign { a = chain.generator(function(_, emit) emit "x" end) },
      chain.fn(function(x)
        flaky = flaky + 1
        if flaky % 2 == 1 then error(luge.error { kind = "network", message = "" }) end
        return x
      end):fallback { words },
    }
    for _, example in ipairs(examples) do
      check_grammar((events_of(example, "a b c")))
    end
  end)

  it("have kinds for prompts, models, parsers and tools", function()
    local tool = llm.tool { name = "shout", run = function(t) return t.text:upper() end }
    local c = llm.prompt "About {x}" | llm.model("demo", { extra = { delay = 0 } }) | llm.text()
      | function(text) return { text = text } end | tool
    local events = events_of(c, { x = "tides" })
    check_grammar(events)
    local seen, pieces = {}, 0
    for _, event in ipairs(events) do
      seen[event.event .. " " .. event.name] = true
      if event.event == "on_chat_model_stream" then pieces = pieces + 1 end
    end
    for _, name in ipairs {
      "on_prompt_start prompt", "on_prompt_end prompt", "on_chat_model_start demo",
      "on_chat_model_end demo", "on_parser_stream text", "on_parser_end text",
      "on_tool_start shout", "on_tool_end shout", "on_chain_end sequence",
    } do
      test.ok(seen[name], name)
    end
    test.ok(pieces > 10)
    require "luge.internal.llm.demo".close()
  end)

  it("have the name and metadata of the outermost config", function()
    local function first(c, options)
      local event = events_of(c, "x", options)[1]
      return { event.name, event.metadata.k }
    end
    local function with(c, name) return c:with { name = name, metadata = { k = name } } end
    local c = with(with(chain.pass(), "inner"), "outer")
    test.same(first(c), { "outer", "outer" })
    test.same(first(c, { name = "call", metadata = { k = 1 } }), { "call", 1 })
    local nested = chain.fn(function(x) return with(chain.pass(), "below"):invoke(x) end)
    local events = events_of(with(nested, "above"), "x")
    test.same({ events[2].name, events[2].metadata.k }, { "below", "below" })
  end)

  it("tell no longer of what a step leaves running", function()
    local inner = chain.fn(function(x)
      luge.sleep(0.001)
      return x
    end):with { name = "inner" }
    local ended = 0
    local c = chain.fn(function(x)
      luge.spawn(function()
        inner:invoke(x)
        inner:invoke(x)
        ended = ended + 1
      end)
      luge.sleep(0)
      return x
    end)
    local events, err = events_of(c, "x")
    test.equal(err, nil)
    test.equal(ended, 1)
    local names = table.concat(check_grammar(events), " ")
    test.matches(names, "^on_chain_start:function on_chain_start:inner .*on_chain_cancelled:inner "
      .. "on_chain_end:function$")
  end)

  it("have ids that differ, whatever the random numbers", function()
    local c, ids, n = chain.pass(), {}, 0
    for _ = 1, 3 do
      math.randomseed(1)
      local number = math.random(1000)
      math.randomseed(1)
      for _, event in ipairs(events_of(c, 1)) do ids[event.run_id] = true end
      test.equal(math.random(1000), number)
    end
    for _ in pairs(ids) do n = n + 1 end
    test.equal(n, 3)
  end)

  it("have ids that differ between processes, and leave the first random number alone", function()
    local function run(code)
      return process.run { os.getenv "LUGE" or "luge", "-e", code, check = true }.stdout
    end
    local code = [[
      math.randomseed(1)
      local id
      for event in require("luge.chain").pass():events(1) do id = event.run_id end
      print(math.random(1 << 40), id)
    ]]
    local number, id = run(code):match "^(%d+)\t(%x+)\n$"
    local again, other = run(code):match "^(%d+)\t(%x+)\n$"
    test.equal(number, run("math.randomseed(1) print(math.random(1 << 40))"):match "%d+")
    test.equal(again, number)
    test.equal(#id, 32)
    test.ok(id ~= other)
  end)

  it("end each run where a step fails while another one is closed", function()
    local function wait(passes)
      for _ = 1, passes do luge.sleep(0) end
    end
    local slow = chain.generator(function(input, emit)
      for piece in input do
        wait(20)
        emit(piece)
      end
    end)
    -- `y` fails while nobody reads, and `z` takes its time: so it is the one who
    -- closes the step that is told of it.
    local lingering = setmetatable({}, { __close = function() luge.shield(wait, 30) end })
    local held = chain.fn(function(x) return { x = x } end):assign {
      y = function()
        wait(8)
        error("unseen", 0)
      end,
      z = function()
        local _ <close> = lingering
        luge.sleep(60)
      end,
    }
    local failing = chain.fn(function()
      wait(16)
      error("seen", 0)
    end)
    local events = events_of(chain.parallel { a = failing, b = held, c = words } | slow, "a b")
    check_grammar(events)
  end)

  it("end a run that is cancelled before its start was read", function()
    local inner = chain.fn(string.upper)
    local c = chain.parallel {
      a = chain.fn(function()
        for _ = 1, 5 do luge.sleep(0) end
        error("broken", 0)
      end),
      b = chain.fn(function(x)
        while true do inner:invoke(x) end
      end),
    }
    local events, stream = {}, (c:events "x")
    local ok = pcall(function()
      events[1] = stream:next()
      for _ = 1, 10 do luge.sleep(0) end
      for event in stream do events[#events + 1] = event end
    end)
    test.ok(not ok)
    check_grammar(events)
  end)

  it("end their run when the loop is left", function()
    local ended = false
    local c = chain.generator(function(_, emit)
      local _ <close> = setmetatable({}, { __close = function() ended = true end })
      for i = 1, 1000 do emit(i) end
    end)
    local n = 0
    for _ in c:events(1) do
      n = n + 1
      if n == 5 then break end
    end
    test.ok(ended)
  end)
end)
