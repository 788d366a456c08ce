-- Sets entries of the reference for a terminal: paragraphs are wrapped, code is
-- left as it is, and names are bold if the terminal is one.

local Text = {}
Text.__index = Text

local INDENT = "    "

local function plain_length(word)
  return utf8.len((word:gsub("\27%[%d*m", ""))) or #word
end

function Text:bold(text)
  return self.is_terminal and "\27[1m" .. text .. "\27[0m" or text
end

-- `code` in a text: on a terminal bold, without its marks.
function Text:marked(text)
  if not self.is_terminal then
    return text
  end
  return (text:gsub("`([^`]+)`", function(code) return self:bold(code) end))
end

function Text:add(line)
  self[#self + 1] = line
end

-- A blank line, unless there is one.
function Text:space()
  if #self > 0 and self[#self] ~= "" then
    self:add ""
  end
end

--- Adds a paragraph; its further lines are set in by `hanging` more.
function Text:wrap(text, indent, hanging)
  local line, length, count = indent, #indent, 0
  for word in self:marked(text):gmatch "%S+" do
    local more = plain_length(word)
    if count > 0 and length + 1 + more > self.width then
      self:add(line)
      line, length, count = indent .. hanging, #indent + #hanging, 0
    end
    line = line .. (count > 0 and " " or "") .. word
    length = length + (count > 0 and 1 or 0) + more
    count = count + 1
  end
  self:add(line)
end

-- Adds lines of Markdown, as far as the reference uses it.
function Text:markdown(lines, indent)
  local paragraph, in_code = {}, false
  local function flush()
    if #paragraph > 0 then
      local text = table.concat(paragraph, " ")
      self:wrap(text, indent, text:find "^%- " and "  " or "")
      paragraph = {}
    end
  end
  for _, line in ipairs(lines) do
    if line:find "^```" then
      flush()
      in_code = not in_code
    elseif in_code then
      self:add(line == "" and "" or indent .. INDENT .. line)
    elseif line == "" then
      flush()
      self:space()
    else
      if line:find "^%- " then
        flush()
      end
      paragraph[#paragraph + 1] = line
    end
  end
  flush()
end

-- The signatures of an entry (its first block of code), and the other lines.
local function parts(entry)
  if entry.level == 1 then
    return {}, entry.lines
  end
  local calls, rest, state = {}, {}, "before"
  for _, line in ipairs(entry.lines) do
    if line:find "^```" and state ~= "after" then
      state = state == "before" and "inside" or "after"
    elseif state == "inside" then
      calls[#calls + 1] = line
    elseif line ~= "" and state == "before" then
      return {}, entry.lines -- a class: its text comes first
    elseif state == "after" then
      rest[#rest + 1] = line
    end
  end
  return calls, rest
end

-- The first sentence of an entry's text.
local function summary(lines)
  local words = {}
  for _, line in ipairs(lines) do
    if line == "" and #words > 0 or line:find "^%- " or line:find "^```" then
      break
    end
    words[#words + 1] = line ~= "" and line or nil
  end
  local text = table.concat(words, " ")
  return text:match "^(.-%.)%s" or text
end

--- Adds the signatures of an entry and its first sentence.
function Text:brief(entry)
  local calls, rest = parts(entry)
  for _, call in ipairs(#calls > 0 and calls or { entry.name }) do
    self:wrap(self:bold(call), "  ", INDENT)
  end
  local text = summary(rest)
  if text ~= "" then
    self:wrap(text, INDENT .. "  ", "")
  end
end

--- Adds an entry, with a list of what belongs to it.
function Text:entry(entry)
  local calls, rest = parts(entry)
  for _, call in ipairs(#calls > 0 and calls or { entry.name }) do
    self:wrap(self:bold(call), "", INDENT)
  end
  self:space()
  self:markdown(rest, "")
  for _, child in ipairs(entry.children) do
    self:space()
    self:brief(child)
  end
end

function Text:string()
  return table.concat(self, "\n"):gsub("\n*$", "") .. "\n"
end

--- A new text, `width` columns wide.
return function(width, is_terminal)
  return setmetatable({ width = width, is_terminal = is_terminal }, Text)
end
