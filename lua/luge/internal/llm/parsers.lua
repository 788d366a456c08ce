-- Parsers of text: llm.text, llm.list and llm.match.

local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local join = require "luge.internal.chain.join"
local message = require "luge.internal.llm.message"
local runnable = require "luge.internal.chain.runnable"

local Message = message.metatable
local parsers = {}

--- The text of what a parser is given: text, a message, or the result of an
--- agent, whose metatable has `__text`.
function parsers.text_of(input, where)
  local metatable = getmetatable(input)
  if metatable == Message then return message.text(input) end
  if type(input) == "string" then return input end
  if type(input) == "table" and input.content ~= nil then return message.text(input) end
  if type(metatable) == "table" and metatable.__text then return metatable.__text(input) end
  check.invalid("%s: the input is %s, takes a message or text", where, check.describe(input))
end

local text_of = parsers.text_of

--- The text of a piece of a stream. An agent's are its events, most without text.
function parsers.text_of_piece(piece, where)
  if type(piece) == "table" and piece.type ~= nil then
    return piece.type == "text" and piece.text or ""
  end
  return text_of(piece, where)
end

local text_of_piece = parsers.text_of_piece

-- text: a message's content. Pieces without text are left out; where none has
-- text there is an empty one.
local Text = {}

function Text._invoke(_, input)
  return text_of(input, "llm.text")
end

function Text._transform(_, pull, close)
  local given, ended = false, false
  return function()
    while not ended do
      local piece = pull()
      if piece == nil then
        ended = true
        return not given and "" or nil
      end
      local text = piece
      if type(piece) == "table" and piece.type == nil then text = piece.content end
      if type(text) ~= "string" then text = text_of_piece(piece, "llm.text") end
      if text ~= "" then
        given = true
        return text
      end
    end
  end, close
end

runnable.class("text", "parser", Text)

function parsers.text()
  return runnable.new(Text, {})
end

-- list: items between commas, or lines. It is lines if the first item has a
-- bullet or a number, which are no part of the items, or if a line ends before
-- the first comma.
local List = {}

local function add_item(items, text, by_line)
  local item = text:match("^%s*(.-)%s*$")
  if by_line then
    item = item:match("^[-*+]%s+(.*)$") or item:match("^%d+[.)]%s+(.*)$") or item
  end
  if item ~= "" then items[#items + 1] = item end
end

-- What is between items; nil while that cannot be seen.
local function separators(text)
  local from = text:find("%S")
  local separator = from and text:match("^[^,\n]*([,\n])", from)
  if not separator then return nil end
  local marked = text:find("^[-*+]%s", from) or text:find("^%d+[.)]%s", from)
  return (marked or separator == "\n") and "\n" or ",\n"
end

-- Adds the items of `text` that a separator ends, and returns the rest.
local function take_items(items, text, between)
  local rest = 1
  for item, next_item in text:gmatch("([^" .. between .. "]*)[" .. between .. "]()") do
    add_item(items, item, between == "\n")
    rest = next_item
  end
  return text:sub(rest)
end

function List._invoke(_, input)
  local text, items = text_of(input, "llm.list"), {}
  local between = separators(text) or "\n"
  add_item(items, take_items(items, text, between), between == "\n")
  return items
end

-- Pieces are lists of the items that have come whole; of no items, an empty one.
function List._transform(_, pull, close)
  local text, between, given, ended = "", nil, false, false
  local function pull_items()
    local items = {}
    while not ended and #items == 0 do
      local piece = pull()
      if piece == nil then
        ended = true
        add_item(items, text, between ~= ",\n")
      else
        text = text .. text_of_piece(piece, "llm.list")
        between = between or separators(text)
        if between then text = take_items(items, text, between) end
      end
    end
    if #items == 0 and given then return nil end
    given = true
    return items
  end
  return pull_items, close, join.lists
end

runnable.class("list", "parser", List)

function parsers.list()
  return runnable.new(List, {})
end

-- match: the captures of a Lua pattern, by name.
local Match = {}

local function no_match(self, text)
  error(tasks.error {
    kind = "parse", offset = 1, near = text:sub(1, 80), text = text,
    message = ("llm.match: the text does not match %q; it begins with %q"):format(
      self.pattern, text:sub(1, 80)),
  })
end

function Match:_invoke(input)
  local text = text_of(input, "llm.match")
  -- Some patterns show only here that they are none.
  local ok, captures = pcall(function() return table.pack(text:match(self.pattern)) end)
  if not ok then check.invalid("llm.match: %q: %s", self.pattern, tostring(captures)) end
  if captures[1] == nil then no_match(self, text) end
  if self.names == nil then return captures[1] end
  if #self.names > captures.n then
    check.invalid("llm.match: %q has no capture for the name '%s'", self.pattern,
      self.names[captures.n + 1])
  end
  local values = {}
  for i, name in ipairs(self.names) do values[name] = captures[i] end
  return values
end

--- What tells its values from those of others.
function Match:_identity()
  return { self.pattern, self.names or false }
end

runnable.class("match", "parser", Match)

function parsers.match(pattern, names)
  check.argument("llm.match", pattern, check.string)
  local ok, reason = pcall(string.find, "", pattern)
  if not ok then check.invalid("llm.match: %s", tostring(reason)) end
  if names ~= nil then check.argument("llm.match", names, check.strings) end
  return runnable.new(Match, { pattern = pattern, names = names })
end

return parsers
