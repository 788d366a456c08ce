-- The chat completions format of OpenAI, which many servers speak.
-- https://platform.openai.com/docs/api-reference/chat

local json = require "luge.json"
local alike = require "luge.internal.llm.alike"
local base64 = require "luge.internal.llm.base64"
local message = require "luge.internal.llm.message"
local tool_calls = require "luge.internal.llm.tool_calls"
local wire = require "luge.internal.llm.wire"

local null, decode, Message = json.null, json.decode, message.metatable
local present = wire.present

local openai = {
  name = "openai",
  path = "/chat/completions",
  stream_type = "text/event-stream",
}

-- Requests.

local function image_part(part)
  local url = part.url or ("data:%s;base64,%s"):format(base64.of_image(part))
  return { type = "image_url", image_url = { url = url, detail = part.detail } }
end

local function content_of(content)
  if type(content) ~= "table" then return content end
  local parts = json.array()
  for i, part in ipairs(content) do
    parts[i] = part.type == "image" and image_part(part) or part
  end
  return parts
end

local function calls_of(calls)
  local list = json.array()
  for i, call in ipairs(calls) do
    -- Some servers refuse a conversation in which arguments are no JSON object.
    local text = not call.error and call.arguments_text
    list[i] = {
      id = call.id, type = "function",
      ["function"] = {
        name = call.name,
        arguments = text or json.encode(json.object(call.arguments or {})),
      },
      extra_content = call.extra_content, -- Gemini wants its signature back
    }
  end
  return list
end

local function write_message(m, official)
  local calls, content = m.tool_calls, m.content
  local details = m.reasoning_details
  local thoughts = not official and (details and "reasoning_details" or m.reasoning_member)
  if type(content) == "string"
    and not (calls or m.name or m.tool_call_id or m.refusal or thoughts) then
    return { role = m.role, content = content }
  end
  local has_calls = calls and #calls > 0
  local written = {
    role = m.role, name = m.name, tool_call_id = m.tool_call_id,
    content = (not has_calls or content ~= "") and content_of(content) or null,
    refusal = m.refusal,
    tool_calls = has_calls and calls_of(calls) or nil,
  }
  if thoughts then written[thoughts] = details or m.reasoning end
  return written
end

local function choice_of(choice)
  if choice == "auto" or choice == "none" or choice == "required" then return choice end
  return { type = "function", ["function"] = { name = choice } }
end

--- What a request says of its messages: members of its body.
function openai.conversation(messages, options)
  local written, official = {}, options.official
  for i = 1, #messages do written[i] = write_message(messages[i], official) end
  return { messages = written }
end

--- The other members of its body.
function openai.settings(options, stream)
  local body = {
    model = options.model, temperature = options.temperature, stop = options.stop,
    seed = options.seed, response_format = options.response_format,
    tools = options.tools and wire.function_tools(options.tools),
    tool_choice = options.tool_choice and choice_of(options.tool_choice),
  }
  -- OpenAI's reasoning models refuse the older name, other servers the newer
  -- one.
  body[options.official and "max_completion_tokens" or "max_tokens"] = options.max_tokens
  if stream then
    body.stream = true
    body.stream_options = { include_usage = true }
  end
  return body
end

--- The format of answers that fit a JSON Schema.
function openai.structured(schema, name)
  return { type = "json_schema",
    json_schema = { name = name, schema = schema, strict = false } }
end

openai.headers = wire.bearer

-- Answers.

-- A count that only some servers give.
local function detail(details, name)
  return type(details) == "table" and present(details[name]) or nil
end

local function usage_of(usage)
  if type(usage) ~= "table" then return nil end
  local input, output, total = usage.prompt_tokens, usage.completion_tokens, usage.total_tokens
  local of_input, of_output = usage.prompt_tokens_details, usage.completion_tokens_details
  return {
    input_tokens = input ~= null and input or nil,
    output_tokens = output ~= null and output or nil,
    total_tokens = total ~= null and total or nil,
    cached_tokens = of_input and detail(of_input, "cached_tokens"),
    reasoning_tokens = of_output and detail(of_output, "reasoning_tokens"),
  }
