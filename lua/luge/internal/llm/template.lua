-- Templates: text with `{name}`; `{{` and `}}` stand for braces. A template is
-- read once, into a list of texts and names, and filled in by concatenation.

local json = require "luge.json"
local check = require "luge.internal.chain.check"

local concat = table.concat

local template = {}

local function at(text, position)
  local _, lines = text:sub(1, position):gsub("\n", "")
  return ("line %d, column %d"):format(lines + 1,
    position - (text:sub(1, position - 1):match(".*()\n") or 0))
end

local function refuse(text, position, problem)
  check.invalid("template: %s (%s): %s", problem, at(text, position),
    "write {name} for a variable, {{ and }} for braces")
end

local function read_name(text, open)
  local close = text:find("[{}]", open + 1)
  if not close or text:sub(close, close) ~= "}" then
    refuse(text, open, "the brace '{' is not closed")
  end
  local name = text:sub(open + 1, close - 1):match("^%s*([%a_][%w_]*)%s*$")
  if not name then
    refuse(text, open, ("'%s' is no name"):format(text:sub(open + 1, close - 1)))
  end
  return name, close + 1
end

-- parts[i] is a text, or what names[i] stands for.
local function parse(text)
  local parts, names, from, n = {}, {}, 1, 0
  local function add(piece, name)
    n = n + 1
    parts[n], names[n] = piece, name or false
  end
  while true do
    local brace = text:find("[{}]", from)
    if not brace then break end
    if brace > from then add(text:sub(from, brace - 1)) end
    local char = text:sub(brace, brace)
    if text:sub(brace + 1, brace + 1) == char then
      add(char)
      from = brace + 2
    elseif char == "}" then
      refuse(text, brace, "the brace '}' closes nothing")
    else
      local name
      name, from = read_name(text, brace)
      add("", name)
    end
  end
  if from <= #text then add(text:sub(from)) end
  return parts, names, n
end

local function missing(name, names)
  check.invalid("the prompt's variable '%s' is missing; it takes %s", name,
    check.names(names))
end

-- What a variable stands for, as text or a number.
local function text_of(name, value, variables)
  local kind = type(value)
  if kind == "string" or kind == "number" then return value end
  if kind == "function" then return text_of(name, value(), variables) end
  if value == nil then missing(name, variables) end
  local metatable = getmetatable(value)
  if kind ~= "boolean" and not (type(metatable) == "table" and metatable.__tostring) then
    check.invalid("the prompt's variable '%s' is %s, takes text", name,
      value == json.null and "null" or "a " .. kind)
  end
  return tostring(value)
end

-- A text around one variable, as most prompts are, needs no list.
local function fill_one(name, before, after, variables)
  return function(values)
    local value = values[name]
    if type(value) ~= "string" then value = text_of(name, value, variables) end
    return before .. value .. after
  end
end

--- Reads a template: returns fill(values) and the set of its names.
function template.compile(text)
  check.argument("template", text, check.string)
  local parts, names, n = parse(text)
  local variables, count, place = {}, 0, nil
  for i = 1, n do
    if names[i] then
      variables[names[i]] = true
      count, place = count + 1, i
    end
  end
  if count == 0 then
    local constant = concat(parts)
    return function() return constant end, variables
  end
  if count == 1 then
    return fill_one(names[place], concat(parts, "", 1, place - 1),
      concat(parts, "", place + 1, n), variables), variables
  end
  local function fill(values)
    local filled = {}
    for i = 1, n do
      local name = names[i]
      if name then
        local value = values[name]
        filled[i] = type(value) == "string" and value or text_of(name, value, variables)
      else
        filled[i] = parts[i]
      end
    end
    return concat(filled, "", 1, n)
  end
  return fill, variables
end

return template
