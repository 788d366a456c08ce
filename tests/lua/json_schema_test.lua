-- luge.json: JSON Schema.
local test = require "luge.test"
local json = require "luge.json"
local describe, it = test.describe, test.it

local data = "tests/data/JSON-Schema-Test-Suite/draft2020-12/"

local fails = test.raises

-- Compiles a schema, and checks which documents fit it and which do not.
local function expect(schema, good, bad)
  if type(schema) == "string" then
    schema = json.decode(schema)
  end
  local compiled = json.schema(schema)
  for _, text in ipairs(good) do
    local ok, err = pcall(compiled.check, compiled, json.decode(text))
    test.ok(ok, text .. ": " .. tostring(err))
  end
  for _, text in ipairs(bad) do
    local ok, err = pcall(compiled.check, compiled, json.decode(text))
    test.ok(not ok, text .. " fits")
    test.equal(err.kind, "schema")
  end
end

-- What the error says: path, expected, value.
local function failure(schema, text)
  local compiled = json.schema(json.decode(schema))
  local err = fails("schema", compiled.check, compiled, json.decode(text))
  return err.path, err.expected, err.value
end

-- The suite's files for the keywords that there are, and how many groups of a
-- file have schemas that are refused: they refer to other documents, or to
-- keywords and Unicode properties that are not supported.
local files = {
  additionalProperties = 0, allOf = 0, anchor = 3, anyOf = 0, boolean_schema = 0, const = 0,
  contains = 0, default = 0, dependentRequired = 0, dependentSchemas = 0, enum = 0,
  exclusiveMaximum = 0, exclusiveMinimum = 0, ["if-then-else"] = 0,
  ["infinite-loop-detection"] = 0, items = 0, maxContains = 0, maxItems = 0, maxLength = 0,
  maxProperties = 0, maximum = 0, minContains = 0, minItems = 0, minLength = 0,
  minProperties = 0, minimum = 0, multipleOf = 0, ["not"] = 1, oneOf = 0, pattern = 1,
  patternProperties = 1, prefixItems = 0, properties = 0, propertyNames = 0, ref = 14,
  required = 0, type = 0, uniqueItems = 0,
}

local function check_group(group)
  local ok, schema = pcall(json.schema, group.schema)
  if not ok then
    test.equal(schema.kind, "invalid", group.description)
    return 1
  end
  for _, case in ipairs(group.tests) do
    local fits, err = pcall(schema.check, schema, case.data)
    test.equal(fits, case.valid, group.description .. ": " .. case.description)
    test.ok(fits or err.kind == "schema")
  end
  return 0
end

describe("json.schema and the JSON Schema Test Suite, draft 2020-12", function()
  for name, refused in pairs(files) do
    it("agree on " .. name, function()
      local file <close> = assert(io.open(data .. name .. ".json"))
      local count = 0
      for _, group in ipairs(json.decode(file:read "a")) do
        count = count + check_group(group)
      end
      test.equal(count, refused)
    end)
  end
end)

