-- Values and errors as the prompt shows them: for people, in bounded room, and
-- without anything that could drive the terminal.
local is_error = require("luge.native.task").is_error
local null = require("luge.json").null

local MAX_DEPTH <const> = 4
local MAX_ITEMS <const> = 50 -- of a table
local MAX_TOTAL <const> = 500 -- of all tables together
local MAX_STRING <const> = 500
local WIDTH <const> = 78

local show = {}

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escape(char)
  return escapes[char] or ("\\x%02X"):format(char:byte())
end

-- Control characters, also those of the second set in UTF-8.
local function clean(text)
  return (text:gsub("[%z\1-\8\11-\31\127]", escape):gsub("\xC2[\x80-\x9F]", function(char)
    return escape(char:sub(2))
  end))
end

local function quote(text)
  local rest = #text - MAX_STRING
  if rest > 0 then
    -- not in the middle of a character
    text = text:sub(1, (utf8.offset(text, 0, MAX_STRING + 1) or MAX_STRING + 1) - 1)
  end
  local shown = '"' .. clean((text:gsub('[\n\t\r\\"]', escape))) .. '"'
  if not utf8.len(text) then
    shown = '"' .. text:gsub('[%c\\"\128-\255]', escape) .. '"'
  end
  return rest > 0 and ("%s... (%d bytes)"):format(shown, #text + rest) or shown
end

local function by_tostring(value)
  local ok, text = pcall(tostring, value)
  return clean(ok and text or "(its __tostring failed)")
end

local function scalar(value)
  if value == null then
    return "json.null"
  elseif type(value) == "string" then
    return quote(value)
  end
  return by_tostring(value)
end

local reserved = {}
for word in ([[and break do else elseif end false for function goto if in local
  nil not or repeat return then true until while]]):gmatch "%a+" do
  reserved[word] = true
end

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not reserved[key] then
    return key
  end
  return "[" .. scalar(key) .. "]"
end

local order = { number = 1, string = 2 }

local function before(a, b)
  local kind_a, kind_b = order[type(a)] or 3, order[type(b)] or 3
  if kind_a ~= kind_b then
    return kind_a < kind_b
  elseif kind_a < 3 then
    return a < b
  end
  return by_tostring(a) < by_tostring(b)
end

-- The keys beside 1 to n, in order; more than can be shown are not sorted.
local function other_keys(value, n)
  local keys = {}
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= n) then
      keys[#keys + 1] = key
      if #keys > 10000 then
        break
      end
    end
  end
  table.sort(keys, before)
  return keys
end

local format

local function items_of(value, state, depth)
  local items, n, left = {}, rawlen(value), MAX_ITEMS
  local function add(prefix, item)
    items[#items + 1] = prefix .. format(item, state, depth + 1)
    left = left - 1
    state.left = state.left - 1
  end
  local shown = 0
  for i = 1, n do
    if left == 0 or state.left <= 0 then break end
    shown = shown + 1
    add("", rawget(value, i))
  end
  local keys = other_keys(value, n)
  for _, key in ipairs(keys) do
    if left == 0 or state.left <= 0 then break end
    shown = shown + 1
    add(key_text(key) .. " = ", rawget(value, key))
  end
  if shown < n + #keys then
    items[#items + 1] = ("... %d more"):format(n + #keys - shown)
  end
  return items
end

-- The name that a class gives its objects.
local function class_name(value)
  local metatable = getmetatable(value)
  local name = type(metatable) == "table" and rawget(metatable, "__name")
  return type(name) == "string" and clean(name) .. " " or ""
end

local function layout(items, depth)
  local line = "{ " .. table.concat(items, ", ") .. " }"
  if #items == 0 then
    return "{}"
  elseif #line + 2 * depth <= WIDTH and not line:find("\n", 1, true) then
    return line
  end
  local indent = ("  "):rep(depth + 1)
  return "{\n" .. indent .. table.concat(items, ",\n" .. indent) .. "\n" .. ("  "):rep(depth) .. "}"
end

local function format_table(value, state, depth)
  if state.open[value] then
    return class_name(value) .. "{ (itself) }"
  elseif depth >= MAX_DEPTH or state.left <= 0 then
    return class_name(value) .. (next(value) == nil and "{}" or "{...}")
  end
  state.open[value] = true
  local text = class_name(value) .. layout(items_of(value, state, depth), depth)
  state.open[value] = nil
  return text
end

local function has_tostring(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and rawget(metatable, "__tostring") ~= nil
end

function format(value, state, depth)
  if type(value) ~= "table" then
    return scalar(value)
  elseif has_tostring(value) then
    return by_tostring(value)
  end
  return format_table(value, state, depth)
end

local function tables(value)
  return format_table(value, { open = {}, left = MAX_TOTAL }, 0)
end

--- A value, on one line if it fits.
function show.value(value)
  if is_error(value) then
    return show.error(value)
  end
  return format(value, { open = {}, left = MAX_TOTAL }, 0)
end

-- What every error has; the rest belongs to its kind.
local common = { kind = true, message = true, traceback = true, cause = true, retryable = true }

local function fields_of(err)
  local fields = {}
  for key, value in next, err do
    local told = err.kind == "deadlock" and key == "tasks" -- by the message
    if not common[key] and not told then
      fields[key] = value
    end
  end
  return next(fields) ~= nil and "\n  " .. tables(fields):gsub("\n", "\n  ") or ""
end

--- An error: its kind and message, its fields, its causes, and its trace.
function show.error(err, trace)
  local text
  if is_error(err) then
    text = by_tostring(err) .. fields_of(err)
    trace = trace or err.traceback
    if err.cause ~= nil then
      text = text .. "\n  caused by: " .. show.error(err.cause):gsub("\n", "\n  ")
    end
  elseif type(err) == "string" then
    text = clean(err)
  else
    text = "(error object: " .. show.value(err) .. ")"
  end
  local has_frames = trace and tostring(trace):find("\n", 1, true)
  return has_frames and text .. "\n" .. clean(tostring(trace)) or text
end

return show
