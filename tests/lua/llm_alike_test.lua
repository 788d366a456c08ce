-- luge.llm: events that are alike are not decoded; what they say is the same.
local json = require "luge.json"
local alike = require "luge.internal.llm.alike"
local anthropic = require "luge.internal.llm.anthropic"
local openai = require "luge.internal.llm.openai"
local test = require "luge.test"
local describe, it = test.describe, test.it

local function pick(list)
  return list[math.random(#list)]
end

-- Texts as they stand in a document: plain, with escapes, with all of Unicode,
-- and what is no string.
local raw = {
  "tok ", "", "a", "hello world", "메이플", "é🍁", [[\n]], [[say \"hi\"]], [[\u00e9]], "\127",
  "\xff", "\xc0\x80", "\xed\xa0\x80", "tab\t", '"', '","x":"', [[\]], [["content":"x]], "{}",
  '"}}],"usage":null,"z":"',
}

local function openai_event()
  local more = pick { "", "", "", ',"reasoning_content":"hm"', ',"content":"again"',
    ',"reasoning_content":null,"refusal":null,"tool_calls":null' }
  local member = pick { "content", "content", "content", "refusal" }
  return ('{"id":"%s","choices":[{"index":0,"delta":{"%s":"%s"%s},"finish_reason":%s}]%s}'):format(
    pick { "1", "1", "1", "2" }, member, pick(raw), more,
    pick { "null", "null", "null", '"stop"' }, pick { "", "", ',"usage":null', ',"content":"y"' })
end

local function anthropic_event()
  return ('{"type":"content_block_delta","index":%s,"delta":{"type":"%s","text":"%s"}%s}'):format(
    pick { "0", "0", "1" }, pick { "text_delta", "text_delta", "other_delta" }, pick(raw),
    pick { "", "", ',"text":"y"' })
end

-- What a decoder makes of an event: the delta, or that it raises.
local function read(decoder, data)
  local ok, delta, more = pcall(decoder.event, decoder, data)
  if not ok then return "error" end
  return json.encode { delta = delta or json.null, more = more or json.null }
end

describe("events that are alike", function()
  for name, case in pairs {
    openai = { openai, openai_event }, anthropic = { anthropic, anthropic_event },
  } do
    it("say what a decoder says that knows of no other, in the format of " .. name, function()
      local format, event = table.unpack(case)
      for seed = 1, 300 do
        math.randomseed(seed)
        local decoder = format.decoder()
        for _ = 1, 20 do
          local data = event()
          test.equal(read(decoder, data), read(format.decoder(), data), data)
        end
      end
    end, { timeout = 30 })
  end

  it("are found, and not decoded", function()
    local data = '{"choices":[{"delta":{"content":"%s","refusal":null},"finish_reason":null}],'
      .. '"usage":null}'
    local decoder = openai.decoder()
    test.equal(decoder.alike:text(data:format "a"), nil)
    decoder:event(data:format "a")
    test.equal(decoder.alike:text(data:format "b c"), "b c")
    test.equal(decoder.alike:text(data:format ""), "")
    test.equal(decoder.alike:text(data:format "é"), "é")
    for _, text in ipairs { '"', [[\n]], "\n", "\xff" } do
      test.equal(decoder.alike:text(data:format(text)), nil)
    end
  end)

  it("are looked for a few times only", function()
    local one = alike.new "content"
    for i = 1, 3 do test.ok(one:note(('{"id":%d,"content":"x"}'):format(i), "x")) end
    test.ok(not one:note('{"id":4,"content":"x"}', "x"))
    test.equal(one:text '{"id":3,"content":"y"}', "y")
    test.ok(not alike.new("content"):note('{"content":"x","a":{"content":"x"}}', "x"))
    test.ok(not alike.new("content"):note('{"content":"\\u0078"}', "x"))
  end)
end)
