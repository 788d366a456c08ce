-- Ollama's own chat format: a line of JSON for each piece.
-- https://github.com/ollama/ollama/blob/main/docs/api.md

local json = require "luge.json"
local base64 = require "luge.internal.llm.base64"
local check = require "luge.internal.chain.check"
local message = require "luge.internal.llm.message"
local tool_calls = require "luge.internal.llm.tool_calls"
local wire = require "luge.internal.llm.wire"

local present = wire.present

local ollama = {
  name = "ollama",
  path = "/api/chat",
  stream_type = "application/x-ndjson",
  by_lines = true,
}

-- Requests.

-- The images of a message; Ollama does not take URLs.
local function images_of(content)
  if type(content) ~= "table" then return nil end
  local images = json.array()
  for _, part in ipairs(content) do
    if part.type == "image" then
      local _, data = base64.of_image(part)
      if not data then
        check.invalid("ollama takes no image by its address: read %s, and give its bytes as data",
          part.url)
      end
      images[#images + 1] = data
    end
  end
  return #images > 0 and images or nil
end

local function write_message(m)
  local calls
  if m.tool_calls and #m.tool_calls > 0 then
    calls = json.array()
    for i, call in ipairs(m.tool_calls) do
      calls[i] = { ["function"] = {
        name = call.name, arguments = tool_calls.object(call),
      } }
    end
  end
  return {
    role = m.role, content = message.text(m), images = images_of(m.content),
    tool_calls = calls, tool_name = m.role == "tool" and m.name or nil,
  }
end

local function format_of(format)
  if format == nil or format.type == "text" then return nil end
  if format.type == "json_schema" then return format.json_schema.schema end
  return "json"
end

--- What a request says of its messages: members of its body.
function ollama.conversation(messages)
  local written = json.array()
  for i, m in ipairs(messages) do written[i] = write_message(m) end
  return { messages = written }
end

--- The other members of its body.
function ollama.settings(options, stream)
  local stop = options.stop
  local settings = {
    temperature = options.temperature, num_predict = options.max_tokens,
    seed = options.seed, stop = type(stop) == "string" and { stop } or stop,
  }
  return {
    model = options.model, stream = stream,
    options = next(settings) and settings or nil,
    tools = options.tools and wire.function_tools(options.tools),
    format = format_of(options.response_format),
  }
end

ollama.refuses = { tool_choice = true }

--- The format of answers that fit a JSON Schema.
function ollama.structured(schema, name)
  return { type = "json_schema", json_schema = { name = name, schema = schema } }
end

ollama.headers = wire.bearer

-- Answers.

local function usage_of(body)
  local input, output = tonumber(body.prompt_eval_count), tonumber(body.eval_count)
  if not (input or output) then return nil end
  return { input_tokens = input, output_tokens = output,
    total_tokens = (input or 0) + (output or 0) }
end

local function arguments_text(arguments)
  if type(arguments) == "string" then return arguments end
  return present(arguments) and json.encode(arguments) or ""
end

-- Calls come whole, and without an id.
local function calls_of(calls, numbering)
  local list = {}
  for i, call in ipairs(calls) do
    local place = numbering and numbering:place(nil, nil, call["function"].name) or i
    list[i] = {
      id = present(call.id) or "call_" .. place, name = call["function"].name,
      arguments_text = arguments_text(call["function"].arguments),
      index = numbering and place,
    }
  end
  return list
end

local function read(body, numbering)
  local m = body.message
  if type(m) ~= "table" then return nil end
  local calls = type(m.tool_calls) == "table" and #m.tool_calls > 0
    and calls_of(m.tool_calls, numbering) or nil
  return message.checked(message.new {
    role = "assistant", content = present(m.content) or "",
    reasoning = present(m.thinking), model = body.model, usage = usage_of(body),
    tool_calls = calls,
    finish_reason = body.done == true and (present(body.done_reason) or "stop") or nil,
  })
end

--- The Message of a whole answer; nil if it is none.
function ollama.answer(body)
  local made = read(body)
  if made then made.raw = body end
  if made and made.tool_calls then
    made.tool_calls = tool_calls.finished(made.tool_calls, "tool_calls")
    made.finish_reason = "tool_calls"
  end
  return made
end

-- Streams.

local Decoder = {}
Decoder.__index = Decoder

--- Reads the lines of one stream.
function ollama.decoder()
  return setmetatable({ numbering = tool_calls.numbering() }, Decoder)
end

--- The delta of a line; nil and the error object if it tells of one.
function Decoder:event(data)
  if data == "" then return nil end
  local body = json.decode(data)
  if present(body.error) then
    return nil, type(body.error) == "table" and body.error or { message = body.error }
  end
  local made = read(body, self.numbering)
  if made and made.tool_calls then self.called = true end
  if made and made.finish_reason then
    self.finished = true
    if self.called then made.finish_reason = "tool_calls" end
  end
  return made
end

--- Whether the stream may end here: `done` came.
function Decoder:complete()
  return self.finished
end

return ollama