describe("json.schema", function()
  it("has the keywords that are new in draft 2020-12", function()
    expect('{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"}}',
      { "[]", "[1]", '[1,"a"]', '[1,"a",null,null]', '{"0":1}' }, { '["a"]', '[1,"a",1]' })
    expect('{"prefixItems":[true],"items":false}', { "[1]" }, { "[1,2]" })
    expect('{"contains":{"const":1},"minContains":2,"maxContains":3}',
      { "[1,1]", "[1,2,1,1]", "{}" }, { "[1]", "[1,1,1,1]", "[]" })
    expect('{"contains":{"const":1},"minContains":0}', { "[]", "[2]" }, {})
    expect('{"dependentRequired":{"a":["b","c"]}}', { "{}", '{"a":1,"b":1,"c":1}', '{"b":1}' },
      { '{"a":1,"b":1}' })
    expect('{"dependentSchemas":{"a":{"properties":{"b":{"type":"string"}}}}}',
      { '{"b":1}', '{"a":1,"b":"x"}' }, { '{"a":1,"b":1}' })
    expect('{"$ref":"#/$defs/a","maxLength":2,"$defs":{"a":{"type":"string"}}}',
      { '"ab"' }, { '"abc"', "1" })
  end)

  it("follows references within the schema", function()
    expect('{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}',
      { '{"next":{"next":{}}}' }, { '{"next":{"next":{"x":1}}}' })
    expect('{"$ref":"#node","$defs":{"n":{"$anchor":"node","type":"integer"}}}', { "1" },
      { "true" })
    expect([[{"$id":"http://x.org/s","$ref":"http://x.org/s#/$defs/a~1b%25~0",
      "$defs":{"a/b%~":{"type":"null"}}}]], { "null" }, { "0" })
    expect('{"allOf":[{"$ref":"#/allOf/1"},{"type":"array"}]}', { "[]" }, { "1" })
    expect('{"properties":{"$ref":{"type":"string"}}}', { '{"$ref":"a"}' }, { '{"$ref":1}' })
  end)

  it("says where, what was expected and what is there", function()
    local schema = [[{"type":"object","required":["city"],"additionalProperties":false,
      "properties":{"city":{"type":"string","minLength":2},
        "days":{"type":["integer","null"],"minimum":1},
        "a/b~c":{"type":"array","items":{"enum":["x",1]}}}}]]
    test.same({ failure(schema, "[]") }, { "", "an object", {} })
    test.same({ failure(schema, '{"days":1}') },
      { "", 'an object with the property "city"', { days = 1 } })
    test.same({ failure(schema, '{"city":5}') }, { "/city", "a string", 5 })
    test.same({ failure(schema, '{"city":"é"}') },
      { "/city", "a string of at least 2 characters", "é" })
    test.same({ failure(schema, '{"city":"ab","days":1.5}') },
      { "/days", "an integer or null", 1.5 })
    test.same({ failure(schema, '{"city":"ab","days":0}') }, { "/days", "a number, at least 1", 0 })
    test.same({ failure(schema, '{"city":"ab","x":1,"y":2}') }, { "/x", "no value here", 1 })
    test.same({ failure(schema, '{"city":"ab","a/b~c":["x","y"]}') },
      { "/a~1b~0c/1", 'one of "x", 1', "y" })
    local compiled = json.schema { type = "integer" }
    test.ok(#tostring(fails("schema", compiled.check, compiled, ("é"):rep(50))) < 120)
    test.equal(tostring(fails("schema", compiled.check, compiled, { 1 })),
      "schema: the value: expected an integer, got [1]")
  end)

  it("says of alternatives what would help", function()
    local nullable =
      '{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}}},{"type":"null"}]}'
    test.same({ failure(nullable, '{"a":1}') }, { "/a", "a string", 1 })
    test.same({ failure(nullable, "1") }, { "", "an object, or null", 1 })
    test.same({ failure('{"oneOf":[{"type":"integer"},{"minimum":2}]}', "3") },
      { "", "a value that fits one alternative only, not 1 and 2", 3 })
    test.equal(select(2, failure('{"anyOf":[{"required":["a"]},{"properties":{"b":false}}]}',
      '{"b":1}')), "no value here")
  end)

  it("takes values made in Lua as json.encode writes them", function()
    local schema = json.schema { type = "object", properties = { list = { type = "array" } } }
    test.same(schema:check { list = { 1, 2 } }, { list = { 1, 2 } })
    schema:check { list = json.array() }
    test.equal(fails("schema", schema.check, schema, { list = {} }).path, "/list")
    fails("schema", schema.check, schema, nil)
    fails("schema", schema.check, schema, print)
    local items = json.schema { items = { items = true } }
    test.equal(fails("schema", items.check, items, { { 1, print } }).path, "/0/1")
    local cycle = {}
    cycle.next = cycle
    local list = json.schema { properties = { next = { ["$ref"] = "#" } } }
    fails("schema", list.check, list, cycle)
    json.schema { type = "object", required = {}, properties = {} }:check {}
  end)

  it("compares numbers as decimals", function()
    expect('{"multipleOf":0.01}', { "19.99", "4.02", "1e22", "-0.07", "0" }, { "0.001", "1e-3" })
    expect('{"multipleOf":0.0001}', { "0.0075" }, { "0.00751" })
    expect('{"multipleOf":3}', { "9", "9.0", "3e20", "-3" }, { "1e20", "10", "0.3" })
    expect('{"const":1}', { "1", "1.0" }, { "true", '"1"' })
    expect('{"const":{"a":[1,{"b":null}]}}', { '{"a":[1.0,{"b":null}]}' }, { '{"a":[1,{}]}' })
    expect('{"uniqueItems":true}', { '[1,"1",true,[1],{"a":1}]' },
      { "[1,1.0]", '[{"a":1,"b":[2]},{"b":[2.0],"a":1}]', '["a","a"]' })
    expect('{"type":"integer"}', { "1.0", "1e300", "-5" }, { "1.5", '"1"' })
  end)

  it("ignores annotations, formats and unknown names", function()
    expect([[{"title":1,"description":"x","default":5,"format":"email","examples":[1],
      "$schema":"https://json-schema.org/draft/2020-12/schema","$comment":"x","x-order":1,
      "readOnly":true,"type":"string"}]], { '"no mail"' }, { "1" })
  end)

  it("refuses what is no schema, saying where", function()
    for text, path in pairs {
      ['{"type":"strin"}'] = "/type", ['{"type":[]}'] = "/type", ['{"type":3}'] = "/type",
      ['{"properties":{"a":{"type":"x"}}}'] = "/properties/a/type",
      ['{"properties":[]}'] = "/properties", ['{"properties":{"a":1}}'] = "/properties/a",
      ['{"items":[]}'] = "/items", ["[]"] = "", ['{"required":"a"}'] = "/required",
      ['{"required":[1]}'] = "/required", ['{"required":true}'] = "/required",
      ['{"enum":1}'] = "/enum", ['{"minimum":"1"}'] = "/minimum",
      ['{"multipleOf":0}'] = "/multipleOf", ['{"minLength":-1}'] = "/minLength",
      ['{"maxItems":1.5}'] = "/maxItems", ['{"anyOf":[]}'] = "/anyOf",
      ['{"anyOf":[{},{"type":0}]}'] = "/anyOf/1/type", ['{"pattern":"("}'] = "/pattern",
      ['{"$ref":"#/nowhere"}'] = "/$ref", ['{"$ref":"other.json"}'] = "/$ref",
      ['{"$ref":1}'] = "/$ref", ['{"$defs":{"a":{"type":1}}}'] = "/$defs/a/type",
      ['{"if":{"type":1}}'] = "/if/type",
      ['{"unevaluatedProperties":false}'] = "/unevaluatedProperties",
      ['{"nullable":true}'] = "/nullable", ['{"not":{"dependencies":{}}}'] = "/not/dependencies",
      ['{"uniqueItems":1}'] = "/uniqueItems", ['{"items":{"$id":"x"}}'] = "/items/$id",
      ['{"patternProperties":{"[":{}}}'] = "/patternProperties/[", ['{"$ref":"#"}'] = "",
      ['{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"not":{"$ref":"#"}}}}'] = "",
      ['{"properties":{"a":{"anyOf":[{"$ref":"#/properties/a"}]}}}'] = "/properties/a",
    } do
      local err = fails("invalid", json.schema, json.decode(text))
      test.equal(err.path, path, text)
    end
    fails("invalid", json.schema)
    fails("invalid", json.schema, "string")
  end)

  it("matches regular expressions of ECMA-262", function()
    for pattern, cases in pairs {
      ["^a+b*$"] = { "a", "aab", false, "", "ba", "abc" },
      ["b"] = { "abc", "b", false, "", "ac" },
      ["^(foo|bar)?$"] = { "", "foo", "bar", false, "foobar", "fo" },
      ["^\\d{3}-\\d{2,4}$"] = { "123-12", "123-1234", false, "123-1", "123-12345" },
      ["^[^\\s@]+@[\\w.-]+\\.[a-z]{2,}$"] = { "a.b@c-d.org", false, "a b@c.org", "a@b.c", "@b.cd" },
      ["^.{2}$"] = { "ab", "日本", "😀é", false, "a", "abc", "a\n" },
      ["^[\\u4e00-\\u9fff\\u{1F600}]+$"] = { "日本😀", false, "a", "" },
      ["\\bcat\\b"] = { "a cat.", "cat", false, "concat", "cats" },
      ["^\\x41\\cJ\\t\\0$"] = { "A\n\t\0", false, "A" },
      ["^(?:a(?<name>b|c)){2}?$"] = { "abac", false, "ab" },
      ["^[a\\]\\-\\b\\W]*$"] = { "a]-\b", " !", false, "b" },
      ["^[]$"] = { false, "", "a" },
      ["^[^]$"] = { "a", "\n", false, "" },
      ["^(a*)*$"] = { "", "aaa", false, "b" },
      ["a{,2}"] = { "a{,2}", false, "aa" },
      ["^\\/\\.\\*$"] = { "/.*", false, "/a*" },
      ["x|^$"] = { "", "ax", false, "a" },
    } do
      local schema, expected = json.schema { pattern = pattern }, true
      for _, text in ipairs(cases) do
        if text == false then
          expected = false
        else
          test.equal(pcall(schema.check, schema, text), expected, pattern .. " on " .. text)
        end
      end
    end
    for _, pattern in ipairs { "(", ")", "[a", "a**", "*", "\\", "\\p{L}", "(?=a)", "(?<!a)",
      "(a)\\1", "\\q", "[b-a]", "a{3,2}", "\\u12", "(?i)a", "(a{1000}){1000}", "\xFF",
      "(((a{0}){99999}){99999}){99999}", ("("):rep(1000) } do
      fails("invalid", json.schema, { pattern = pattern })
    end
  end)

  it("matches in linear time", function()
    local schema = json.schema { pattern = "^(a|a)*(a*)*b$" }
    fails("schema", schema.check, schema, ("a"):rep(3000))
  end)
end)
