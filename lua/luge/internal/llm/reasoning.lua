-- What a model thought, in the forms in which providers want it back unchanged, and
-- how the pieces of a stream add up to these.
--
-- `reasoning_blocks` are Anthropic's: `index` is a block's place, or else its place
-- in the list; `offset` is how many bytes of the text came before it.
-- `reasoning_details` are OpenRouter's, to be sent as they came.

local json = require "luge.json"

local reasoning = {}

-- The members that grow piece by piece.
local OF_BLOCKS = { thinking = true, signature = true }
local OF_DETAILS = { text = true, summary = true }

local function check_member(block, name)
  local value = block[name]
  if value ~= nil and value ~= json.null and type(value) ~= "string" then
    error("a malformed block", 0)
  end
end

--- Raises a text if members that a block has have types that they cannot have.
function reasoning.check(blocks)
  for _, block in next, blocks or {} do
    if type(block) ~= "table" then error("a malformed block", 0) end
    for name in next, OF_BLOCKS do check_member(block, name) end
    for name in next, OF_DETAILS do check_member(block, name) end
  end
end

-- Adds a piece to a block, whose growing members are lists of texts.
local function add(sum, piece, growing)
  for name, value in pairs(piece) do
    if growing[name] and value ~= json.null then
      local texts = sum[name] or {}
      sum[name] = texts
      texts[#texts + 1] = value
    elseif value ~= json.null then
      sum[name] = value
    end
  end
end

local function joined(sum, growing)
  local block = {}
  for name, value in pairs(sum) do
    block[name] = growing[name] and table.concat(value) or value
  end
  return block
end

function reasoning.push_blocks(places, blocks)
  for i, block in ipairs(blocks) do
    local place = block.index or i
    places[place] = places[place] or {}
    add(places[place], block, OF_BLOCKS)
  end
end

function reasoning.blocks(places)
  local order, blocks = {}, {}
  for place in pairs(places) do order[#order + 1] = place end
  table.sort(order)
  for i, place in ipairs(order) do
    local block = joined(places[place], OF_BLOCKS)
    block.index = place ~= i and place or nil
    blocks[i] = block
  end
  return blocks
end

-- Whether a detail goes on with the one before: pieces follow each other, with the
-- same index if they have one. What is encrypted comes whole.
local function goes_on(last, detail, is_first)
  return last and last.type == detail.type and last.index == detail.index
    and (is_first or detail.index) and detail.type ~= "reasoning.encrypted"
end

function reasoning.push_details(sums, details)
  for i, detail in ipairs(details) do
    local last = sums[#sums]
    if not goes_on(last, detail, i == 1) then
      last = {}
      sums[#sums + 1] = last
    end
    add(last, detail, OF_DETAILS)
  end
end

function reasoning.details(sums)
  local details = {}
  for i, sum in ipairs(sums) do details[i] = joined(sum, OF_DETAILS) end
  return details
end

return reasoning
