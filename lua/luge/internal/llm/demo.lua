-- The demo model's server: luge's own HTTP server on a loopback port, in the
-- OpenAI format, so that the demo takes the same way as every other model. It
-- starts with the first call and closes when nobody has asked it for a while:
-- a listener would otherwise hide that a script waits in vain.

local http = require "luge.http"
local tasks = require "luge.native.task"
local answers = require "luge.internal.llm.demo_answer"

local demo = {
  piece_delay = 0.02, -- seconds between the pieces of a stream
}

local IDLE = 1 -- seconds until it closes

-- While it runs: { url =, task =, active =, used = }; while it starts, a future.
local running, starting

-- Requests.

local function chunk(id, delta, reason)
  return {
    id = id, object = "chat.completion.chunk", created = 0, model = "demo",
    choices = { { index = 0, delta = delta, finish_reason = reason } },
  }
end

local function stream_calls(id, calls, emit)
  for i, call in ipairs(calls) do
    local f = call["function"]
    emit(chunk(id, { tool_calls = { { index = i - 1, id = call.id, type = "function",
      ["function"] = { name = f.name, arguments = "" } } } }))
    for from = 1, #f.arguments, 8 do
      emit(chunk(id, { tool_calls = { { index = i - 1,
        ["function"] = { arguments = f.arguments:sub(from, from + 7) } } } }))
    end
  end
end

local function stream(request, id, answer)
  local delay = tonumber(request.delay) or demo.piece_delay
  return function(emit)
    emit(chunk(id, { role = "assistant", content = "" }))
    if answer.tool_calls then stream_calls(id, answer.tool_calls, emit) end
    for _, piece in ipairs(answers.pieces(answer.content or "")) do
      if delay > 0 then tasks.sleep(delay) end
      emit(chunk(id, { content = piece }))
    end
    emit(chunk(id, {}, answer.finish_reason))
    emit {
      id = id, object = "chat.completion.chunk", created = 0, model = "demo", choices = {},
      usage = answer.usage,
    }
    emit("[DONE]")
  end
end

local function whole(id, answer)
  return { json = {
    id = id, object = "chat.completion", created = 0, model = "demo",
    choices = { {
      index = 0, finish_reason = answer.finish_reason,
      message = {
        role = "assistant", content = answer.content or "", tool_calls = answer.tool_calls,
      },
    } },
    usage = answer.usage,
  } }
end

local function refuse(text)
  return { status = 400, json = { error = { type = "invalid_request_error", message = text } } }
end

local count = 0

local function on_chat(req)
  local request = req:json()
  if type(request) ~= "table" or type(request.messages) ~= "table" or #request.messages == 0 then
    return refuse("messages must be a list of messages")
  end
  count = count + 1
  local id, answer = "demo-" .. count, answers.chat(request)
  if not request.stream then return whole(id, answer) end
  local produce = stream(request, id, answer)
  return { events = function(emit)
    produce(function(item) emit { data = item } end)
  end }
end

local function on_embeddings(req)
  local request = req:json()
  local texts = type(request) == "table" and request.input
  if type(texts) == "string" then texts = { texts } end
  if type(texts) ~= "table" then return refuse("input must be a text or a list of texts") end
  local data, tokens = {}, 0
  for i, text in ipairs(texts) do
    data[i] = { object = "embedding", index = i - 1, embedding = answers.embedding(text) }
    tokens = tokens + select(2, text:gsub("%S+", ""))
  end
  return { json = { object = "list", model = "demo", data = data,
    usage = { prompt_tokens = tokens, total_tokens = tokens } } }
end

-- The server.

local Use = { __close = function(state)
  state.active = state.active - 1
  state.used = tasks.now()
end }

local function in_use(state, fn)
  return function(...)
    state.active = state.active + 1
    local _ <close> = state
    return fn(...)
  end
end

-- A streamed answer is given after the handler has returned.
local function counted(state, handler)
  setmetatable(state, Use)
  return in_use(state, function(req)
    local answer = handler(req)
    answer.events = answer.events and in_use(state, answer.events)
    return answer
  end)
end

-- A server, or an error for all who wait for one.
local function listen(ready)
  local ok, server = pcall(http.server, { max_body = 256 * 1024 * 1024 })
  if ok then return server end
  starting = nil
  ready:reject(server)
end

local function serve(ready)
  local state = { active = 0, used = tasks.now() }
  local server <close> = listen(ready)
  if not server then return end
  server:route("POST", "/v1/chat/completions", counted(state, on_chat))
  server:route("POST", "/v1/embeddings", counted(state, on_embeddings))
  state.url, state.task = server.url .. "/v1", tasks.current()
  running, starting = state, nil
  ready:resolve()
  local _ <close> = setmetatable({}, { __close = function() running = nil end })
  repeat
    tasks.sleep(IDLE)
  until state.active == 0 and tasks.now() - state.used >= IDLE
end

--- Where the demo model is; starts it if need be. Waits until it listens.
function demo.base_url()
  while not running do
    if not starting then
      starting = tasks.future()
      tasks.detach(serve, starting):name("demo model")
    end
    starting:await()
  end
  running.used = tasks.now()
  return running.url
end

--- Closes the server at once, if it runs; for tests, which leave nothing behind.
function demo.close()
  if not running then return end
  local task = running.task
  task:cancel("the demo model is closed")
  pcall(task.await, task)
end

return demo
