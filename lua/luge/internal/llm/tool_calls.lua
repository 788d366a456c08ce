-- Tool calls in pieces: merged by their place, and read when they are whole.

local json = require "luge.json"
local tasks = require "luge.native.task"

--- What a model asks for: a tool, by its name, with arguments.
---@class luge.llm.ToolCall
---@field id? string
---@field name string
---@field arguments? table nil if `arguments_text` is no JSON object: then `error` says why
---@field arguments_text string
---@field error? luge.Error
---@field index? integer of a delta: the call's place, from 1

local tool_calls = {}

-- Some servers send a name in pieces, some send it again with every piece, and
-- some send what has come so far.
local function merged_name(old, new)
  if new == nil or new == "" or new == old then return old end
  if old == nil or old == "" or new:sub(1, #old) == old then return new end
  return old .. new
end

--- Adds the calls of a delta to the sums of calls, by place. Takes linear time:
--- the pieces of arguments are joined once, in `listed`.
function tool_calls.push(sums, calls)
  for i, call in ipairs(calls) do
    local place = call.index or i
    local sum = sums[place] or { texts = {} }
    sums[place] = sum
    sum.id = sum.id or call.id
    sum.name = merged_name(sum.name, call.name)
    sum.texts[#sum.texts + 1] = call.arguments_text
    sum.arguments = call.arguments or sum.arguments
    sum.extra_content = call.extra_content or sum.extra_content
  end
end

--- The calls of these sums, in the order of their places.
function tool_calls.listed(sums)
  local places, list = {}, {}
  for place in pairs(sums) do places[#places + 1] = place end
  table.sort(places)
  for i, place in ipairs(places) do
    local sum = sums[place]
    list[i] = {
      id = sum.id, name = sum.name, arguments_text = table.concat(sum.texts),
      arguments = sum.arguments, extra_content = sum.extra_content, index = place,
    }
  end
  return list
end

local function no_object(text)
  return tasks.error {
    kind = "parse", offset = 1, near = text:sub(1, 80),
    message = "the arguments are no JSON object: " .. text:sub(1, 80),
  }
end

-- Some servers write null or [] for a call without arguments.
local function is_empty(value)
  return value == json.null or type(value) == "table" and next(value) == nil
end

-- An empty text is a call without arguments, unless the answer was cut off.
local function read_arguments(call, is_cut)
  local text = call.arguments_text
  if text == nil or not text:find("%S") then
    if not is_cut then call.arguments = {} end
    return
  end
  local ok, value = pcall(json.decode, text)
  if not ok then
    call.error = value
  elseif is_empty(value) then
    call.arguments = {}
  elseif type(value) ~= "table" or #value > 0 then
    call.error = no_object(text)
  else
    call.arguments = value
  end
end

--- The calls as a message has them. Arguments are read once the finish reason
--- is known: before, they may be incomplete. A call to which the server gave no id
--- then gets one, so that its result can name it.
function tool_calls.finished(calls, finish_reason)
  local list = {}
  local is_cut = finish_reason == "length" or finish_reason == "content_filter"
  for i, call in ipairs(calls) do
    local copy = {
      id = call.id, name = call.name, arguments_text = call.arguments_text or "",
      arguments = call.arguments, index = call.index ~= i and call.index or nil,
      extra_content = call.extra_content,
    }
    if finish_reason and not copy.id then copy.id = "call_" .. i end
    if finish_reason and not copy.arguments then read_arguments(copy, is_cut) end
    list[i] = copy
  end
  return list
end

--- The arguments of a call as an object for a request.
function tool_calls.object(call)
  local arguments = call.arguments
  if arguments == nil then
    local ok, value = pcall(json.decode, call.arguments_text or "")
    arguments = ok and type(value) == "table" and #value == 0 and value or {}
  end
  return json.object(arguments)
end

-- Numbering. Servers tell the calls of a stream apart by index, by id, by both
-- or by neither; some give every call the index 0, some a call its id late, some
-- every piece of a call a new id, and some repeat its name with every piece.
-- If numbers and names do not tell, a new call begins when the arguments of the
-- one before are whole.

local Numbering = {}
Numbering.__index = Numbering

--- Gives the calls of a stream their places.
function tool_calls.numbering()
  return setmetatable({
    count = 0, by_id = {}, by_index = {}, ids = {}, names = {}, texts = {},
  }, Numbering)
end

local function known(text)
  return text ~= nil and text ~= "" and text ~= json.null
end

local function new_place(self)
  self.count = self.count + 1
  return self.count
end

-- How much of a call's arguments has come: nothing (nil), "part" or "whole".
local function progress(self, place)
  local text = self.texts[place] and table.concat(self.texts[place])
  if not text then return nil end
  return text:find("^%s*{.*}%s*$") and pcall(json.decode, text) and "whole" or "part"
end

-- A call with neither number: a name begins a new one if the last has one.
local function place_unnumbered(self, name)
  local last = self.count
  local before = self.names[last]
  if last == 0 or known(name) and before
    and not (before == name and progress(self, last) == "part") then
    return new_place(self)
  end
  return last
end

-- Whether a piece is of the call that had its index before.
local function goes_on(self, place, id, name, text)
  if known(id) and self.ids[place] then
    return not known(name) and progress(self, place) ~= "whole"
  end
  return not (known(name) and self.names[place] and known(text)
    and progress(self, place) == "whole")
end

local function find_place(self, index, id, name, text)
  if known(id) and self.by_id[id] then return self.by_id[id] end
  local place = index ~= nil and self.by_index[index] or nil
  if place then return goes_on(self, place, id, name, text) and place or new_place(self) end
  if index ~= nil or known(id) then
    local last = self.count
    local late = index == nil and last > 0 and not self.ids[last] and not known(name)
    return late and last or new_place(self)
  end
  return place_unnumbered(self, name)
end

--- Whether a call with this index has begun.
function Numbering:knows(index)
  return self.by_index[index] ~= nil
end

--- The place of a delta's call; `text` is what it has of the arguments.
function Numbering:place(index, id, name, text)
  if index == json.null then index = nil end
  local place = find_place(self, index, id, name, text)
  if index ~= nil then self.by_index[index] = place end
  if known(id) then
    self.by_id[id] = place
    self.ids[place] = id
  end
  if known(name) then self.names[place] = name end
  if known(text) then
    local texts = self.texts[place] or {}
    self.texts[place] = texts
    texts[#texts + 1] = text
  end
  return place
end

return tool_calls
