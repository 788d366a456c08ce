-- Values as JSON and back, for caches and checkpoints: what has a type of its
-- own is packed by its metatable's `__pack` and unpacked under its name.

local json = require "luge.json"
local check = require "luge.internal.chain.check"

local pack = {}

-- The member that names a packed value's type.
local TYPE = "$luge"
local unpackers = {}
local array = getmetatable(json.array())

--- `unpack(fields)` makes values of a type from what its `__pack` gave.
function pack.register(name, unpack)
  unpackers[name] = unpack
end

--- A value without metatables that JSON has a form for. `__pack(value)` gives
--- the type's name and its fields.
function pack.pack(value)
  if type(value) ~= "table" then
    return value == nil and json.null or value
  end
  local metatable = getmetatable(value)
  local packer = type(metatable) == "table" and rawget(metatable, "__pack")
  local packed = {}
  if packer then
    local name, fields = packer(value)
    packed[TYPE] = name
    value = fields
  elseif #value > 0 or metatable == array then
    packed = json.array()
  end
  for key, item in pairs(value) do packed[key] = pack.pack(item) end
  return packed
end

--- The value that `pack` packed.
function pack.unpack(value)
  if value == json.null then return nil end
  if type(value) ~= "table" then return value end
  local name = value[TYPE]
  local unpacked = getmetatable(value) == array and json.array() or {}
  for key, item in pairs(value) do
    if key ~= TYPE then unpacked[key] = pack.unpack(item) end
  end
  return unpackers[name] and unpackers[name](unpacked) or unpacked
end

local function encode(value, what, options)
  local ok, text = pcall(json.encode, pack.pack(value), options)
  if not ok then
    check.invalid("%s must have a JSON form: %s", what,
      type(text) == "table" and text.message or tostring(text))
  end
  return text
end

local SORTED <const> = { sort_keys = true }

--- The same text for the same input.
function pack.key(input)
  return encode(input, "an input that is looked up", SORTED)
end

--- An output as text.
function pack.text(output)
  return encode(output, "an output that is kept")
end

return pack
