-- luge.json: the codec. Numbers are tested in tests/unit/json_number_test.c.
local test = require "luge.test"
local json = require "luge.json"
local describe, it = test.describe, test.it

local data = "tests/data/JSONTestSuite/"

-- The error of `kind` that fn(...) raises.
local fails = test.raises

-- The cases of JSONTestSuite with this first letter: name, text.
local function cases(letter)
  local found = {}
  for _, file in ipairs { "parsing.lua", "bytes.lua" } do
    for _, case in ipairs(dofile(data .. file)) do
      if case[1]:sub(1, 1) == letter then
        found[#found + 1] = case
      end
    end
  end
  return found
end

-- The texts that JSONTestSuite leaves open and that are accepted here, with
-- their value. All others are `parse` errors: numbers beyond a double, lone
-- surrogates, invalid UTF-8, UTF-16, a byte order mark, 500 levels.
local accepted = {
  i_number_double_huge_neg_exp = { 0.0 },
  i_number_real_underflow = { 0.0 },
  i_number_too_big_neg_int = { -123123123123123123123123123123.0 },
  i_number_too_big_pos_int = { 100000000000000000000.0 },
  i_number_very_big_negative_int = { -237462374673276894279832749832423479823246327846.0 },
}

describe("json.decode and JSONTestSuite", function()
  it("accepts what every parser must", function()
    local list = cases "y"
    test.equal(#list, 95)
    for _, case in ipairs(list) do
      local ok, result = pcall(json.decode, case[2])
      test.ok(ok, case[1] .. ": " .. tostring(result))
      test.same(json.decode(json.encode(result)), result)
    end
  end)

  it("refuses what every parser must", function()
    local list = cases "n"
    test.equal(#list, 188)
    for _, case in ipairs(list) do
      local ok, err = pcall(json.decode, case[2])
      test.ok(not ok, case[1] .. " is accepted")
      test.equal(err.kind, "parse")
      test.ok(err.offset >= 1 and err.offset <= #case[2] + 1, case[1])
    end
  end)

  it("chooses as documented where a parser may", function()
    local list = cases "i"
    test.equal(#list, 35)
    for _, case in ipairs(list) do
      local ok, result = pcall(json.decode, case[2])
      test.equal(ok, accepted[case[1]] ~= nil, case[1])
      if ok then
        test.same(result, accepted[case[1]])
        test.equal(math.type(result[1]), "float")
      else
        test.equal(result.kind, "parse")
      end
    end
  end)
end)

describe("json.decode", function()
  it("keeps integers and floats apart", function()
    local list = json.decode "[3, 3.0, 3e0, -0, -0.0, 9223372036854775807, -9223372036854775808]"
    local types = {}
    for i, number in ipairs(list) do
      types[i] = math.type(number)
    end
    test.same(types, { "integer", "float", "float", "integer", "float", "integer", "integer" })
    test.equal(1 / list[5], -math.huge)
    test.equal(list[6], math.maxinteger)
    test.equal(list[7], math.mininteger)
  end)

  it("makes floats of larger integers, and refuses what no double can hold", function()
    test.equal(json.decode "9223372036854775808", 2.0 ^ 63)
    test.equal(json.decode "-9223372036854775809", -(2.0 ^ 63))
    test.equal(json.decode("1" .. ("0"):rep(308)), 1e308)
    test.equal(fails("parse", json.decode, "[1, 1e309]").offset, 5)
    test.equal(fails("parse", json.decode, "1" .. ("0"):rep(309)).offset, 1)
  end)

  it("reads escapes and pairs of surrogates", function()
    test.equal(json.decode [["\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\uD83D\uDE00\u0000"]],
      "\"\\/\b\f\n\r\tA\u{E9}\u{20AC}\u{1F600}\0")
    local long = ("x"):rep(5000)
    test.equal(json.decode('"' .. long .. "\\n" .. long .. '\\u00e9"'),
      long .. "\n" .. long .. "\u{E9}")
  end)

  it("refuses lone surrogates, however they are cut", function()
    for _, text in ipairs { [["\ud800"]], [["\ud800\n"]], [["\ud800\u0041"]], [["\ud800\ud800"]],
      [["\udc00"]], [["\ud800\u"]], [["\ud800]], [["\ud800\]], [["\ud800\udc0]] } do
      fails("parse", json.decode, text)
    end
  end)

  it("reads what documents repeat as if it were new", function()
    local value = '{"name":"%s","next":{"nome":"%s","name":"%s"}}'
    local texts = { "", "a", "ab", "ab", "a", "", "a\\n", "a\\n", "b", "a\\n", "b",
      ("c"):rep(30), ("c"):rep(31) }
    for _, text in ipairs(texts) do
      for _ = 1, 3 do
        local got = json.decode(value:format(text, text .. text, text))
        local means = text:gsub("\\n", "\n")
        test.same(got, { name = means, next = { nome = means .. means, name = means } })
      end
    end
    fails("parse", json.decode, '{"name":"a')
    fails("parse", json.decode, '{"name":"a\n"}')
    test.same(json.decode '["name","a",{"name":["a","b"]}]',
      { "name", "a", { name = { "a", "b" } } })
  end)

  -- Objects of few names, some of which share their place among those that the
  -- decoder keeps, and few texts.
  it("reads random objects in which names and texts repeat", function()
    local random = dofile "tests/support/generator.lua"(1)
    local names = { "ab", "ac", "a-b", "a+b", "axb", "", ("n"):rep(31), "id", "a\\u0062" }
    local function object(depth)
      local parts, want = {}, {}
      for i = 1, random(7) - 1 do
        local name = names[random(#names)]
        local text, value = '"' .. ("t"):rep(random(3)) .. '"', nil
        if depth < 3 and random(4) == 1 then
          text, value = object(depth + 1)
        end
        parts[i] = ('"%s": %s'):format(name, text)
        want[name:gsub("\\u0062", "b")] = value or text:sub(2, -2)
      end
      return "{" .. table.concat(parts, ",") .. "}", want
    end
    for _ = 1, 2000 do
      local text, want = object(1)
      test.same(json.decode(text), want)
    end
  end)

  it("lets the last of equal keys count, in objects of any size", function()
    test.same(json.decode '{"a":1,"b":2,"a":3}', { a = 3, b = 2 })
    local parts = {}
    for i = 1, 1000 do
      parts[i] = ('"k%d":%d'):format(i % 300, i)
    end
    local value = json.decode("{" .. table.concat(parts, ",") .. "}")
    test.equal(value.k0, 900)
    test.equal(value.k100, 1000)
    test.equal(value.k101, 701)
  end)

  it("reads the same names in any order, whatever came before", function()
    local long = ("n"):rep(30)
    local names = { "id", "ib", "i", "", "ixd", "a\\u0062", "a b", "ü", long, long .. "n" }
    local function document(first, step)
      local members, expected = {}, {}
      for i = 0, #names - 1 do
        local name = names[(first + i * step) % #names + 1]
        members[#members + 1] = ('"%s":%d'):format(name, i)
        expected[name == "a\\u0062" and "ab" or name] = i
      end
      return "{" .. table.concat(members, ",") .. "}", expected
    end
    for first = 1, #names do
      for _, step in ipairs { 1, 3, 7, 9 } do
        local text, expected = document(first, step)
        test.same(json.decode(text), expected)
        for cut = 1, #text - 1 do
          test.raises("parse", function()
            json.decode(text:sub(1, cut))
          end)
        end
      end
    end
    test.same(json.decode [[{"id":{"id":{"id":1},"i":2}}]], { id = { id = { id = 1 }, i = 2 } })
  end)

  it("reads arrays of any size", function()
    for _, count in ipairs { 0, 1, 2, 255, 256, 257, 258, 512, 513, 10000 } do
      local list = {}
      for i = 1, count do
        list[i] = i
      end
      local text = "[" .. table.concat(list, ",") .. "]"
      local value = json.decode(text)
      test.equal(#value, count)
      test.equal(value[count], list[count])
      test.equal(json.encode(value), text)
      test.equal(#json.decode("[" .. text .. ',{"a":' .. text .. "}]")[2].a, count)
    end
  end)

  it("has null, and elements that are null", function()
    local value = json.decode '[null, {"a": null}]'
    test.equal(value[1], json.null)
    test.equal(value[2].a, json.null)
    test.equal(json.encode { json.null }, "[null]")
  end)

  it("limits the depth", function()
    local function nest(n)
      return ("["):rep(n) .. ("]"):rep(n)
    end
    test.equal(#json.decode(nest(128)), 1)
    local err = fails("parse", json.decode, nest(129))
    test.equal(err.offset, 129)
    fails("parse", json.decode, ("["):rep(2000000))
    fails("parse", json.decode, ('{"a":'):rep(129))
    test.equal(#json.decode(nest(10000), { max_depth = 10000 }), 1)
    fails("parse", json.decode, nest(10001), { max_depth = 10000 })
    fails("parse", json.decode, "[[]]", { max_depth = 1 })
    test.equal(json.decode("1", { max_depth = 1 }), 1)
    -- Going past the usual depth again and again.
    local inner = nest(140)
    local text = "[" .. (inner .. ","):rep(50) .. inner .. "]"
    test.equal(json.encode(json.decode(text, { max_depth = 200 }), { max_depth = 200 }), text)
  end)

  it("says where a document is broken, and shows what is there", function()
    for text, offset in pairs {
      [""] = 1, ["[1,"] = 4, ["[1 2]"] = 4, ["[1,]"] = 4, ['{"a":1,}'] = 8, ["{1:2}"] = 2,
      ['{"a" 1}'] = 6, ['"abc'] = 5, ['"a\1"'] = 3, ['["\xC3("]'] = 3, ["[01]"] = 3, ["nulL"] = 4,
      ["[1]x"] = 4, ["[1.]"] = 4, ["[-]"] = 3, ['["\\x"]'] = 3, ['["\\u12g4"]'] = 3,
      ["\u{FEFF}[]"] = 1, ["[1}"] = 3, ['{"a":1]'] = 7, ["\0"] = 1, ["[]\0"] = 3, ['"\0"'] = 2,
    } do
      test.equal(fails("parse", json.decode, text).offset, offset, text)
    end
    local err = fails("parse", json.decode, '{"key": \27[31m\n\u{202E}\xFFé' .. ("x"):rep(99))
    test.equal(err.near, '{"key": \\u{1B}[31m\\n\\u{202E}\\xFFé' .. ("x"):rep(8))
    test.equal(fails("parse", json.decode, "[\u{FEFF}\u{200B}\u{85}").near,
      "[\\u{FEFF}\\u{200B}\\u{85}")
    test.matches(tostring(err), "byte 9")
    test.ok(not tostring(err):find "[%c\xFF]")
  end)

  it("says which options it knows", function()
    test.matches(test.raises("invalid", json.decode, "1", { deep = 1 }).message, "deep.*max_depth$")
    test.matches(test.raises("invalid", json.encode, 1, { sort = true }).message, "sort_keys$")
  end)

  it("takes a string and known options only", function()
    fails("invalid", json.decode)
    fails("invalid", json.decode, 12)
    fails("invalid", json.decode, "1", 12)
    test.matches(fails("invalid", json.decode, "1", { depth = 3 }).message, "depth")
    test.matches(fails("invalid", json.decode, "1", { indent = 3 }).message, "indent")
    for _, depth in ipairs { 0, -1, 1.5, "9", 10001, math.maxinteger } do
      test.matches(fails("invalid", json.decode, "1", { max_depth = depth }).message, "max_depth")
    end
  end)
end)

describe("json.encode", function()
  it("writes every kind of value", function()
    test.equal(json.encode(1), "1")
    test.equal(json.encode(-1.5), "-1.5")
    test.equal(json.encode(3.0), "3.0")
    test.equal(json.encode(1e300), "1e300")
    test.equal(json.encode(math.mininteger), "-9223372036854775808")
    test.equal(json.encode "x", '"x"')
    test.equal(json.encode(true), "true")
    test.equal(json.encode(false), "false")
    test.equal(json.encode(json.null), "null")
    test.equal(json.encode {}, "{}")
    test.equal(json.encode { 1, "two", { three = 3 } }, '[1,"two",{"three":3}]')
  end)

  it("reads floats back the same", function()
    for _, number in ipairs { 0.1, 1 / 3, 5e-324, 2.0 ^ 53 + 2, 1.7976931348623157e308, -0.0 } do
      local back = json.decode(json.encode(number))
      test.equal(back, number)
      test.equal(math.type(back), "float")
      test.equal(1 / back, 1 / number)
    end
  end)

  it("escapes what must be escaped, and nothing else", function()
    test.equal(json.encode "\"\\/\b\f\n\r\t\0\1\31 \127é€😀",
      [["\"\\/\b\f\n\r\t\u0000\u0001\u001f ]] .. '\127é€😀"')
    for length = 0, 40 do
      for at = 0, length do
        local text = ("a"):rep(at) .. "\n" .. ("b"):rep(length - at)
        test.equal(json.encode(text), '"' .. text:gsub("\n", "\\n") .. '"')
        test.equal(json.decode(json.encode(text)), text)
        local wide = ("a"):rep(at) .. "é" .. ("b"):rep(length - at)
        test.equal(json.decode(json.encode(wide)), wide)
      end
    end
  end)

  it("takes one pass over long text of escapes", function()
    local text = ("\1"):rep(3000000)
    test.equal(#json.encode(text), 6 * #text + 2)
    test.equal(json.decode(json.encode(text)), text)
  end)

  it("keeps marks: arrays stay arrays when they are empty", function()
    test.equal(json.encode(json.decode '{"a":[],"b":{}}', { sort_keys = true }), '{"a":[],"b":{}}')
    local list = json.decode "[1]"
    table.remove(list)
    test.equal(json.encode(list), "[]")
    test.equal(json.encode(json.array()), "[]")
    test.equal(json.encode(json.array { 1 }), "[1]")
    test.equal(json.encode(json.object()), "{}")
    test.equal(json.encode(json.object { "a" }), '{"1":"a"}')
    test.equal(json.encode(json.object(json.array())), "{}")
    local t = {}
    test.equal(json.array(t), t)
    fails("invalid", json.array, setmetatable({}, {}))
    fails("invalid", json.object, "x")
  end)

  it("knows a sequence in whatever order its keys come", function()
    local list = {}
    for i = 40, 1, -1 do
      list[i] = i
    end
    test.equal(json.encode(list), "[" .. table.concat(list, ",") .. "]")
    local mixed = { x = 1 }
    for i = 1, 9 do
      mixed[i] = { i }
    end
    mixed.x = nil
    test.equal(json.encode(mixed), "[[1],[2],[3],[4],[5],[6],[7],[8],[9]]")
  end)

  it("refuses tables that are neither array nor object, naming them", function()
    for place, bad in pairs {
      ["value.a[2]"] = { a = { 1, { 1, nil, 3 } } },
      ["value.b"] = { b = { 1, 2, x = 3 } },
      ["value[1]"] = { { [2] = 1, [5] = 2 } },
      ["value.c"] = { c = { [0] = 1 } },
      ["value.d"] = { d = { [1.5] = 1 } },
      ["value.e"] = { e = { [true] = 1 } },
      ["value.f"] = { f = { x = 1, [1] = 2 } },
      ['value["g h"]'] = { ["g h"] = json.array { x = 1 } },
      ["value.i"] = { i = json.object { [1] = 1, ["1"] = 2 } },
      ["value.j[1].k"] = { j = { { k = print } } },
      ["value.l"] = { l = 0 / 0 },
      ["value.m"] = { m = math.huge },
      ["value.n"] = { n = "\xFF" },
      ["value.o"] = { o = io.stdout },
    } do
      local message = fails("invalid", json.encode, bad).message
      test.ok(message:find(place .. " ", 1, true), message)
      test.ok(fails("invalid", json.encode, bad, { sort_keys = true }).message == message)
    end
    fails("invalid", json.encode)
    fails("invalid", json.encode, nil)
    fails("invalid", json.encode, { ["\xED\xA0\x80"] = 1 })
  end)

  it("refuses a cycle as such, and too many levels", function()
    local cycle = { { list = {} } }
    cycle[1].list[1] = cycle
    test.matches(fails("invalid", json.encode, cycle).message, "cycle")
    local own = {}
    own.own = own
    test.matches(fails("invalid", json.encode, own, { max_depth = 10000 }).message, "cycle")
    local deep = {}
    for _ = 1, 1000000 do
      deep = { deep }
    end
    test.matches(fails("invalid", json.encode, deep).message, "max_depth")
    fails("invalid", json.encode, deep, { max_depth = 10000 })
  end)

  it("indents and sorts", function()
    local value = { b = { 1, {} }, a = json.array(), c = { d = "x" } }
    test.equal(json.encode(value, { indent = 2, sort_keys = true }), table.concat({
      '{', '  "a": [],', '  "b": [', '    1,', '    {}', '  ],', '  "c": {', '    "d": "x"',
      '  }', '}' }, "\n"))
    test.equal(json.encode({ { 1 } }, { indent = "\t" }), "[\n\t[\n\t\t1\n\t]\n]")
    test.equal(json.encode({ 1, 2 }, { indent = 0 }), "[\n1,\n2\n]")
    local keys, expected = {}, {}
    for i = 1, 500 do
      local key = ("%x"):format(i * 7919 % 1009)
      keys[key] = i
      expected[i] = key
    end
    table.sort(expected)
    for i, key in ipairs(expected) do
      expected[i] = ('"%s":%d'):format(key, keys[key])
    end
    test.equal(json.encode(keys, { sort_keys = true }), "{" .. table.concat(expected, ",") .. "}")
    test.equal(json.encode(json.object { "x", "y", [10] = "z", a = 1 }, { sort_keys = true }),
      '{"1":"x","10":"z","2":"y","a":1}')
    for _, indent in ipairs { -1, 17, 1.5, "x", true } do
      fails("invalid", json.encode, {}, { indent = indent })
    end
    fails("invalid", json.encode, {}, { sort_keys = 1 })
  end)

  it("calls no metamethods", function()
    local trap = setmetatable({ a = 1 }, {
      __index = error, __pairs = error, __len = error, __name = "trap",
    })
    test.equal(json.encode(trap), '{"a":1}')
  end)
end)
