-- luge.json: documents that come in pieces, or break off.
local test = require "luge.test"
local json = require "luge.json"
local describe, it = test.describe, test.it

local data = "tests/data/JSONTestSuite/"

local fails = test.raises

-- A value as text, with nil and the order of keys made plain.
local function show(value)
  return value == nil and "nothing" or json.encode(value, { sort_keys = true, max_depth = 600 })
end

-- Feeds `text` in pieces of `size` bytes; whether it is a document, and the
-- value or the error.
local function read(text, size, max_depth)
  local reader = json.reader { max_depth = max_depth }
  return pcall(function()
    for i = 1, #text, size do
      reader:feed(text:sub(i, i + size - 1))
      reader:value()
    end
    return reader:finish()
  end)
end

local document = [==[
 {"text" : "a\"\\\/\b\u00e9\uD83D\uDE00é€😀" ,"list":[1,-2.5e+3,[],{},[[0]], "", true],
  "é":{"null": null,"f":false , "deep":{"x":{"y":["z",{"\u0000":0}]}}}, "text":12 } ]==]

describe("json.partial", function()
  it("reads what a document that broke off holds", function()
    for text, expected in pairs {
      [""] = "nothing", [" "] = "nothing", ["1"] = "nothing", ["-"] = "nothing",
      ["nul"] = "nothing", ["null"] = "null", ["[tru"] = "[]", ["[true"] = "[true]",
      ['"'] = '""', ['"ab'] = '"ab"', ['"ab\\'] = '"ab"', ['"ab\\u00e'] = '"ab"',
      ['"\\ud83d'] = '""', ['"\\ud83d\\ude0'] = '""', ['"\\ud83d\\ude00'] = '"😀"',
      ['"é\xE2\x82'] = '"é"', ['"é\xE2\x82\xAC'] = '"é€"', ['"\xF0\x9F\x98'] = '""',
      ["["] = "[]", ["[1"] = "[]", ["[1,"] = "[1]", ["[1 "] = "[1]", ["[1.5e"] = "[]",
      ["[[1],[2,"] = "[[1],[2]]", ['["a","b'] = '["a","b"]',
      ["{"] = "{}", ['{"a'] = "{}", ['{"a"'] = "{}", ['{"a":'] = "{}", ['{"a":"'] = '{"a":""}',
      ['{"a":1'] = "{}", ['{"a":1,'] = '{"a":1}', ['{"a":1,"b'] = '{"a":1}',
      ['{"a":{"b":[{"c":"d'] = '{"a":{"b":[{"c":"d"}]}}',
      ['{"a":"x","a'] = '{"a":"x"}', ['{"a":"x","a":'] = '{"a":"x"}',
      ['{"a":"x","a":"y'] = '{"a":"y"}', ["[1] "] = "[1]",
    } do
      test.equal(show(json.partial(text)), expected, text)
    end
  end)

  it("refuses what no document begins with", function()
    for text, offset in pairs {
      ["x"] = 1, ["[1 2"] = 4, ["01"] = 2, ["-a"] = 2, ["1.e"] = 3, ["nulL"] = 4, ["[,"] = 2,
      ["{1"] = 2, ['{"a" 1'] = 6, ['{"a":1,}'] = 8, ["[1,]"] = 4, ["[1]]"] = 4, ['"\n'] = 2,
      ['"\\x'] = 3, ['"\\u00g'] = 6, ['"\\udc'] = 5, ['"\\ud800a'] = 8, ['"\\ud800\\n'] = 9,
      ['"\\ud800\\u00'] = 10, ['"\\ud800\\ud9'] = 11, ['"\xFF'] = 2, ['"\xC3a'] = 3,
      ['"\xE0\x80'] = 3, ['"\xED\xA0'] = 3, ['"\xF4\x90'] = 3, ["[1e999,"] = 7, ["\xEF"] = 1,
    } do
      test.equal(fails("parse", json.partial, text).offset, offset, text)
    end
    fails("invalid", json.partial, 1)
    fails("invalid", json.partial, "1", { indent = 1 })
    fails("parse", json.partial, "[[", { max_depth = 1 })
  end)
end)

