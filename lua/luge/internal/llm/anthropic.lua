-- The messages format of Anthropic.
-- https://docs.anthropic.com/en/api/messages

local json = require "luge.json"
local alike = require "luge.internal.llm.alike"
local base64 = require "luge.internal.llm.base64"
local message = require "luge.internal.llm.message"
local tool_calls = require "luge.internal.llm.tool_calls"
local wire = require "luge.internal.llm.wire"

local present = wire.present

local anthropic = {
  name = "anthropic",
  path = "/v1/messages",
  stream_type = "text/event-stream",
  refuses = { seed = true, response_format = true },
}

-- The API wants a limit in each request.
local DEFAULT_MAX_TOKENS = 4096

-- Requests.

local function image_block(part)
  local media_type, data = base64.of_image(part)
  local source = data and { type = "base64", media_type = media_type, data = data }
    or { type = "url", url = part.url }
  return { type = "image", source = source, cache_control = part.cache_control }
end

local function add_content(blocks, content)
  if type(content) == "string" then
    if content:find("%S") then blocks[#blocks + 1] = { type = "text", text = content } end
    return blocks
  end
  for _, part in ipairs(content) do
    blocks[#blocks + 1] = part.type == "image" and image_block(part) or part
  end
  return blocks
end

-- The text, with the blocks of reasoning where they stood in it: the API refuses them in
-- another order.
local function add_answer(blocks, m)
  local content, from = m.content, 1
  for _, block in ipairs(m.reasoning_blocks or {}) do
    local copy = {}
    for name, value in pairs(block) do copy[name] = value end
    local to = copy.offset
    copy.offset, copy.index = nil, nil
    if to and type(content) == "string" then
      add_content(blocks, content:sub(from, to))
      from = to + 1
    end
    blocks[#blocks + 1] = copy
  end
  add_content(blocks, type(content) == "string" and content:sub(from) or content)
end

-- The role of a message in this format, and its blocks.
local function write_message(m)
  local blocks = json.array()
  if m.role == "tool" then
    local content = m.content
    if type(content) == "table" then content = add_content(json.array(), content) end
    blocks[1] = { type = "tool_result", tool_use_id = m.tool_call_id,
      content = content, is_error = m.is_error }
    return "user", blocks
  end
  add_answer(blocks, m)
  for _, call in ipairs(m.tool_calls or {}) do
    blocks[#blocks + 1] = { type = "tool_use", id = call.id, name = call.name,
      input = tool_calls.object(call) }
  end
  return m.role, blocks
end

-- What the system says: a text; or blocks if a message has parts, because parts
-- can have members of their own (`cache_control`).
local function system_of(contents)
  if #contents == 0 then return nil end
  local blocks, only_text = json.array(), true
  for _, content in ipairs(contents) do
    only_text = only_text and type(content) == "string"
    add_content(blocks, content)
  end
  return only_text and table.concat(contents, "\n\n") or blocks
end

-- The system's text, and messages whose roles take turns. A message without
-- content is left out: the API refuses it.
local function write_messages(messages)
  local system, written, last = {}, json.array(), nil
  for _, m in ipairs(messages) do
    if m.role == "system" or m.role == "developer" then
      system[#system + 1] = m.content
    else
      local role, blocks = write_message(m)
      if last and last.role == role then
        table.move(blocks, 1, #blocks, #last.content + 1, last.content)
      elseif #blocks > 0 then
        last = { role = role, content = blocks }
        written[#written + 1] = last
      end
    end
  end
  return system_of(system), written
end

local function tools_of(tools)
  local list = json.array()
  for i, tool in ipairs(tools) do
    list[i] = { name = tool.name, description = tool.description,
      input_schema = tool.parameters }
  end
  return list
end

local function choice_of(choice)
  if choice == "required" then return { type = "any" } end
  if choice == "auto" or choice == "none" then return { type = choice } end
  return { type = "tool", name = choice }
end

--- What a request says of its messages: members of its body.
function anthropic.conversation(messages)
  local system, written = write_messages(messages)
  return { system = system, messages = written }
end

--- The other members of its body.
function anthropic.settings(options, stream)
  local stop = options.stop
  return {
    model = options.model,
    max_tokens = options.max_tokens or DEFAULT_MAX_TOKENS,
    temperature = options.temperature,
    stop_sequences = type(stop) == "string" and { stop } or stop,
    tools = options.tools and tools_of(options.tools),
    tool_choice = options.tool_choice and choice_of(options.tool_choice),
    stream = stream or nil,
  }
end

function anthropic.headers(key)
  return { ["x-api-key"] = key, ["anthropic-version"] = "2023-06-01" }
end

-- Answers.

local reasons = {
  end_turn = "stop", stop_sequence = "stop", max_tokens = "length",
  tool_use = "tool_calls", refusal = "content_filter",
  model_context_window_exceeded = "length",
}

local function reason_of(reason)
  reason = present(reason)
  return reasons[reason] or reason
end

-- Counts are cumulative: those of a later event replace the earlier ones.
local function usage_of(usage)
  if type(usage) ~= "table" then return nil end
  return {
    input_tokens = present(usage.input_tokens),
    output_tokens = present(usage.output_tokens),
    cached_tokens = present(usage.cache_read_input_tokens),
    cache_creation_tokens = present(usage.cache_creation_input_tokens),
  }
end

-- Collects the blocks of a whole answer.
local readers = {}

function readers.text(made, block)
  made.content = made.content .. block.text
end

-- Says where in the text a block of reasoning stands, unless it comes before.
local function placed(block, length)
  if length == 0 then return block end
  local copy = { offset = length }
  for name, value in pairs(block) do copy[name] = value end
  return copy
end

function readers.redacted_thinking(made, block)
  made.reasoning_blocks = made.reasoning_blocks or {}
  table.insert(made.reasoning_blocks, placed(block, #made.content))
end

function readers.thinking(made, block)
  made.reasoning = (made.reasoning or "") .. block.thinking
  readers.redacted_thinking(made, block)
end

function readers.tool_use(made, block)
  made.tool_calls = made.tool_calls or {}
  table.insert(made.tool_calls, {
    id = block.id, name = block.name,
    arguments_text = block.input ~= nil and json.encode(block.input) or "",
  })
end

-- If the answer was cut off, its last call may lack arguments, although what
-- there is of them looks like a whole object.
local function forget_cut_call(made, blocks)
  local last = blocks[#blocks]
  if made.finish_reason == "length" and last and last.type == "tool_use" then
    made.tool_calls[#made.tool_calls].arguments = nil
  end
end

--- The Message of a whole answer; nil if it is none.
function anthropic.answer(body)
  if type(body.content) ~= "table" then return nil end
  local made = {
    role = "assistant", content = "", usage = usage_of(body.usage),
    finish_reason = reason_of(body.stop_reason), model = present(body.model),
    id = present(body.id), raw = body,
  }
  for _, block in ipairs(body.content) do
    local read = readers[block.type]
    if read then read(made, block) end
  end
  made.tool_calls = made.tool_calls and tool_calls.finished(made.tool_calls, "tool_calls")
  forget_cut_call(made, body.content)
  return message.checked(message.new(made))
end

-- Streams.

local Decoder = {}
Decoder.__index = Decoder

--- Reads the events of one stream.
function anthropic.decoder()
  return setmetatable({
    numbering = tool_calls.numbering(), blocks = {}, alike = alike.new "text",
    length = 0, -- of the text so far
  }, Decoder)
end

local function new_delta(fields)
  fields.role = "assistant"
  fields.content = fields.content or ""
  return message.new(fields)
end

-- Reasoning blocks are numbered among themselves.
local function reasoning_place(self, index)
  local place = self.blocks[index]
  if not place then
    self.reasoning_count = (self.reasoning_count or 0) + 1
    place = self.reasoning_count
    self.blocks[index] = place
  end
  return place
end

local starts, deltas, events = {}, {}, {}

function starts.text(_, _, block)
  return { content = block.text }
end

function starts.thinking(self, index, block)
  block.index = reasoning_place(self, index)
  return { reasoning = present(block.thinking), reasoning_blocks = { placed(block, self.length) } }
end

function starts.redacted_thinking(self, index, block)
  block.index = reasoning_place(self, index)
  return { reasoning_blocks = { placed(block, self.length) } }
end

function starts.tool_use(self, index, block)
  local input = type(block.input) == "table" and next(block.input) and json.encode(block.input)
  return { tool_calls = { {
    id = block.id, name = block.name, arguments_text = input or "",
    index = self.numbering:place(index, block.id, block.name),
  } } }
end

function deltas.text_delta(_, _, delta)
  return { content = delta.text }
end

function deltas.thinking_delta(self, index, delta)
  return {
    reasoning = delta.thinking,
    reasoning_blocks = { { index = reasoning_place(self, index), thinking = delta.thinking } },
  }
end

function deltas.signature_delta(self, index, delta)
  return { reasoning_blocks = {
    { index = reasoning_place(self, index), signature = delta.signature },
  } }
end

-- Tools that the server runs itself have such deltas, too: these are not calls
-- for us.
function deltas.input_json_delta(self, index, delta)
  if not self.numbering:knows(index) then return nil end
  return { tool_calls = { {
    arguments_text = delta.partial_json, index = self.numbering:place(index),
  } } }
end

function events.message_start(_, body)
  local m = body.message
  return { model = present(m.model), id = present(m.id), usage = usage_of(m.usage) }
end

function events.content_block_start(self, body)
  local start = starts[body.content_block.type]
  return start and start(self, body.index, body.content_block)
end

function events.content_block_delta(self, body)
  local read = deltas[body.delta.type]
  return read and read(self, body.index, body.delta)
end

function events.message_delta(self, body)
  local reason = reason_of(body.delta and body.delta.stop_reason)
  self.finished = self.finished or reason ~= nil
  return { finish_reason = reason, usage = usage_of(body.usage) }
end

--- The delta of an event; nil if it has none, nil and true at the end of the
--- stream, nil and the error object if it tells of one.
function Decoder:event(data)
  local text = self.alike:text(data)
  if text then
    self.length = self.length + #text
    return new_delta { content = text }
  end
  local body = json.decode(data)
  local kind = body.type
  if kind == "message_stop" then return nil, true end
  if kind == "error" then return nil, body.error or body end
  local read = events[kind]
  local fields = read and read(self, body)
  if kind == "content_block_delta" and body.delta.type == "text_delta" then
    self.alike:note(data, body.delta.text)
  end
  local delta = fields and message.checked(new_delta(fields))
  if delta then self.length = self.length + #delta.content end
  return delta
end

--- Only `message_stop` completes a stream.
function Decoder.complete()
  return false
end

return anthropic
