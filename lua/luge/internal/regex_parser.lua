--- Reads ECMA-262 regular expressions, as JSON Schema's `pattern` has them (with
--- the flag `u`, without captures), into a tree of nodes:
--
--   { kind = "set", ranges = { low, high, ... }, negated = boolean }
--   { kind = "cat", ... }, { kind = "alt", ... }
--   { kind = "rep", node, min =, max = }
--   { kind = "assert", name = "^" | "$" | "b" | "B" }
--
-- What cannot be matched in linear time (backreferences, lookaround), and
-- Unicode properties, are refused.
--
-- https://tc39.es/ecma262/#sec-patterns

local MAX_NESTING = 200

local sets = {
  d = { 0x30, 0x39 },
  w = { 0x30, 0x39, 0x41, 0x5A, 0x5F, 0x5F, 0x61, 0x7A },
  s = { 0x09, 0x0D, 0x20, 0x20, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029,
    0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF },
}

local LAST = 0x10FFFF

-- What is not in the ranges, which are in order.
local function complement(ranges)
  local result, from = {}, 0
  for i = 1, #ranges, 2 do
    if ranges[i] > from then
      table.move({ from, ranges[i] - 1 }, 1, 2, #result + 1, result)
    end
    from = ranges[i + 1] + 1
  end
  if from <= LAST then
    table.move({ from, LAST }, 1, 2, #result + 1, result)
  end
  return result
end

for _, letter in ipairs { "d", "w", "s" } do
  sets[letter:upper()] = complement(sets[letter])
end

local controls = { t = 9, n = 10, v = 11, f = 12, r = 13, ["0"] = 0 }

local Parser = {}
Parser.__index = Parser

function Parser:fail(message)
  error({ message = ("is a pattern with %s at byte %d"):format(message, self.at) }, 0)
end

-- The text that matches a Lua pattern here, and goes on behind it.
function Parser:take(pattern)
  local from, to, capture = self.text:find("^" .. pattern, self.at)
  if from then
    self.at = to + 1
    return capture or self.text:sub(from, to)
  end
end

function Parser:take_character()
  local text = self:take(utf8.charpattern)
  if not text then
    self:fail "its end where a character must follow"
  end
  return utf8.codepoint(text)
end

-- After `\u`: a code unit, a pair of them, or {digits}.
function Parser:unicode_escape()
  local braced = self:take "{(%x+)}"
  local code = tonumber(braced or self:take "%x%x%x%x" or self:fail "a malformed escape", 16)
  if not braced and code >= 0xD800 and code <= 0xDBFF then
    local low = self:take "\\u([dD][c-fC-F]%x%x)"
    code = low and 0x10000 + (code - 0xD800 << 10) + (tonumber(low, 16) - 0xDC00) or code
  end
  if code > LAST then
    self:fail "a malformed escape"
  end
  return code
end

-- After a backslash: ranges of a class, or nil and one character.
function Parser:escape()
  local letter = self:take "."
  if sets[letter] then
    return sets[letter]
  elseif controls[letter] then
    return nil, controls[letter]
  elseif letter == "u" then
    return nil, self:unicode_escape()
  elseif letter == "x" then
    return nil, tonumber(self:take "%x%x" or self:fail "a malformed escape", 16)
  elseif letter == "c" then
    return nil, (self:take "%a" or self:fail "a malformed escape"):byte() % 32
  elseif letter and letter:find "[%^%$\\%.%*%+%?%(%)%[%]{}|/%-]" then
    return nil, letter:byte()
  elseif letter and letter:find "[pP]" then
    self:fail "a Unicode property, which is not supported,"
  elseif letter and letter:find "[1-9k]" then
    self:fail "a backreference, which is not supported,"
  end
  self:fail "an unknown escape"
end

-- One end of a range in a class: ranges, or nil and a character.
function Parser:class_atom()
  if not self:take "\\" then
    return nil, self:take_character()
  elseif self:take "b" then
    return nil, 8
  end
  return self:escape()
end

function Parser:class()
  local node = { kind = "set", ranges = {}, negated = self:take "%^" ~= nil }
  local ranges = node.ranges
  while not self:take "%]" do
    local class, low = self:class_atom()
    if class then
      table.move(class, 1, #class, #ranges + 1, ranges)
    else
      local high = low
      if self.text:find("^%-[^%]]", self.at) then
        self.at = self.at + 1
        class, high = self:class_atom()
        if class or high < low then
          self:fail "a malformed range"
        end
      end
      table.move({ low, high }, 1, 2, #ranges + 1, ranges)
    end
  end
  return node
end

function Parser:group()
  if self:take "%?[=!]" or self:take "%?<[=!]" then
    self:fail "lookaround, which is not supported,"
  elseif not self:take "%?:" and not self:take "%?<[%a_$][%w_$]*>" and self:take "%?" then
    self:fail "an unknown kind of group"
  end
  self.depth = self.depth + 1
  if self.depth > MAX_NESTING then
    self:fail "too many groups in each other"
  end
  local node = self:alternatives()
  if not self:take "%)" then
    self:fail "an open group"
  end
  self.depth = self.depth - 1
  return node
end

function Parser:atom()
  if self:take "%(" then
    return self:group()
  elseif self:take "%[" then
    return self:class()
  elseif self:take "%." then
    return { kind = "set", ranges = { 0x0A, 0x0A, 0x0D, 0x0D, 0x2028, 0x2029 }, negated = true }
  elseif self:take "\\" then
    local assertion = self:take "[bB]"
    if assertion then
      return { kind = "assert", name = assertion }
    end
    local class, code = self:escape()
    return { kind = "set", ranges = class or { code, code } }
  end
  local assertion = self:take "[%^%$]"
  if assertion then
    return { kind = "assert", name = assertion }
  elseif self:take "[%*%+%?]" then
    self:fail "nothing to repeat"
  end
  local code = self:take_character()
  return { kind = "set", ranges = { code, code } }
end

-- min and max of a quantifier, nil if there is none.
function Parser:quantifier()
  local simple = self:take "[%*%+%?]"
  if simple then
    return simple == "+" and 1 or 0, simple == "?" and 1 or math.huge
  end
  local exact = self:take "{(%d+)}"
  if exact then
    return tonumber(exact), tonumber(exact)
  end
  local from, to, min, max = self.text:find("^{(%d+),(%d*)}", self.at)
  if from then
    self.at = to + 1
    return tonumber(min), tonumber(max) or math.huge
  end
end

function Parser:sequence()
  local node = { kind = "cat" }
  while self.at <= #self.text and not self.text:find("^[|)]", self.at) do
    local atom = self:atom()
    local min, max = self:quantifier()
    if min then
      self:take "%?" -- lazy or not makes no difference to whether it matches
      if max < min then
        self:fail "a malformed range"
      end
      atom = { kind = "rep", atom, min = min, max = max }
    end
    node[#node + 1] = atom
  end
  return node
end

function Parser:alternatives()
  local node = { kind = "alt", self:sequence() }
  while self:take "|" do
    node[#node + 1] = self:sequence()
  end
  return node
end

--- The tree of a regular expression, or nil and what is wrong with it.
---@param text string
---@return table?
---@return string?
return function(text)
  local parser = setmetatable({ text = text, at = 1, depth = 0 }, Parser)
  if not utf8.len(text) then
    return nil, "is a pattern that is no UTF-8"
  end
  local ok, result = pcall(parser.alternatives, parser)
  if ok and parser.at <= #text then
    ok, result = pcall(parser.fail, parser, "a closing parenthesis too many")
  end
  if ok then
    return result
  elseif type(result) ~= "table" then
    error(result, 0)
  end
  return nil, result.message
end
