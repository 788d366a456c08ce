-- test.server and test.model: what a program under test talks to.
local http = require "luge.http"
local json = require "luge.json"
local native = require "luge.native.task"
local resources = require "luge.internal.test_resources"

local server = {}

local function invalid(text, ...)
  error(native.error { kind = "invalid", message = text:format(...) }, 3)
end

local function on_error(message)
  if not resources.fail("a handler failed: " .. message) then
    io.stderr:write("luge.test: a handler failed: ", message, "\n")
  end
end

local function start(handler)
  local started = http.server { handler = handler, on_error = on_error }
  resources.own(function() started:close() end)
  return started
end

function server.server(handler)
  if type(handler) ~= "function" then
    invalid("server: argument 1 is a %s; takes a function", type(handler))
  end
  return start(handler)
end

-- A model that answers what it is told to, in the OpenAI format.

-- As a table, or as the text that providers give them in.
local function arguments_of(call)
  local given = call.arguments_text or call.arguments or {}
  return type(given) == "string" and given or json.encode(json.object(given))
end

local function as_calls(calls)
  local list = json.array()
  for i, call in ipairs(calls) do
    list[i] = { id = call.id or "call_" .. i, type = "function", ["function"] = { name = call.name,
      arguments = arguments_of(call) } }
  end
  return list
end

local function as_usage(usage)
  local input, output = usage.input_tokens or 0, usage.output_tokens or 0
  return { prompt_tokens = input, completion_tokens = output, total_tokens = input + output }
end

-- The statuses of a server for what is said by the codes of `llm` errors.
local statuses = { auth = 401, quota = 429, rate_limit = 429, server = 500, overloaded = 503 }
local codes = { quota = "insufficient_quota", context_length = "context_length_exceeded",
  content_filter = "content_filter" }

local function as_failure(err)
  return { status = err.status or statuses[err.code] or 400,
    headers = { ["Retry-After"] = err.retry_after },
    json = { error = { message = err.message, code = codes[err.code] } } }
end

local function as_message(answer)
  if type(answer) == "string" then
    answer = { content = answer }
  end
  local calls = answer.tool_calls and as_calls(answer.tool_calls)
  local reason = answer.finish_reason or (calls and "tool_calls" or "stop")
  local usage = answer.usage or { input_tokens = 1, output_tokens = 1 }
  return { role = "assistant", content = answer.content or json.null, tool_calls = calls,
    reasoning_content = answer.reasoning, refusal = answer.refusal }, reason, as_usage(usage)
end

local function whole(message, reason, usage)
  return { json = { id = "test", object = "chat.completion", created = 0, model = "test",
    choices = { { index = 0, message = message, finish_reason = reason } }, usage = usage } }
end

local function chunk(delta, reason, usage)
  return { data = json.encode { id = "test", object = "chat.completion.chunk", created = 0,
    model = "test", choices = { { index = 0, delta = delta, finish_reason = reason } },
    usage = usage } }
end

-- A word at a time.
local function streamed(message, reason, usage)
  return { events = function(emit)
    emit(chunk { role = "assistant", content = "",
      reasoning_content = message.reasoning_content, refusal = message.refusal })
    for piece in (message.content ~= json.null and message.content or ""):gmatch "%s*%S+%s*" do
      emit(chunk { content = piece })
    end
    for i, call in ipairs(message.tool_calls or {}) do
      call.index = i - 1
      emit(chunk { tool_calls = json.array { call } })
    end
    emit(chunk({}, reason, usage))
    emit { data = "[DONE]" }
  end }
end

local function respond(answer, request)
  if type(answer) == "function" then
    answer = answer(request)
  end
  if native.is_error(answer, "llm") then
    return as_failure(answer)
  elseif type(answer) == "table" and answer.status then
    return answer
  end
  local message, reason, usage = as_message(answer)
  return (request.stream and streamed or whole)(message, reason, usage)
end

local function check_answers(answers)
  if type(answers) ~= "table" then
    invalid("model: argument 1 is a %s; takes a list of answers", type(answers))
  end
  for i, answer in ipairs(answers) do
    local kind = type(answer)
    if native.is_error(answer) and not native.is_error(answer, "llm") then
      invalid("model: answer %d is an error of kind '%s'; takes those of kind 'llm'", i,
        answer.kind)
    elseif kind ~= "string" and kind ~= "table" and kind ~= "function" then
      invalid("model: answer %d is a %s; takes a text, a message, a response or a function", i,
        kind)
    end
  end
end

function server.model(answers, options)
  check_answers(answers)
  local requests = {}
  local started = start(function(req)
    local request = req:json()
    requests[#requests + 1] = request
    local answer = answers[#requests]
    if answer == nil then
      resources.fail(("the model was asked %d times, and has %d answers"):format(
        #requests, #answers))
      return { status = 400, json = { error = { message = "there are no more answers" } } }
    end
    return respond(answer, request)
  end)
  local settings = { base_url = started.url .. "/v1", model = "test", api_key = "test" }
  for name, value in pairs(options or {}) do
    settings[name] = value
  end
  return require("luge.llm").model(settings), requests
end

return server
