-- The modules that a Lua source requires by name: `require "x"`, `require("x")`
-- and the like, wherever they stand. Comments and strings are passed over.
local scan = {}

local function count_lines(source, from, to)
  local _, n = source:sub(from, to):gsub("\n", "")
  return n
end

-- Where the long bracket that begins at `at` ends; nil: there is none.
local function long_end(source, at)
  local level = source:match("^%[(=*)%[", at)
  if level then
    local _, last = source:find("]" .. level .. "]", at + #level + 2, true)
    return last or #source
  end
  return nil
end

local function quoted_end(source, at)
  local quote, i = source:sub(at, at), at + 1
  while i <= #source do
    local char = source:sub(i, i)
    if char == "\\" then
      i = i + 1
    elseif char == quote then
      return i
    end
    i = i + 1
  end
  return #source
end

-- The kind of what begins at `at`, and where it ends.
local function token_at(source, at)
  local char = source:sub(at, at)
  if source:find("^%-%-", at) then
    local last = long_end(source, at + 2)
    return "comment", last or (source:find("\n", at, true) or #source + 1) - 1
  elseif char == '"' or char == "'" then
    return "string", quoted_end(source, at)
  elseif char == "[" and long_end(source, at) then
    return "string", long_end(source, at)
  elseif char:find "[%a_]" then
    return "name", select(2, source:find("^[%w_]+", at))
  elseif char:find "%d" then
    return "number", select(2, source:find("^[%w%.]+", at))
  end
  return "symbol", at
end

-- A list of { kind, text, line }.
local function tokens_of(source)
  local list, at, line = {}, 1, 1
  while true do
    local start = source:find("%S", at)
    if not start then
      return list
    end
    line = line + count_lines(source, at, start - 1)
    local kind, last = token_at(source, start)
    if kind ~= "comment" then
      list[#list + 1] = { kind = kind, text = source:sub(start, last), line = line }
    end
    line = line + count_lines(source, start, last)
    at = last + 1
  end
end

local function value_of(literal)
  return load("return " .. literal, "=literal", "t", {})()
end

-- What the `require` at `i` is called with: a string; false: something that is
-- computed; nil: it is not called.
local function argument(tokens, i)
  local next, after, close = tokens[i + 1], tokens[i + 2], tokens[i + 3]
  if not next then
    return nil
  elseif next.kind == "string" then
    return value_of(next.text)
  elseif next.text == "(" then
    if after and after.kind == "string" and close and close.text == ")" then
      return value_of(after.text)
    end
    return false
  end
  return nil
end

--- A list of { name, line } for a source that compiles; name is false where it
--- is computed.
function scan.requires(source)
  local tokens, found = tokens_of(source), {}
  for i, token in ipairs(tokens) do
    local before = tokens[i - 1]
    if token.kind == "name" and token.text == "require"
      and not (before and (before.text == "." or before.text == ":" or before.text == "function"))
    then
      local name = argument(tokens, i)
      if name ~= nil then
        found[#found + 1] = { name = name, line = token.line }
      end
    end
  end
  return found
end

return scan
