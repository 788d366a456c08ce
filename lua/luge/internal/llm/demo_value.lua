-- Values that fit a JSON Schema, made of what a text says: numbers, words in
-- quotes or with a capital letter. The demo model's tool calls and structured
-- answers are such values.

local json = require "luge.json"

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

-- What a text offers, each taken in turn.
local function read_text(text)
  local numbers, words = {}, {}
  for number in text:gmatch("%-?%d+%.?%d*") do numbers[#numbers + 1] = tonumber(number) end
  for quoted in text:gmatch('"([^"]+)"') do words[#words + 1] = quoted end
  for before, word in text:gmatch("()([%u][%w'-]+)") do
    if before > 1 then words[#words + 1] = word end
  end
  return { text = text, numbers = numbers, words = words, number = 0, word = 0 }
end

local function take(said, list, counter)
  if #said[list] == 0 then return nil end
  said[counter] = said[counter] % #said[list] + 1
  return said[list][said[counter]]
end

local function clamp(schema, number)
  local least = schema.minimum or schema.exclusiveMinimum and schema.exclusiveMinimum + 1
  local most = schema.maximum or schema.exclusiveMaximum and schema.exclusiveMaximum - 1
  if least and number < least then number = least end
  if most and number > most then number = most end
  return number
end

local make -- forward
local makers = {}

function makers.integer(schema, said)
  local number = math.tointeger((take(said, "numbers", "number") or 1) // 1) or 1
  return clamp(schema, number)
end

function makers.number(schema, said)
  return clamp(schema, take(said, "numbers", "number") or 1.5)
end

function makers.string(schema, said, name)
  local text = take(said, "words", "word") or name or "demo"
  local least, most = schema.minLength or 0, schema.maxLength
  if utf8.len(text) < least then text = text .. ("."):rep(least - utf8.len(text)) end
  return most and text:sub(1, most) or text
end

function makers.boolean()
  return true
end

function makers.null()
  return json.null
end

function makers.array(schema, said, name, root)
  local list = json.array()
  for i = 1, math.max(schema.minItems or 1, schema.maxItems == 0 and 0 or 1) do
    list[i] = make(type(schema.items) == "table" and schema.items or {}, said, name, root)
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

-- The one of them that the text names, or else the first.
local function chosen(values, said)
  for _, value in ipairs(values) do
    if type(value) == "string" and said.text:lower():find(value:lower(), 1, true) then
      return value
    end
  end
  return values[1]
end

function make(schema, said, name, root)
  if type(schema) ~= "table" then return "demo" end
  schema = resolve(root, schema)
  if schema.const ~= nil then return schema.const end
  if schema.enum then return chosen(schema.enum, said) end
  local choice = schema.anyOf or schema.oneOf or schema.allOf
  if choice and not schema.type then return make(choice[1], said, name, root) end
  local maker = makers[type_of(schema)] or makers.string
  return maker(schema, said, name, root)
end

--- A value for the schema, made of the text.
function demo_value.make(schema, text)
  return make(schema, read_text(text), nil, schema)
end

return demo_value
