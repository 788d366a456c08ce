-- Models like to put JSON into a fenced block, with or without words before
-- it. This takes a text in pieces and gives the document in pieces.
--
-- A line that begins with three backquotes cannot be inside a document: its
-- strings hold no line ends.

local fence = {}

local Fence = {}
Fence.__index = Fence

function fence.new()
  return setmetatable({ state = "start", held = "" }, Fence)
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

-- The first character shows whether the text is the document itself; if it
-- begins with a word, the whole word does.
function states.start(self, text)
  local first = text:match("^%s*()%S")
  if not first then return text, "" end
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

-- Before the block: nothing is known until its first line is complete.
function states.words(self, text)
  local after = text:match("^%s*```[^\n]*\n()") or text:match("\n%s*```[^\n]*\n()")
  if not after then return text, "" end
  self.state = "block"
  return self:take(text:sub(after))
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
  return self.held
end

return fence
