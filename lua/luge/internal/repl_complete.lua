-- Completing names at the prompt: keywords, globals, fields and methods. Only
-- looks: nothing is called, but what a table has in its metatable's `__index`,
-- if that is a table, counts as its own.
local MAX_DEPTH <const> = 10
local MAX_SHOWN <const> = 200
local WIDTH <const> = 78

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local
  nil not or repeat return then true until while]]):gmatch "%a+" do
  keywords[#keywords + 1] = word
end

-- Calls each(table) for the tables that a value's fields are looked up in.
local function each_table(value, index, each)
  for _ = 1, MAX_DEPTH do
    if value == nil then
      return
    elseif type(value) == "table" then
      each(value)
    end
    value = index(value)
  end
end

local function field(value, name, index)
  local found
  each_table(value, index, function(t)
    if found == nil then
      found = rawget(t, name)
    end
  end)
  return found
end

-- The value that "a.b.c" names, from the globals.
local function value_of(path, globals, index)
  local value = globals
  for name in path:gmatch "[%a_][%w_]*" do
    value = field(value, name, index)
    if value == nil then
      return nil
    end
  end
  return value
end

local function fits(name, partial)
  return type(name) == "string" and name:sub(1, #partial) == partial
    and name:find "^[%a_][%w_]*$" ~= nil
end

-- The names that go on from `partial`, sorted.
local function candidates(value, partial, only_functions, index)
  local seen, list = {}, {}
  local function add(name)
    if not seen[name] and fits(name, partial) then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  each_table(value, index, function(t)
    for name, member in next, t do
      if not only_functions or type(member) == "function" then
        add(name)
      end
    end
  end)
  return list, add
end

-- What all names begin with.
local function common_prefix(list)
  local prefix = list[1]
  for i = 2, #list do
    local length = 0
    while length < #prefix and prefix:byte(length + 1) == list[i]:byte(length + 1) do
      length = length + 1
    end
    prefix = prefix:sub(1, length)
  end
  return prefix
end

local function columns(list)
  local width = 0
  local n = math.min(#list, MAX_SHOWN)
  for i = 1, n do
    width = math.max(width, #list[i] + 2)
  end
  local per_line, lines = math.max(1, WIDTH // width), {}
  for i = 1, n, per_line do
    local line = {}
    for j = i, math.min(i + per_line - 1, n) do
      line[#line + 1] = list[j] .. (" "):rep(width - #list[j])
    end
    lines[#lines + 1] = (table.concat(line):gsub("%s+$", ""))
  end
  if #list > n then
    lines[#lines + 1] = ("... %d more"):format(#list - n)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- For the text before the cursor: what is to be put in, and what is to be
--- shown, or nil. `index(value)` gives the table of a value's methods.
return function(text, globals, index)
  if not text:find "%S" then
    return "  "
  end
  local path, separator, partial = text:match "([%a_][%w_%.]*)%s*([%.:])%s*([%w_]*)$"
  local list, add
  if path then
    list = candidates(value_of(path, globals, index), partial, separator == ":", index)
  else
    partial = text:match "[%a_][%w_]*$"
    if not partial or text:find("[%.:%d]%s*" .. partial .. "$") then
      return nil
    end
    list, add = candidates(globals, partial, false, index)
    for _, word in ipairs(keywords) do
      add(word)
    end
  end
  if #list == 0 then
    return nil
  end
  table.sort(list)
  local insertion = common_prefix(list):sub(#partial + 1)
  return insertion, insertion == "" and #list > 1 and columns(list) or nil
end
