-- Most events of a stream differ from the one before in a text only:
--
--   {"id":"1","choices":[{"index":0,"delta":{"content":"tok "},...}]}
-- Once the place of the text is known, an event that is alike before and behind
-- it, byte for byte, need not be decoded: with another well-formed string there
-- it is the same document. An event that is not alike, or has an escape in its
-- text, is decoded.

local between = require("luge.native.json").between
local find, sub = string.find, string.sub

local alike = {}

local Alike = {}
Alike.__index = Alike

-- The place is looked for so many times; some servers change more than the text
-- with each event.
local TRIES = 3

--- `member`: the name of the member that the text is the value of.
function alike.new(member)
  return setmetatable({ pattern = ('"%s"%%s*:%%s*"()'):format(member), tries = 0 }, Alike)
end

--- Notes the place of a text in an event that was decoded: events like this one
--- are found from now on. Whether it has been noted.
function Alike:note(data, text)
  if self.tries >= TRIES or text == "" then return false end
  self.tries = self.tries + 1
  local _, _, first = find(data, self.pattern)
  local last = first and first + #text
  -- There must be only one such member, and its text must be written without
  -- escapes.
  if not first or find(data, self.pattern, last) or sub(data, first, last) ~= text .. '"' then
    return false
  end
  self.before, self.behind = sub(data, 1, first - 1), sub(data, last)
  return true
end

--- The text of an event that is alike; else nil.
function Alike:text(data)
  local before = self.before
  return before and between(data, before, self.behind)
end

return alike
