-- Records of luge.log: as a line of text for people, "message key=value", and
-- as a JSON object on one line, with time, level, message, and the fields. Both
-- can always be made: text that is no UTF-8 is mended, and a value without a
-- form in JSON is given by `tostring`.
local json = require "luge.json"
local now = require("luge.native.task").time
local type, tostring, pcall = type, tostring, pcall

local REPLACEMENT <const> = "\u{FFFD}"

-- Replaces each byte that is not part of a character.
local function mend(text)
  local at, parts = 1, {}
  while true do
    local _, bad = utf8.len(text, at)
    if not bad then
      parts[#parts + 1] = text:sub(at)
      return table.concat(parts)
    end
    parts[#parts + 1] = text:sub(at, bad - 1)
    parts[#parts + 1] = REPLACEMENT
    at = bad + 1
  end
end

-- A `__tostring` that fails is no reason to lose the record.
local function text_of(value)
  local ok, text = pcall(tostring, value)
  return mend(ok and text or "(a value whose __tostring failed)")
end

local function is_plain(value)
  local kind = type(value)
  if kind == "table" then
    local metatable = getmetatable(value)
    return type(metatable) ~= "table" or metatable.__tostring == nil
  end
  return kind == "number" or kind == "boolean" or value == json.null
end

local function encode(value)
  if is_plain(value) then
    local ok, text = pcall(json.encode, value)
    if ok then
      return text
    end
  end
  return json.encode(text_of(value))
end

-- Strings have quotes where they are needed to tell where they end.
local function show(value)
  if is_plain(value) then
    return encode(value)
  end
  local text = text_of(value)
  return text:find "^[%w_./:+@\x80-\xFF-]+$" and text or json.encode(text)
end

local reserved = { time = true, level = true, message = true }

local function sorted_names(fields)
  local names, values = {}, {}
  for key, value in next, fields do
    local name = text_of(key)
    names[#names + 1] = name
    values[name] = value
  end
  table.sort(names)
  return names, values
end

local function timestamp(seconds)
  local whole = math.floor(seconds)
  return ("%s.%03dZ"):format(os.date("!%Y-%m-%dT%H:%M:%S", whole), (seconds - whole) * 1000 // 1)
end

-- A field with a name that every record has already gets an underscore.
return function(level, message, fields)
  message = text_of(message):gsub("\0", "\\0")
  local text = { message }
  local object = {
    ('"time":"%s"'):format(timestamp(now())),
    ('"level":"%s"'):format(level),
    '"message":' .. json.encode(message),
  }
  local names, values = sorted_names(fields or {})
  for i = 1, #names do
    local name = names[i]
    local value = values[name]
    text[#text + 1] = (name:gsub("[%s=\"%c]", "_")) .. "=" .. show(value)
    local key = reserved[name] and name .. "_" or name
    object[#object + 1] = json.encode(key) .. ":" .. encode(value)
  end
  return table.concat(text, " "), "{" .. table.concat(object, ",") .. "}"
end
