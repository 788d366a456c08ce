--- Lua values as JSON Schema sees them: their type, equality and divisibility.

local json = require "luge.native.json"

local values = {}

local array_mark = getmetatable(json.array())
local object_mark = getmetatable(json.object())

--- The JSON type of a value, as `json.encode` would write it; nil if it has
--- none.
---@param value any
---@return "null"|"boolean"|"number"|"string"|"array"|"object"|nil
function values.kind(value)
  local kind = type(value)
  if kind ~= "table" then
    if value == json.null then
      return "null"
    end
    return (kind == "string" or kind == "number" or kind == "boolean") and kind or nil
  end
  local mark = getmetatable(value)
  if mark == array_mark then
    return "array"
  elseif mark == object_mark then
    return "object"
  end
  return math.type((next(value))) == "integer" and "array" or "object"
end

--- Whether two values are the same JSON value: 1 and 1.0 are.
---@param a any
---@param b any
---@return boolean
function values.same(a, b)
  if a == b then
    return true
  end
  if type(a) ~= "table" or type(b) ~= "table" or values.kind(a) ~= values.kind(b) then
    return false
  end
  for key, value in next, a do
    if not values.same(value, rawget(b, key)) then
      return false
    end
  end
  for key in next, b do
    if rawget(a, key) == nil then
      return false
    end
  end
  return true
end

local function number_key(number)
  local integer = math.tointeger(number)
  return integer and "n" .. integer or ("n%.17g"):format(number)
end

--- A string that is the same for the same JSON values, and for no others.
---@param value any
---@return string
function values.key(value)
  local kind = values.kind(value)
  if kind == "number" then
    return number_key(value)
  elseif kind == "string" then
    return ("s%d:%s"):format(#value, value)
  elseif kind == "array" then
    local parts = {}
    for i = 1, #value do
      parts[i] = values.key(value[i])
    end
    return "[" .. table.concat(parts, ",") .. "]"
  elseif kind == "object" then
    local parts = {}
    for name, member in next, value do
      parts[#parts + 1] = values.key(name) .. values.key(member)
    end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
  end
  return kind == "null" and "null" or tostring(value)
end

-- A number as digits * 10^exponent, exactly what its shortest text says.
local function decimal(number)
  local text = json.encode(number):gsub("^%-", "")
  local mantissa, exponent = text:match "^([%d.]+)e?(.*)$"
  local whole, fraction = mantissa:match "^(%d+)%.?(%d*)$"
  fraction = fraction:gsub("0+$", "")
  local digits = (whole .. fraction):gsub("^0+(%d)", "%1")
  local zeros = fraction == "" and #digits > 1 and #digits:match "0*$" or 0
  digits = digits:sub(1, #digits - zeros)
  return math.tointeger(tonumber(digits)), (tonumber(exponent) or 0) - #fraction + zeros
end

--- Whether a number is a multiple of another, both taken as the decimals that
--- their texts are: 0.0075 is one of 0.0001, though no double says so.
---@param number number
---@param divisor number more than 0
---@return boolean
function values.is_multiple(number, divisor)
  local a, b = math.tointeger(number), math.tointeger(divisor)
  if a and b then
    return a % b == 0
  end
  local x, y
  a, x = decimal(number)
  b, y = decimal(divisor)
  if not a or not b or b >= 10 ^ 17 then
    return math.fmod(number, divisor) == 0 -- more digits than fit below
  elseif a == 0 then
    return true
  elseif x < y then
    return false -- the last digit of `a` is not 0, so no power of ten fits
  end
  local rest = a % b
  for _ = 1, x - y do
    if rest == 0 then
      break
    end
    rest = rest * 10 % b
  end
  return rest == 0
end

local function escape(token)
  return (tostring(token):gsub("~", "~0"):gsub("/", "~1"))
end

--- The JSON Pointer (RFC 6901) of a part of what is at `pointer`.
---@param pointer string
---@param token string|integer
---@return string
function values.below(pointer, token)
  return pointer .. "/" .. escape(token)
end

--- The JSON Pointer of a place, a list of steps whose last is first.
---@param place { parent: table?, step: string|integer|nil, depth: integer }
---@return string
function values.pointer(place)
  local tokens, count = {}, place.depth
  while place.parent do
    tokens[place.depth] = escape(place.step)
    place = place.parent
  end
  return count == 0 and "" or "/" .. table.concat(tokens, "/")
end

local function short(text)
  if #text <= 60 then
    return text
  end
  return text:sub(1, utf8.offset(text, 0, 58) - 1) .. "..."
end

--- A value for a message, shortened.
---@param value any
---@return string
function values.show(value)
  if value == nil then
    return "nothing"
  end
  local ok, text = pcall(json.encode, value, { sort_keys = true })
  return short(ok and text or tostring(value))
end

return values
