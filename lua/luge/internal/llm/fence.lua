-- Models like to put JSON into a fenced block, with or without words before
-- it, and some to think first, in tags. This takes a text in pieces and gives the
-- document in pieces, in linear time.
--
-- A line that begins with three backquotes cannot be inside a document: its
-- strings hold no line ends.

local fence = {}

local Fence = {}
Fence.__index = Fence

function fence.new()
  return setmetatable({ state = "start", held = "", passed = {} }, Fence)
end

local states = {}

local literals = { "true", "false", "null" }

-- Whether a word is a literal of JSON, or may become one.
local function may_be_literal(word)
  for _, literal in ipairs(literals) do
    if literal:sub(1, #word) == word then return true end
  end
  return false
end

-- Goes on with the rest of a text, of which nothing before counts.
local function go_on(self, state, text)
  self.state, self.passed = state, {}
  return self:take(text)
end

-- Holds the text from `keep` on. What is before is not looked at again.
local function pass(self, text, keep)
  if keep > 1 then self.passed[#self.passed + 1] = text:sub(1, keep - 1) end
  return text:sub(keep), ""
end

local THOUGHT = "<think>"
-- No line that opens a block is longer.
local MAX_OPENING = 256

-- The first character shows whether the text is the document itself; if it
-- begins with a word, the whole word does.
function states.start(self, text)
  local first = text:find("%S")
  if not first then return pass(self, text, #text + 1) end
  if self.passed[1] then return go_on(self, "start", table.concat(self.passed) .. text) end
  local tag = text:sub(first, first + #THOUGHT - 1)
  if tag == THOUGHT then return go_on(self, "thought", text) end
  if tag == THOUGHT:sub(1, #tag) then return text, "" end
  local word = text:match("^%l+", first)
  if word and may_be_literal(word) then
    if first + #word > #text and #word < 4 then return text, "" end
    self.state = "plain"
  else
    self.state = text:find("^[%[{\"%d-]", first) and "plain" or "words"
  end
  return self:take(text)
end

function states.plain(_, text)
  return "", text
end

function states.thought(self, text)
  local after = text:match("</think>()")
  if after then return go_on(self, "start", text:sub(after)) end
  return pass(self, text, math.max(#text - 6, 1))
end

-- Before the block: nothing is known until its first line is complete.
function states.words(self, text)
  local at_start = #self.passed == 0
  local after = at_start and text:match("^%s*```[^\n]*\n()")
    or text:match("\n[^%S\n]*```[^\n]*\n()")
  if after then return go_on(self, "block", text:sub(after)) end
  local last = text:match("^.*()\n") or at_start and 1
  local opens = last and #text - last < MAX_OPENING
    and (text:find("^%s*`*$", last) or text:find("^%s*```", last))
  return pass(self, text, opens and last or #text + 1)
end

-- In the block: a line that may be its last is held until it is known.
function states.block(self, text)
  local last = text:find("\n[ \t]*```")
  if last then
    self.state = "after"
    return "", text:sub(1, last - 1)
  end
  local open = text:find("\n[ \t]*`*$")
  if open then return text:sub(open), text:sub(1, open - 1) end
  return "", text
end

states["after"] = function() return "", "" end

-- Sets what is held and returns what is known to be of the document.
function Fence:take(text)
  return states[self.state](self, text)
end

function Fence:push(piece)
  local known
  self.held, known = self:take(self.held .. piece)
  return known
end

--- Whether all that is still to come is of the document.
function Fence:is_bare()
  return self.state == "plain" and self.held == ""
end

--- What is left at the end. Words without a block are given as they are, to be
--- refused by whoever reads them.
function Fence:finish()
  return table.concat(self.passed) .. self.held
end

return fence
