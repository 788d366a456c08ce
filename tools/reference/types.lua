-- Reads the types of LuaCATS annotations, as far as to know where they end.
local types = {}

local closers = { ["("] = ")", ["{"] = "}", ["<"] = ">" }

-- The place behind the bracket that closes the one at `from`; nil if none does.
local function skip_brackets(text, from)
  local depth, i = 0, from
  while i <= #text do
    local c = text:sub(i, i)
    if c == '"' then
      i = text:find('"', i + 1, true) or #text
    elseif closers[c] then
      depth = depth + 1
    elseif c == ")" or c == "}" or (c == ">" and text:sub(i - 1, i - 1) ~= "-") then
      depth = depth - 1
      if depth == 0 then
        return i + 1
      end
    end
    i = i + 1
  end
  return nil
end

--- Whether a bracket is still open at the end: the type goes on in the next line.
function types.is_open(text)
  local from = text:find "[({<]"
  while from do
    local behind = skip_brackets(text, from)
    if not behind then
      return true
    end
    from = text:find("[({<]", behind)
  end
  return false
end

local skip_type -- forward

local function skip_returns(text, from)
  local at = from
  repeat
    at = skip_type(text, at)
    local comma = text:match("^,%s*()", at)
    at = comma or at
  until not comma
  return at
end

local function skip_atom(text, from)
  local is_function = text:find("^fun%(", from)
  local bracket = text:match("^%a*()[({]", from)
  if is_function then
    local at = skip_brackets(text, from + 3)
    local returns = text:match("^%s*:%s*()", at)
    return returns and skip_returns(text, returns) or at
  elseif bracket then
    return skip_brackets(text, bracket)
  elseif text:find('^"', from) then
    return text:match('^"[^"]*"()', from)
  end
  local at = text:match("^%.%.%.()", from) or text:match("^[%w_.*-]+()", from)
  if at and text:find("^<", at) then
    return skip_brackets(text, at)
  end
  return at or from
end

-- The place behind the type that begins at `from`, and spaces.
function skip_type(text, from)
  local at = skip_atom(text, from)
  while true do
    local suffix = text:match("^%[%]()", at) or text:match("^%?()", at)
    local alternative = text:match("^%s*|%s*()", at)
    if suffix then
      at = suffix
    elseif alternative then
      at = skip_atom(text, alternative)
    else
      return at
    end
  end
end

--- Splits "TYPE rest" into the two.
function types.split(text)
  local at = skip_type(text, 1)
  return text:sub(1, at - 1), (text:sub(at):gsub("^%s+", ""))
end

--- Splits "A, B, C rest", what a function returns.
function types.split_list(text)
  local at = skip_returns(text, 1)
  return text:sub(1, at - 1), (text:sub(at):gsub("^%s+", ""))
end

-- Splits at commas outside of brackets and strings.
local function split_commas(text)
  local list, start, i = {}, 1, 1
  while i <= #text do
    local c = text:sub(i, i)
    if c == '"' then
      i = text:find('"', i + 1, true) or #text
    elseif closers[c] then
      i = (skip_brackets(text, i) or #text + 1) - 1
    elseif c == "," then
      list[#list + 1] = text:sub(start, i - 1)
      start = i + 1
    end
    i = i + 1
  end
  list[#list + 1] = text:sub(start)
  return list
end

--- Takes "fun(a: A, b?: B, ...): R" apart: the list of `{ name =, type =,
--- optional = }`, and the text of what it returns. nil: it is no function type.
function types.signature(text)
  local is_function = text:find "^fun%("
  if not is_function then
    return nil
  end
  local behind = skip_brackets(text, 4)
  local params = {}
  local inside = text:sub(5, behind - 2)
  if inside:find "%S" then
    for _, param in ipairs(split_commas(inside)) do
      local name, optional, kind = param:match "^%s*([%w_.]+)(%??)%s*:?%s*(.-)%s*$"
      params[#params + 1] = {
        name = name, optional = optional == "?", type = kind ~= "" and kind or "any",
      }
    end
  end
  local returns = text:match("^%s*:%s*(.*)$", behind)
  return params, returns
end

return types