end

local reasons = { function_call = "tool_calls", model_length = "length", max_tokens = "length" }

local function reason_of(reason)
  reason = present(reason)
  return reasons[reason] or reason
end

-- Some servers give the arguments as an object.
local function arguments_text(arguments)
  if type(arguments) == "table" then return json.encode(arguments) end
  return present(arguments) or ""
end

local function read_calls(calls, numbering)
  local list = {}
  for i, call in ipairs(calls) do
    local f = present(call["function"]) or {}
    local text = arguments_text(f.arguments)
    list[i] = {
      id = present(call.id), name = present(f.name), arguments_text = text,
      index = numbering and numbering:place(call.index, call.id, f.name, text) or nil,
      extra_content = present(call.extra_content),
    }
  end
  return list
end

-- The calls of a message or a delta, if it has any. Before there were tools, a
-- message had one `function_call`.
local function calls_in(m)
  local calls, f = m.tool_calls, m.function_call
  if calls == nil and f == nil then return nil end
  calls, f = present(calls), present(f)
  if calls == nil and f then return { { index = 0, ["function"] = f } } end
  if calls == nil or calls[1] then return calls end
  if next(calls) then error("malformed calls", 0) end
end

-- The text of a content, and the reasoning in it: some servers give a list of
-- parts, of which those that think have parts of their own.
local function read_content(content)
  if type(content) ~= "table" then return type(content) == "string" and content or "" end
  local texts, thoughts = {}, {}
  for _, part in ipairs(content) do
    if type(part.text) == "string" then
      texts[#texts + 1] = part.text
    elseif part.thinking then
      thoughts[#thoughts + 1] = read_content(part.thinking)
    end
  end
  return table.concat(texts), present(table.concat(thoughts))
end

-- The reasoning, and the member in which the server wants it back after tool calls:
-- those that write `reasoning_content` do (DeepSeek, Kimi), others refuse it.
local function reasoning_of(m)
  local content = present(m.reasoning_content)
  if content then return content, "reasoning_content" end
  return type(m.reasoning) == "string" and present(m.reasoning) or nil
end

-- OpenRouter's reasoning, to be given back; nil if there is none.
local function details_of(m)
  local details = m.reasoning_details
  return type(details) == "table" and next(details) and details or nil
end

local function is_absent(value)
  return value == nil or value == null
end

-- The error that an answer or an event tells of: as a member, or in its place.
local function error_of(body)
  if type(body[1]) == "table" then body = body[1] end
  local err = body.error
  if err == true then return body end
  if not (is_absent(err) or err == "" or err == false) then return err end
  if body.choices == nil and type(body.message or body.detail) == "string" then return body end
end

local function error_of_choice(choice)
  if not is_absent(choice.error) then return choice.error end
  if choice.finish_reason == "error" then return { message = "the answer ended with an error" } end
end

-- The choice of an answer or an event. If several were asked for, only the first
-- is read.
local function first_choice(choices)
  for _, choice in ipairs(type(choices) == "table" and choices or {}) do
    if is_absent(choice.index) or choice.index == 0 then return choice end
  end
end

-- The choice, and the error if there is one. Most answers are of one choice, and
-- tell of no error.
local function choice_of_answer(body)
  local choices = body.choices
  local choice = type(choices) == "table" and choices[1]
  if not choice or choice.index ~= 0 then choice = first_choice(choices) end
  if choice and body.error == nil and choice.error == nil and choice.finish_reason ~= "error" then
    return choice
  end
  return choice, error_of(body) or choice and error_of_choice(choice)
end

--- The Message of a whole answer; nil, or an error of Lua's, if it is none; nil
--- and the error object if it tells of one.
function openai.answer(body)
  local choice, err = choice_of_answer(body)
  if err then return nil, err end
  local m = choice.message
  if type(m) ~= "table" then return nil end
  local calls, content, thoughts = calls_in(m), read_content(m.content)
  local made = setmetatable({
    role = "assistant", content = content, reasoning = thoughts,
    finish_reason = reason_of(choice.finish_reason), usage = usage_of(body.usage),
    model = present(body.model), id = present(body.id), raw = body,
  }, Message)
  if m.refusal ~= nil then made.refusal = present(m.refusal) end
  if m.reasoning_content or m.reasoning then
    made.reasoning, made.reasoning_member = reasoning_of(m)
    made.reasoning = made.reasoning or thoughts
  end
  made.reasoning_details = details_of(m)
  if calls then
    made.tool_calls = tool_calls.finished(read_calls(calls), made.finish_reason or "tool_calls")
  end
  return message.checked(made)
end

-- Streams.

local Decoder = {}
Decoder.__index = Decoder

--- Reads the events of one stream.
function openai.decoder()
  return setmetatable({ finished = false, alike = alike.new "content" }, Decoder)
end

-- A delta of nothing but text, as most are.
local function plain_delta(content, model, id)
  return setmetatable({ role = "assistant", content = content, model = model, id = id }, Message)
end

local function read_rare(self, body, choice, delta, made)
  if delta then
    local thoughts, member = reasoning_of(delta)
    if thoughts then made.reasoning, made.reasoning_member = thoughts, member end
    made.reasoning_details = details_of(delta)
  end
  made.refusal = delta and present(delta.refusal)
  local calls = delta and calls_in(delta)
  if calls then
    self.numbering = self.numbering or tool_calls.numbering()
    made.tool_calls = read_calls(calls, self.numbering)
  end
  made.finish_reason = choice and reason_of(choice.finish_reason)
  if made.finish_reason then self.finished = true end
  made.usage = usage_of(body.usage) or choice and usage_of(choice.usage)
end

local function read_any(self, body, choice, delta)
  local content, thoughts = read_content(delta and delta.content)
  local made = {
    role = "assistant", content = content, reasoning = thoughts,
    model = present(body.model), id = present(body.id),
  }
  read_rare(self, body, choice, delta, made)
  return message.checked(setmetatable(made, Message))
end

-- Whether a delta has nothing but text.
local function is_plain(body, choice, delta)
  return type(delta.content) == "string" and body.id ~= null and body.model ~= null
    and is_absent(choice.finish_reason) and is_absent(body.usage) and is_absent(delta.tool_calls)
    and is_absent(delta.reasoning_content) and is_absent(delta.reasoning)
    and is_absent(delta.refusal) and is_absent(delta.function_call) and not details_of(delta)
end

-- The delta of an event that is not like the one before.
local function read_event(self, data)
  local body = decode(data)
  local choice, err = choice_of_answer(body)
  if err then return nil, err end
  local delta = choice and choice.delta
  if type(delta) ~= "table" then
    return read_any(self, body, choice, nil)
  elseif not is_plain(body, choice, delta) then
    return read_any(self, body, choice, delta)
  end
  if self.alike:note(data, delta.content) then self.model, self.id = body.model, body.id end
  return plain_delta(delta.content, body.model, body.id)
end

--- The delta of an event; nil and true at the end of the stream, nil and the
--- error object if it tells of one. `finished` is set once a finish reason came.
function Decoder:event(data)
  local text = self.alike:text(data)
  if text then return plain_delta(text, self.model, self.id) end
  if #data < 16 then -- may be the end mark, or an empty event that keeps the connection
    local word = data:match("%S+")
    if word == "[DONE]" then return nil, true end
    if word == nil then return nil end
  end
  return read_event(self, data)
end

--- Whether the stream may end here: it has its end mark.
function Decoder:complete()
  return self.finished
end

return openai