describe("json.reader", function()
  it("has at every byte what json.partial has of the text so far", function()
    local reader = json.reader()
    for i = 1, #document do
      reader:feed(document:sub(i, i))
      test.equal(show(reader:value()), show(json.partial(document:sub(1, i))))
    end
    test.equal(show(reader:finish()), show(json.decode(document)))
  end)

  it("does not depend on how a document is cut", function()
    local expected = show(json.decode(document))
    for size = 1, #document do
      local ok, value = read(document, size)
      test.ok(ok, value)
      test.equal(show(value), expected)
    end
    for cut = 1, #document do
      for second = cut, math.min(cut + 12, #document) do
        local reader = json.reader()
        reader:feed(document:sub(1, cut)):feed(document:sub(cut + 1, second))
        reader:feed(document:sub(second + 1))
        test.equal(show(reader:finish()), expected)
      end
    end
  end)

  it("agrees with json.decode on JSONTestSuite, whole and byte by byte", function()
    local count = 0
    for _, file in ipairs { "parsing.lua", "bytes.lua" } do
      for _, case in ipairs(dofile(data .. file)) do
        local name, text = table.unpack(case)
        local ok, value = pcall(json.decode, text, { max_depth = 600 })
        for _, size in ipairs { 1, 3, #text + 1 } do
          if #text < 10000 then
            local read_ok, read_value = read(text, size, 600)
            test.equal(read_ok, ok, name)
            test.equal(ok and show(read_value), ok and show(value), name)
          end
        end
        count = count + 1
      end
    end
    test.equal(count, 318)
  end)

  it("gives the same tables, which grow", function()
    local reader = json.reader()
    local root = reader:feed('{"a":[1,'):value()
    local list = root.a
    reader:feed('2,{"b":"x')
    test.equal(reader:value(), root)
    test.same(list, { 1, 2, { b = "x" } })
    reader:feed('y"}],"c":3}')
    test.equal(reader:finish(), root)
    test.equal(reader:finish(), root)
    test.same(list[3], { b = "xy" })
    test.equal(json.encode(json.reader():feed("[[]]"):finish()), "[[]]")
  end)

  it("raises at once, with the offset in the whole document, and again", function()
    local reader = json.reader()
    reader:feed('{"a": [1, "x')
    reader:feed('yz", ')
    local err = fails("parse", reader.feed, reader, "  }")
    test.equal(err.offset, 20)
    test.equal(err.near, "  }")
    test.equal(fails("parse", reader.feed, reader, "1]}"), err)
    test.equal(fails("parse", reader.finish, reader), err)
    test.same(reader:value(), { a = { 1, "xyz" } })
  end)

  it("raises at the finish of an unfinished document", function()
    for _, text in ipairs { "", " ", "[", "[1", '{"a":1', '"x', '"\\', "tru", "-", "1.", "1e+" } do
      local reader = json.reader()
      reader:feed(text)
      local err = fails("parse", reader.finish, reader)
      test.equal(err.offset, #text + 1)
    end
    local reader = json.reader()
    reader:feed '["open'
    fails("parse", reader.finish, reader)
    test.same(reader:value(), { "open" })
    test.equal(json.reader():feed("12"):finish(), 12)
    test.equal(json.reader():feed("-0.5 "):feed(" "):finish(), -0.5)
  end)

  it("is over after its finish", function()
    local reader = json.reader()
    reader:feed("[1]"):finish()
    fails("invalid", reader.feed, reader, " ")
    test.same(reader:value(), { 1 })
  end)

  it("checks what it is called with", function()
    local reader = json.reader()
    fails("invalid", reader.feed, reader, 1)
    fails("invalid", reader.feed, reader)
    fails("invalid", reader.feed, {}, "1")
    fails("invalid", reader.value, io.stdout)
    fails("invalid", json.reader, { depth = 1 })
    fails("invalid", json.reader, 5)
    test.equal(reader:feed("1"):finish(), 1)
  end)

  it("limits the depth", function()
    test.ok(read(("["):rep(128) .. ("]"):rep(128), 5))
    local ok, err = read(("["):rep(129), 5)
    test.ok(not ok)
    test.equal(err.offset, 129)
    test.ok(read(("["):rep(5000) .. ("]"):rep(5000), 100, 10000))
  end)

  it("keeps a long open string fresh to a 64th of its length", function()
    local reader = json.reader()
    reader:feed '{"text":"'
    local length = 0
    for _ = 1, 20000 do
      reader:feed "abcde"
      length = length + 5
      local shown = #reader:value().text
      test.ok(shown <= length and length - shown <= length / 64)
      test.ok(length >= 1024 or shown == length)
    end
    test.equal(reader:feed('"'):value().text, ("abcde"):rep(20000))
    test.equal(#reader:feed("}"):finish().text, 100000)
  end)

  it("takes time that is linear in the document", function()
    local list = {}
    for i = 1, 2500 do
      list[i] = { id = i, name = "user " .. i, note = ("lorem \"ipsum\" é\n"):rep(20) }
    end
    for _, text in ipairs { json.encode(list), json.encode(("x"):rep(1000000)) } do
      local start = os.clock()
      local ok, value = read(text, 4)
      test.ok(ok, value)
      test.equal(show(value), show(json.decode(text)))
      -- A quadratic reader takes minutes; this one a tenth of a second, and a
      -- sanitizer's build ten times that.
      test.ok(os.clock() - start < 4)
    end
  end)
end)
