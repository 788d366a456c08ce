-- Values that fit a JSON Schema, made of what a text says: `name: value` lines,
-- numbers, names, lists, how it is meant. The demo model's tool calls and
-- structured answers are such values.

local json = require "luge.json"
local read = require "luge.internal.llm.demo_read"

local demo_value = {}

local function resolve(root, schema)
  local pointer = schema["$ref"]
  if type(pointer) ~= "string" then return schema end
  local at = root
  for key in pointer:gmatch("/([^/]+)") do
    key = key:gsub("~1", "/"):gsub("~0", "~")
    at = type(at) == "table" and (at[key] or at[tonumber(key)]) or nil
  end
  return type(at) == "table" and at or {}
end

-- What a text offers, each number and name taken in turn.
local function read_text(text)
  local _, matter = read.split(text)
  local numbers = {}
  for number in matter:gmatch("%-?%d+%.?%d*") do numbers[#numbers + 1] = tonumber(number) end
  return {
    all = text, text = matter, numbers = numbers, names = read.names(matter), number = 0, name = 0,
  }
end

local function take(said, list, counter)
  if #said[list] == 0 then return nil end
  said[counter] = said[counter] % #said[list] + 1
  return said[list][said[counter]]
end

-- A property's name as words, and as a pattern that finds it in either case.
local function pattern_of(name)
  local words = name:gsub("(%l)(%u)", "%1 %2"):gsub("[_-]", " "):lower()
  return (words:gsub("%a", function(c) return ("[%s%s]"):format(c, c:upper()) end)
    :gsub(" ", "[ _-]"))
end

-- Whether a property is called a name.
local function is_name(name)
  return name:lower():find("name$") ~= nil
end

-- What the text says of a property: "name: value" in a line, or "name is value".
local function field(said, name)
  if not name then return nil end
  local pattern = "%f[%w]" .. pattern_of(name) .. "%f[%W]"
  local value = said.text:match(pattern .. "%s*[:=]%s*([^\n]+)")
    or not is_name(name) and said.text:match(pattern .. "%s+is%s+([^\n.,;]+)")
  return value and value:match("^%s*(.*[^%s.])")
end

local function number_of(said, name)
  local given = field(said, name)
  local near = name and said.text:match("(%-?%d+%.?%d*)%s+" .. pattern_of(name))
  return tonumber(given and given:match("%-?%d+%.?%d*") or near) or take(said, "numbers", "number")
end

local function clamp(schema, number)
  local least = schema.minimum or schema.exclusiveMinimum and schema.exclusiveMinimum + 1
  local most = schema.maximum or schema.exclusiveMaximum and schema.exclusiveMaximum - 1
  if least and number < least then number = least end
  if most and number > most then number = most end
  return number
end

-- A mark on the schema's scale, by how the text is meant.
local function mark(schema, said)
  local least, most = schema.minimum, schema.maximum
  if not (least and most) then return nil end
  local mood = math.max(-2, math.min(2, read.mood(said.text)))
  return least + (most - least) * (mood + 2) / 4
end

local make -- forward
local makers = {}

function makers.integer(schema, said, name)
  local number = number_of(said, name) or mark(schema, said) or 1
  return clamp(schema, math.tointeger(number // 1) or 1)
end

function makers.number(schema, said, name)
  return clamp(schema, number_of(said, name) or mark(schema, said) or 1.5)
end

-- Strings that have a form of their own, or are in words, by their names.
local known = {
  { "email", function(said) return said.text:match("[%w._+-]+@[%w-]+%.[%w.-]+%w") end },
  { "url", function(said) return said.text:match("https?://[^%s\"<>)]+") end },
  { "date", function(said) return said.text:match("%d%d%d%d%-%d%d%-%d%d") end },
  { "expression", function(said) return (read.sum(said.text)) end },
  { "summary", function(said)
    for _, sentence in ipairs(read.sentences(said.text)) do
      if not sentence:find("^[%w ]+:") then return sentence end
    end
  end },
  { "reason", function(said)
    local first = read.sentences(said.text)[1]
    return first and "The text says: " .. first
  end },
  { "company", function(said) return said.text:match(" at (%u[%w .&-]*)") end },
  { "title", function(said) return said.text:match("^([%w ]-) at ") or read.topic(said.text) end },
  { "name", function(said) return read.person(said.text) end },
  { "topic", function(said) return read.topic(said.text) end },
  { "query", function(said) return read.topic(said.text) end },
  { "question", function(said) return said.text end },
  { "input", function(said) return said.all end },
  { "text", function(said) return said.text end },
}

local function by_name(said, name)
  for _, entry in ipairs(known) do
    if name and name:lower():find(entry[1], 1, true) then return entry[2](said) end
  end
end

local function fit(schema, text)
  local length, least, most = utf8.len(text), schema.minLength or 0, schema.maxLength
  if length < least then text = text .. ("."):rep(least - length) end
  if most and length > most then text = text:sub(1, utf8.offset(text, most + 1) - 1) end
  return text
end

function makers.string(schema, said, name)
  return fit(schema, field(said, name) or by_name(said, schema.format) or by_name(said, name)
    or take(said, "names", "name") or name or "demo")
end

-- An equation in the text decides it, or else whether the text says no.
function makers.boolean(_, said)
  local holds = read.equation(said.all)
  if holds ~= nil then return holds end
  return not read.is_negative(said.text)
end

function makers.null()
  return json.null
end

-- The texts of a list's items: those of a "name: a, b" line, lines that begin
-- with a dash; of strings, names; or one: the whole.
local function items_of(schema, said, name)
  local list, given = {}, field(said, name)
  for item in (given or ""):gmatch("[^,;]+") do list[#list + 1] = item:match("^%s*(.*%S)") end
  if #list == 0 then
    for line in said.text:gmatch("[^\n]+") do
      list[#list + 1] = line:match("^%s*[-*]%s+(.+)$")
    end
  end
  local of_strings = type(schema) == "table" and schema.type == "string" and not schema.enum
  if #list == 0 and of_strings then
    list = #said.names > 0 and said.names or (read.words(said.text))
  end
  return #list > 0 and list or { said.text }, of_strings
end

function makers.array(schema, said, name, root)
  local list, items = json.array(), type(schema.items) == "table" and schema.items or {}
  items = resolve(root, items)
  local texts, are_items = items_of(items, said, name)
  local count = math.max(schema.minItems or 1, math.min(#texts, schema.maxItems or 5, 5))
  if schema.maxItems == 0 then count = 0 end
  for i = 1, count do
    local text = texts[(i - 1) % #texts + 1]
    list[i] = are_items and fit(items, text) or make(items, read_text(text), name, root)
  end
  return list
end

function makers.object(schema, said, _, root)
  local object, names = json.object(), {}
  for name in pairs(schema.properties or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    object[name] = make(schema.properties[name], said, name, root)
  end
  for _, name in ipairs(schema.required or {}) do
    if object[name] == nil then object[name] = "demo" end
  end
  return object
end

local function type_of(schema)
  local kind = schema.type
  if type(kind) == "table" then kind = kind[1] end
  return kind or schema.properties and "object" or schema.items and "array" or "string"
end

function make(schema, said, name, root)
  if type(schema) ~= "table" then return "demo" end
  schema = resolve(root, schema)
  if schema.const ~= nil then return schema.const end
  if schema.enum then return read.choose(schema.enum, field(said, name) or said.text) end
  local choice = schema.anyOf or schema.oneOf or schema.allOf
  if choice and not schema.type then return make(choice[1], said, name, root) end
  local maker = makers[type_of(schema)] or makers.string
  return maker(schema, said, name, root)
end

--- A value for the schema, made of the text, and of these names if there are
--- some, instead of the text's own.
function demo_value.make(schema, text, names)
  local said = read_text(text)
  said.names = names or said.names
  return make(schema, said, nil, schema)
end

return demo_value
