-- Values compared and shown, for luge.test.
local compare = {}

local MAX_TEXT, MAX_ITEMS, MAX_DEPTH, MAX_DIFFERENCES = 200, 12, 3, 10

local function order(a, b)
  local ta, tb = type(a), type(b)
  if ta == tb and (ta == "number" or ta == "string") then
    return a < b
  end
  return ta < tb or (ta == tb and tostring(a) < tostring(b))
end

local function sorted_keys(t)
  local keys = {}
  for key in next, t do
    keys[#keys + 1] = key
  end
  table.sort(keys, order)
  return keys
end

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function escape(byte)
  return escapes[byte] or ("\\x%02x"):format(byte:byte())
end

-- Bytes that are no UTF-8 are escaped, all of them.
local function show_string(text)
  local shown = text:sub(1, MAX_TEXT)
  shown = '"' .. shown:gsub(utf8.len(shown) and '[%c"\\]' or '[%c"\\\128-\255]', escape) .. '"'
  return #text > MAX_TEXT and ("%s... (%d bytes)"):format(shown, #text) or shown
end

local function text_of(value)
  local ok, text = pcall(tostring, value)
  return ok and text or "a " .. type(value) .. " whose __tostring raises"
end

local function is_name(key)
  return type(key) == "string" and key:find("^[%a_][%w_]*$")
end

local show

local function show_table(t, depth)
  if depth == 0 then
    return "{...}"
  end
  local parts, length = {}, rawlen(t)
  for _, key in ipairs(sorted_keys(t)) do
    if #parts == MAX_ITEMS then
      parts[#parts + 1] = "..."
      break
    end
    local value = show(rawget(t, key), depth - 1)
    if math.type(key) == "integer" and key >= 1 and key <= length then
      parts[#parts + 1] = value
    elseif is_name(key) then
      parts[#parts + 1] = key .. " = " .. value
    else
      parts[#parts + 1] = ("[%s] = %s"):format(show(key, 0), value)
    end
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

function show(value, depth)
  if type(value) == "string" then
    return show_string(value)
  elseif type(value) == "number" then
    return math.type(value) == "float" and ("%.17g"):format(value):find("^%-?%d+$")
      and ("%.17g.0"):format(value) or text_of(value)
  elseif type(value) ~= "table" then
    return text_of(value)
  end
  local metatable = getmetatable(value)
  if type(metatable) == "table" and metatable.__tostring then
    return text_of(value)
  end
  return show_table(value, depth)
end

--- A value in a line of text.
---@param value any
---@return string
function compare.show(value)
  return show(value, MAX_DEPTH)
end

local function same_value(a, b)
  return rawequal(a, b) or (a ~= a and b ~= b)
end

local function path_to(path, key)
  if is_name(key) then
    return path .. "." .. key
  end
  return ("%s[%s]"):format(path, show(key, 0))
end

local function first_byte_that_differs(a, b)
  for at = 1, math.min(#a, #b) do
    if a:byte(at) ~= b:byte(at) then
      return at
    end
  end
  return math.min(#a, #b) + 1
end

-- Long texts are shown around the first byte that differs.
local function text_difference(got, want)
  if math.max(#got, #want) <= 60 then
    return ("%s, want %s"):format(show(got, 0), show(want, 0))
  end
  local at = first_byte_that_differs(got, want)
  local from = math.max(1, at - 20)
  return ("differs from byte %d on: ...%s..., want ...%s... (%d and %d bytes)"):format(at,
    show(got:sub(from, at + 40), 0), show(want:sub(from, at + 40), 0), #got, #want)
end

local function value_difference(got, want)
  if type(got) == "string" and type(want) == "string" then
    return text_difference(got, want)
  elseif want == nil then
    return compare.show(got) .. ", want nothing"
  elseif got == nil then
    return "nothing, want " .. compare.show(want)
  end
  return ("%s, want %s"):format(compare.show(got), compare.show(want))
end

-- `pairs_seen[got]` is what it is being compared with: tables may be cyclic.
local function collect(got, want, path, seen, list)
  if same_value(got, want) then
    return
  end
  if type(got) ~= "table" or type(want) ~= "table" then
    list[#list + 1] = ("%s: got %s"):format(path, value_difference(got, want))
    return
  end
  if seen[got] == want then
    return
  end
  seen[got] = want
  for _, key in ipairs(sorted_keys(want)) do
    collect(rawget(got, key), rawget(want, key), path_to(path, key), seen, list)
  end
  for _, key in ipairs(sorted_keys(got)) do
    if rawget(want, key) == nil then
      collect(rawget(got, key), nil, path_to(path, key), seen, list)
    end
  end
end

--- The differences between two values, a line each; nil: they are the same.
---@param got any
---@param want any
---@return string?
function compare.differences(got, want)
  local list = {}
  collect(got, want, "value", {}, list)
  if #list == 0 then
    return nil
  end
  local more = #list - MAX_DIFFERENCES
  if more > 0 then
    list[MAX_DIFFERENCES + 1] = ("and %d more"):format(more)
  end
  return table.concat(list, "\n  ", 1, math.min(#list, MAX_DIFFERENCES + 1))
end

return compare
