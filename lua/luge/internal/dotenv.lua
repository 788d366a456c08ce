-- Reads dotenv files: lines of NAME=value, as the dotenv tools do.
--
--   # a comment            export NAME=value       NAME = value  # a comment
--   NAME='as it is'        NAME="escapes: \n \"; ${OTHER}"       NAME=`it's "so"`
--
-- Quoted values may have several lines. ${OTHER} is the value of a variable,
-- ${OTHER:-text} `text` if that is unset or empty, ${OTHER-text} if it is
-- unset; \$ is a dollar. A dollar before anything else stands for itself.
local new_error = require("luge.native.task").error

local dotenv = {}

local escapes = { n = "\n", r = "\r", t = "\t", ["\\"] = "\\", ['"'] = '"', ["$"] = "$" }

local function fail(self, at, what)
  local _, line = self.text:sub(1, at - 1):gsub("\n", "")
  error(new_error {
    kind = "parse",
    message = ("%s:%d: %s"):format(self.name, line + 1, what),
    line = line + 1,
    path = self.name,
  }, 0)
end

local expand

-- The value of what stands between "${" and "}", at `at` in the file.
local function substitute(self, inside, at)
  local name, operator, default = inside:match "^([%a_][%w_.]*)(:?%-?)(.*)$"
  if not name or (operator == "" and default ~= "") or operator == ":" then
    fail(self, at, ("'${%s}' is no variable"):format(inside))
  end
  local value = self.lookup(name)
  if value == nil or (value == "" and operator == ":-") then
    return operator == "" and "" or expand(self, default, at, false)
  end
  return value
end

-- Replaces variables and, in double quotes, escapes. The end of "${" is the
-- brace that matches it.
function expand(self, text, at, quoted)
  local parts, from = {}, 1
  while true do
    local place = text:find("[\\$]", from)
    if not place then
      parts[#parts + 1] = text:sub(from)
      return table.concat(parts)
    end
    parts[#parts + 1] = text:sub(from, place - 1)
    local following = text:sub(place + 1, place + 1)
    if text:byte(place) == 92 then
      local known = following == "$" and "$" or quoted and escapes[following]
      parts[#parts + 1] = known or text:sub(place, place)
      from = place + (known and 2 or 1)
    elseif following == "{" then
      local braces = text:match("^%b{}", place + 1)
      if not braces then
        fail(self, at, "a '${' has no end")
      end
      parts[#parts + 1] = substitute(self, braces:sub(2, -2), at)
      from = place + 1 + #braces
    else
      parts[#parts + 1] = "$"
      from = place + 1
    end
  end
end

-- The place of the quote that ends what begins at `from`.
local function find_quote(self, quote, from)
  local at = from
  while true do
    at = self.text:find(quote == '"' and '["\\]' or quote, at)
    if not at then
      fail(self, from - 1, ("a value has no closing %s"):format(quote))
    elseif self.text:sub(at, at) == quote then
      return at
    end
    at = at + 2
  end
end

local function quoted_value(self, quote, from)
  local last = find_quote(self, quote, from)
  local raw = self.text:sub(from, last - 1)
  local rest, next_line = self.text:match("^[ \t]*([^\n]*)\n?()", last + 1)
  if rest ~= "" and rest:sub(1, 1) ~= "#" then
    fail(self, last, "there is more behind a closing quote")
  end
  return quote == '"' and expand(self, raw, from, true) or raw, next_line
end

-- A "#" begins a comment at the start or behind white space.
local function plain_value(self, from)
  local raw, next_line = self.text:match("^([^\n]*)\n?()", from)
  raw = (" " .. raw):gsub("%s#.*$", ""):match "^%s*(.-)%s*$"
  return expand(self, raw, from, false), next_line
end

local function value_at(self, from)
  local quote = self.text:match("^['\"`]", from)
  if quote then
    return quoted_value(self, quote, from + 1)
  end
  return plain_value(self, from)
end

-- Reads what is at `at` and returns the place of the next line.
local function read_line(self, at, found)
  local blank = self.text:match("^[ \t]*()\n", at) or self.text:match("^[ \t]*#[^\n]*()", at)
  if blank then
    return self.text:match("^\n?()", blank)
  end
  local from = self.text:match("^[ \t]*export[ \t]+()", at) or at
  local name, value_from = self.text:match("^[ \t]*([%a_][%w_.]*)[ \t]*=[ \t]*()", from)
  if not name then
    fail(self, at, "this is no NAME=value")
  end
  local value, next_line = value_at(self, value_from)
  found(name, value)
  return next_line
end

-- Calls `found(name, value)` for each variable, in order. `lookup(name)` is
-- the value that ${name} stands for, or nil; `name` of the file is for errors.
function dotenv.parse(text, name, lookup, found)
  text = text:gsub("^\xEF\xBB\xBF", ""):gsub("\r\n", "\n")
  local self = { text = text, name = name, lookup = lookup }
  local at = 1
  while self.text:find("%S", at) do
    at = read_line(self, at, found)
  end
end

return dotenv
