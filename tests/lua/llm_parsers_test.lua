-- luge.llm: parsers, whole and in pieces.
local chain = require "luge.chain"
local json = require "luge.json"
local llm = require "luge.llm"
local message = require "luge.internal.llm.message"
local test = require "luge.test"
local describe, it = test.describe, test.it

-- Builds for finding bugs are slow, and no measure of speed.
local ITEMS = require("luge.native.testrun").patience > 1 and 100 or 30000

local fails = test.raises

local function pieces_of(text, size)
  local pieces = {}
  for i = 1, #text, size do pieces[#pieces + 1] = text:sub(i, i + size - 1) end
  return pieces
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local made = {}
  for k, v in pairs(value) do made[k] = copy(v) end
  return made
end

local function streamed(parser, text, size)
  local values = {}
  for value in parser:transform(pieces_of(text, size)) do values[#values + 1] = copy(value) end
  return values
end

describe("llm.text", function()
  it("takes messages and text", function()
    test.equal(llm.text():invoke("x"), "x")
    test.equal(llm.text():invoke(message.new { content = "y" }), "y")
    test.equal(llm.text():invoke { role = "assistant", content = "y" }, "y")
    test.equal(llm.text():invoke(message.new { content = { { type = "text", text = "z" } } }), "z")
    fails("invalid", function() llm.text():invoke(3) end)
  end)

  it("leaves out pieces without text", function()
    local deltas = { message.new { content = "" }, message.new { content = "a" } }
    test.same((llm.text():transform(deltas)):collect(), { "a" })
  end)
end)

describe("a text without anything in it", function()
  it("is the same whole and streamed", function()
    local function whole(parser, ...)
      local pieces = { ... }
      local source = chain.generator(function(_, emit)
        for _, piece in ipairs(pieces) do emit(piece) end
      end)
      return (source | parser | function(x) return { x } end):stream(1):collect()[1][1]
    end
    test.equal(whole(llm.text(), { content = "" }), "")
    test.same(whole(llm.list(), " ", "\n"), {})
    test.same(llm.list():invoke " \n", {})
    test.same(whole(llm.list(), "\n", "a, b", ", c"), { "a", "b", "c" })
    test.same(llm.list():invoke "\na, b, c", { "a", "b", "c" })
  end)
end)

describe("llm.list", function()
  local cases = {
    { "a, b,c", { "a", "b", "c" } }, { "a", { "a" } }, { "", {} }, { " \n ", {} },
    { "a\nb c\n\nd\n", { "a", "b c", "d" } }, { "1. a, b\n2) c\n", { "a, b", "c" } },
    { "- a\n* b\n+ c", { "a", "b", "c" } }, { "a, b\nc, d", { "a", "b", "c", "d" } },
    { "\n\n- x, y", { "x, y" } }, { "a\r\nb", { "a", "b" } },
  }

  it("reads commas and lines", function()
    for _, case in ipairs(cases) do test.same(llm.list():invoke(case[1]), case[2]) end
  end)

  it("gives the same however it is cut", function()
    for _, case in ipairs(cases) do
      for size = 1, 4 do
        local items = {}
        for _, part in ipairs(streamed(llm.list(), case[1], size)) do
          table.move(part, 1, #part, #items + 1, items)
        end
        test.same(items, case[2])
      end
    end
    test.equal(#streamed(llm.list(), "a, b, c", 1), 3)
  end)
end)

describe("llm.match", function()
  it("gives captures by name", function()
    test.same(llm.match("(%a+)=(%d+)", { "name", "value" }):invoke "so x=12.",
      { name = "x", value = "12" })
    test.equal(llm.match("%d+"):invoke "a 7", "7")
    local err = fails("parse", function() llm.match("%d+"):invoke "no number" end)
    test.matches(err.message, "%%d%+")
    test.matches(err.message, "no number")
    fails("invalid", llm.match, "(")
    fails("invalid", llm.match, "x", { 1 })
    fails("invalid", function() llm.match("x(", { "a" }):invoke "x" end)
    test.matches(fails("invalid", function() llm.match("(x)", { "a", "b" }):invoke "x" end).message,
      "no capture for the name 'b'")
  end)
end)

describe("llm.json", function()
  local document = '{"a":[1,2,{"b":"text"}],"c":null,"d":"x"}'
  local want = json.decode(document)

  it("reads documents, fenced or not", function()
    for _, text in ipairs {
      document, "  " .. document .. "\n", "```json\n" .. document .. "\n```",
      "```\n" .. document .. "\n```\nHope that helps!",
      "Here it is:\n\n```json\n" .. document .. "\n```\n", " ```json\n" .. document .. "\n ```",
      "the value:\n```json\n" .. document .. "\n```", "nothing but\n```\n" .. document .. "\n```",
      "<think>is it {1}?\n```\n</think>\n\n" .. document,
      " <think></think>```\n" .. document .. "\n```",
      "so `a` or\n `b`:\n\n \t```\n" .. document .. "\n```", "\n\n\n" .. document .. "\n\n",
    } do
      test.same(llm.json():invoke(text), want)
      for size = 1, 5 do
        local values = streamed(llm.json(), text, size)
        test.same(values[#values], want)
      end
    end
    test.equal(llm.json():invoke("12"), 12)
    test.same(streamed(llm.json(), "12", 1), { 12 })
    test.same(streamed(llm.json(), "true", 1), { true })
    test.same(streamed(llm.json(), '"a ```b"', 3), { "a ", "a ```", "a ```b" })
  end)

  it("streams a value that grows", function()
    local values = streamed(llm.json(), '{"a":"xyz","b":[1,2]}', 3)
    test.same(values[2], { a = "" })
    test.same(values[3], { a = "xyz" })
    test.same(values[#values], { a = "xyz", b = { 1, 2 } })
    -- For `{`, `[`, the 1 that a comma ends, `true`, an empty text, `x`.
    test.equal(#streamed(llm.json(), '{"key":[1,true,"x"]}', 1), 6)
    test.equal((llm.json():pick "a" | function(x) return x end):invoke '{"a":"q"}', "q")
  end)

  it("refuses what is unfinished or no JSON", function()
    for _, text in ipairs { '{"a":', "", "[1,", '"x', "```json\n{", '{"a":1} more' } do
      fails("parse", function() llm.json():invoke(text) end)
      fails("parse", streamed, llm.json(), text, 2)
    end
    for text, offset in pairs { ["Sorry, I cannot."] = 1, ["<think>hm"] = 1, ["\n\n{]"] = 4 } do
      test.equal(fails("parse", function() llm.json():invoke(text) end).offset, offset)
      test.equal(fails("parse", streamed, llm.json(), text, 1).offset, offset)
    end
  end)

  it("checks a schema", function()
    local parser = llm.json {
      type = "object", properties = { n = { type = "integer" } }, required = { "n" },
    }
    test.same(parser:invoke '{"n":1}', { n = 1 })
    test.equal(fails("schema", function() parser:invoke '{"n":"x"}' end).path, "/n")
    fails("schema", streamed, parser, '{"m":1}', 2)
    fails("invalid", llm.json, { type = "nonsense" })
    fails("invalid", llm.json, 3)
  end)

  it("takes linear time", function()
    local list = {}
    for i = 1, ITEMS do list[i] = { id = i, text = "some words here" } end
    local text = json.encode(list)
    test.ok(#text > ITEMS * 30)
    local parser, count = llm.json(), 0
    local start = os.clock()
    for _ in parser:transform(pieces_of(text, 4)) do count = count + 1 end
    test.ok(count > ITEMS * 6)
    test.ok(os.clock() - start < 3, "took " .. os.clock() - start)
  end, { timeout = 60 })

  it("takes linear time over what is no document", function()
    for _, text in ipairs { "\n", "words ", "word\n", "<think>and so on" } do
      text = text .. (text:sub(1, 1) == "<" and "x" or text):rep(ITEMS)
      local start = os.clock()
      fails("parse", streamed, llm.json(), text, 2)
      test.ok(os.clock() - start < 3, "took " .. os.clock() - start)
    end
  end, { timeout = 60 })
end)
