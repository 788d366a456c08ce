-- Reads one block of comment lines, taken apart by its tags:
--
--   { doc = lines, class =, alias =, type =, params =, returns =, overloads =,
--     generic = }
local types = require "types"

local block_of = {}

local readers = {}

function readers.class(block, rest)
  local name, parents = rest:match "^%s*([%w_.]+)%s*:?%s*(.-)%s*$"
  block.class = { name = name, doc = block.doc, parents = parents ~= "" and parents or nil,
    fields = {}, operators = {} }
  block.doc = {}
end

local hidden = { package = true, private = true, protected = true }

function readers.field(block, rest)
  if hidden[rest:match "^%s*(%a+)%s+[%w_]+%??%s"] then
    block.doc = {}
    return
  end
  local name, behind = rest:match "^%s*(%b[])%s*(.*)$"
  if not name then
    name, behind = rest:match "^%s*([%w_]+%??)%s*(.*)$"
  end
  local kind, text = types.split(behind)
  local doc = block.doc
  block.doc = {}
  if text ~= "" then
    doc[#doc + 1] = text
  end
  local fields = block.class.fields
  fields[#fields + 1] = {
    name = (name:gsub("%?$", "")), optional = name:find "%?$" ~= nil, type = kind, doc = doc,
  }
end

function readers.param(block, rest)
  local name, optional, behind = rest:match "^%s*([%w_.]+)(%??)%s+(.*)$"
  local kind, text = types.split(behind)
  block.params[#block.params + 1] = {
    name = name, optional = optional == "?", type = kind, doc = text,
  }
end

readers["return"] = function(block, rest)
  local kind, text = types.split_list(rest:gsub("^%s+", ""))
  block.returns = block.returns or {}
  table.insert(block.returns, { type = kind, doc = (text:gsub("^#%s*", "")) })
end

function readers.type(block, rest)
  block.type = rest:gsub("^%s+", "")
end

function readers.overload(block, rest)
  block.overloads[#block.overloads + 1] = rest:gsub("^%s+", "")
end

function readers.operator(block, rest)
  local operators = block.class.operators
  operators[#operators + 1] = rest:match "^%s*(.-)%s*$"
end

function readers.alias(block, rest)
  local name, kind = rest:match "^%s*([%w_.]+)%s+(.-)%s*$"
  block.alias = { name = name, type = kind, doc = block.doc }
end

function readers.generic(block, rest)
  block.generic = rest:match "^%s*(.-)%s*$"
end

function readers.nodiscard() end
function readers.meta() end

local function new_block()
  return { doc = {}, params = {}, overloads = {} }
end

local function read_line(block, text, where)
  local tag, rest = text:match "^@(%a+)(.*)$"
  if not tag then
    block.doc[#block.doc + 1] = text
    return
  end
  local reader = readers[tag]
  if not reader then
    error(("%s: no idea of ---@%s"):format(where, tag), 0)
  end
  reader(block, rest)
end

--- The text of comment lines: without their marks, and with the lines of a tag
--- whose brackets are open in one.
function block_of.text(lines)
  local list = {}
  for _, line in ipairs(lines) do
    local text = line:match "^%s*%-%-%- ?(.*)$"
    local last = list[#list]
    if last and last:find "^@" and types.is_open(last) then
      list[#list] = last .. " " .. text:gsub("^%s+", "")
    else
      list[#list + 1] = text
    end
  end
  return list
end

--- Reads the lines of a block; `where` it is, for errors.
function block_of.read(lines, where)
  local block = new_block()
  for _, text in ipairs(block_of.text(lines)) do
    read_line(block, text, where)
  end
  return block
end

return block_of
