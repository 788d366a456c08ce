-- Messages, and how deltas of one add up.
--
-- A delta holds what is new: text to be appended, tool calls with their place
-- (`index`; without one, their place in the list), and usage as it is known so
-- far, which replaces what was known before.

local json = require "luge.json"
local base64 = require "luge.internal.llm.base64"
local check = require "luge.internal.chain.check"
local pack = require "luge.internal.chain.pack"
local reasoning = require "luge.internal.llm.reasoning"
local tool_calls = require "luge.internal.llm.tool_calls"

---@class luge.llm.Usage
---@field input_tokens? integer
---@field output_tokens? integer
---@field total_tokens? integer
---@field cached_tokens? integer from the provider's cache: part of the input, unless Anthropic's
---@field cache_creation_tokens? integer written to Anthropic's cache, beside the input
---@field reasoning_tokens? integer of the output
---@field requests? integer of `llm.usage`: how many answers that were

--- What a model says, or is told. `tostring` gives its text; deltas of a stream add
--- up with `+`.
---@class luge.llm.Message
---@field role string `system`, `user`, `assistant` or `tool`
---@field content string|table[] text, or a list of parts
---@field reasoning? string
---@field refusal? string
---@field tool_calls? luge.llm.ToolCall[]
---@field usage? luge.llm.Usage
---@field finish_reason? string `stop`, `length`, `tool_calls`, `content_filter`, or another
---@field model? string
---@field id? string
---@field raw? table the answer as it came, unless it was streamed
local Message = {}
Message.__name = "luge.Message"

local message = { metatable = Message }

--- Makes a table a Message.
function message.new(fields)
  return setmetatable(fields, Message)
end

function message.is(value)
  return getmetatable(value) == Message
end

local types = { content = "string", reasoning = "string", refusal = "string",
  finish_reason = "string" }

local function check_call(call)
  local id = type(call.id)
  if id ~= "nil" and id ~= "string" and id ~= "number"
    or call.name ~= nil and type(call.name) ~= "string"
    or call.arguments_text ~= nil and type(call.arguments_text) ~= "string" then
    error("a malformed call", 0)
  end
end

--- What a format has read, as it is. Raises a text, as an error of Lua, if fields
--- have types that a message cannot have.
function message.checked(made)
  for name, want in next, types do
    local value = made[name]
    if value ~= nil and type(value) ~= want then error("a malformed " .. name, 0) end
  end
  if made.tool_calls then
    for _, call in ipairs(made.tool_calls) do check_call(call) end
  end
  reasoning.check(made.reasoning_blocks)
  reasoning.check(made.reasoning_details)
  for name, count in next, made.usage or {} do
    if type(count) ~= "number" then made.usage[name] = nil end
  end
  return made
end

--- Its text: of a list of parts, that of the text parts.
function message.text(self)
  local content = self.content
  if type(content) ~= "table" then return content or "" end
  local texts = {}
  for _, part in ipairs(content) do
    if part.type == "text" then texts[#texts + 1] = part.text end
  end
  return table.concat(texts)
end

Message.__tostring = message.text

--- The later of two usages, field by field.
function message.later_usage(a, b)
  if a == nil or b == nil then return b or a end
  local usage = {}
  for name, count in pairs(a) do usage[name] = count end
  for name, count in pairs(b) do usage[name] = count end
  return usage
end

-- What accumulates a message: text in lists, so that time is linear.
local Sum = {}
Sum.__index = Sum

local LATEST = { "finish_reason", "role", "tool_call_id", "name", "reasoning_member" }
local FIRST = { "model", "id" }
local TEXTS = { "reasoning", "refusal" }

local function push_rare(self, delta)
  local fields = self.fields
  for _, name in ipairs(LATEST) do
    if delta[name] ~= nil then fields[name] = delta[name] end
  end
  for _, name in ipairs(FIRST) do
    if fields[name] == nil then fields[name] = delta[name] end
  end
  for _, name in ipairs(TEXTS) do
    local text = delta[name]
    if text then
      local parts = self[name] or {}
      self[name] = parts
      parts[#parts + 1] = text
    end
  end
  if delta.usage then fields.usage = message.later_usage(fields.usage, delta.usage) end
  if delta.reasoning_blocks then
    self.blocks = self.blocks or {}
    reasoning.push_blocks(self.blocks, delta.reasoning_blocks)
  end
  if delta.reasoning_details then
    self.details = self.details or {}
    reasoning.push_details(self.details, delta.reasoning_details)
  end
  if delta.tool_calls then
    self.calls = self.calls or {}
    tool_calls.push(self.calls, delta.tool_calls)
  end
end

--- Adds a delta. One that has only text, as most have, costs little.
function Sum:push(delta)
  local content = delta.content
  if type(content) == "table" then
    self.list = self.list or {}
    table.move(content, 1, #content, #self.list + 1, self.list)
  elseif content ~= "" and content ~= nil then
    local n = self.n + 1
    self.n, self[n] = n, content
  end
  if not self.seen or delta.finish_reason or delta.usage or delta.tool_calls
    or delta.reasoning or delta.refusal or delta.reasoning_blocks or delta.reasoning_details then
    self.seen = true
    push_rare(self, delta)
  end
end

--- The message so far.
function Sum:message()
  local whole = {}
  for name, value in pairs(self.fields) do whole[name] = value end
  local text = table.concat(self, "", 1, self.n)
  if self.list then
    whole.content = table.move(self.list, 1, #self.list, 1, {})
    if text ~= "" then table.insert(whole.content, { type = "text", text = text }) end
  else
    whole.content = text
  end
  for _, name in ipairs(TEXTS) do
    if self[name] then whole[name] = table.concat(self[name]) end
  end
  if self.blocks then whole.reasoning_blocks = reasoning.blocks(self.blocks) end
  if self.details then whole.reasoning_details = reasoning.details(self.details) end
  if self.calls then
    whole.tool_calls = tool_calls.finished(tool_calls.listed(self.calls), whole.finish_reason)
  end
  return message.new(whole)
end

--- A sum to push deltas to.
function message.sum()
  return setmetatable({ n = 0, fields = {} }, Sum)
end

--- The join of a stream of Messages (see luge.internal.chain.join).
function Message.__join()
  local sum = message.sum()
  return function(delta) sum:push(delta) end, function() return sum:message() end
end

function Message.__add(a, b)
  if not (message.is(a) and message.is(b)) then
    check.invalid("a message adds up with messages, not with %s",
      check.describe(message.is(a) and b or a))
  end
  local sum = message.sum()
  sum:push(a)
  sum:push(b)
  return sum:message()
end

-- The parts of a content with the bytes of images as text, and back.
local function convert_parts(content, from, to, convert)
  if type(content) ~= "table" then return content end
  local parts = {}
  for i, part in ipairs(content) do
    local copy = {}
    for name, value in pairs(part) do copy[name] = value end
    if type(part[from]) == "string" then copy[from], copy[to] = nil, convert(part[from]) end
    parts[i] = copy
  end
  return parts
end

-- Packs a message without what is only useful in this process.
function Message.__pack(self)
  local fields = {}
  for name, value in pairs(self) do
    if name ~= "raw" then fields[name] = value end
  end
  fields.content = convert_parts(fields.content, "data", "base64", base64.encode)
  return "message", fields
end

pack.register("message", function(fields)
  fields.content = convert_parts(fields.content, "base64", "data", base64.decode)
  return message.new(fields)
end)

--- The message as JSON, for logs.
function message.encode(self)
  return json.encode(select(2, Message.__pack(self)))
end

return message
