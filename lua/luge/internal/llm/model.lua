-- Models as Runnables.

local json = require "luge.json"
local sync = require "luge.native.sync"
local tasks = require "luge.native.task"
local environment = require "luge.internal.environment"
local attempts = require "luge.internal.llm.attempts"
local check = require "luge.internal.chain.check"
local exchange = require "luge.internal.llm.exchange"
local options = require "luge.internal.llm.options"
local prompt = require "luge.internal.llm.prompt"
local providers = require "luge.internal.llm.providers"
local rate = require "luge.internal.llm.rate"
local record = require "luge.internal.llm.record"
local runnable = require "luge.internal.chain.runnable"
local targets = require "luge.internal.llm.targets"
local usage = require "luge.internal.llm.usage"

local encode, next, pairs = json.encode, next, pairs
local model = {}

local Model = {}

-- What is the same in each request: the members, and their text without the
-- closing brace.
local function fixed_members(self, stream)
  local members = self.format.settings(self.settings, stream)
  for name, value in pairs(self.settings.extra or {}) do members[name] = value end
  return { members = members, text = encode(members):sub(1, -2) }
end

-- The text of a request. Members of `extra` replace any others.
local function encode_request(self, messages, stream)
  local kind = stream and "stream_members" or "whole_members"
  local fixed = self[kind]
  if not fixed then
    fixed = fixed_members(self, stream)
    self[kind] = fixed
  end
  local members, text = fixed.members, fixed.text
  for name, value in next, self.format.conversation(messages, self.settings) do
    if members[name] == nil then
      text = text .. ',"' .. name .. '":' .. encode(value)
    end
  end
  return text .. "}"
end

-- One attempt: waits for its turn, sends, and settles what it had reserved.

local function settle(reservation, answer)
  local used = answer and answer.usage
  reservation:settle(used and (used.total_tokens
    or (used.input_tokens or 0) + (used.output_tokens or 0)))
end

local function time_left(self, deadline)
  local timeout = self.settings.timeout
  if not deadline then return timeout end
  local left = math.max(deadline - tasks.now(), 0.001)
  return timeout and math.min(timeout, left) or left
end

local function enter(self, target, body)
  local rates = self.settings.rate
  if not rates then return target.lane:enter() end
  local tokens = rate.estimate(body, self.settings.max_tokens)
  return target.lane:enter(target.lane:limiter(rates), tokens)
end

local function try_whole(self, target, body, deadline, send)
  local gate = self.gate
  local _ <close> = gate and gate:hold() or nil
  local reservation = enter(self, target, body)
  if not reservation then
    return send(target, body, time_left(self, deadline))
  end
  local ok, answer = pcall(send, target, body, time_left(self, deadline))
  settle(reservation, ok and answer)
  if not ok then error(answer, 0) end
  return answer
end

--- The attempts of a call: `send(target, body, timeout)` until it returns what
--- is answered, a table with the `usage`.
function model.send(self, target, body, send)
  local seconds = self.settings.deadline
  local deadline = seconds and tasks.now() + seconds
  return attempts.run(target.lane, self.settings.max_retries,
    deadline, try_whole, self, target, body, deadline, send)
end

local function call_whole(self, messages)
  local target = targets.of(self)
  local answer = model.send(self, target, encode_request(self, messages, false), exchange.whole)
  exchange.check_whole(target, answer)
  return answer
end

-- fn(...), of which there are `left` seconds of `seconds`. The error says what of
-- the model took longer.
local function within(self, left, seconds, what, fn, ...)
  local ok, result = pcall(tasks.timeout, left, fn, ...)
  if ok then return result end
  if tasks.is_error(result, "timeout") and result.seconds == left and not result.url then
    result.seconds = seconds
    result.message = ("%s: %s %g seconds"):format(self._name, what, seconds)
  end
  error(result, 0)
end

local function bounded_whole(self, messages)
  local seconds = self.settings.deadline
  if not seconds then return call_whole(self, messages) end
  return within(self, seconds, seconds, "no answer within", call_whole, self, messages)
end

function Model:_invoke(input)
  local messages = prompt.messages(input)
  local context = tasks.context()
  local recorder = context and record.current(context)
  local answer
  if recorder then
    answer = recorder:whole(self, messages, bounded_whole)
  else
    answer = bounded_whole(self, messages)
  end
  if context then usage.note(context, answer.usage) end
  return answer
end

-- Streams: attempts until the first visible piece, which is kept with the
-- reader; then it is the reader's.

-- Reads up to the first piece, within the `timeout` of an attempt that began at
-- `began`.
local function begin(self, reader, began)
  local timeout = self.settings.timeout
  if not timeout then return reader:begin() end
  local left = math.max(began + timeout - tasks.now(), 0)
  return within(self, left, timeout, "the stream did not begin within", reader.begin, reader)
end

local function try_open(self, target, body, deadline)
  local gate = self.gate
  local hold = gate and gate:hold()
  local reservation
  local ok, reader, first = pcall(function()
    reservation = enter(self, target, body)
    local began = tasks.now()
    local opened = exchange.open(target, body, time_left(self, deadline))
    local ok, piece = pcall(begin, self, opened, began)
    if not ok then
      opened:close()
      error(piece, 0)
    end
    return opened, piece
  end)
  if reservation then settle(reservation) end
  if not ok then
    if hold then hold:release() end
    error(reader, 0)
  end
  reader.hold, reader.reservation = hold, reservation
  return reader, first
end

local function finish_stream(reader, context)
  local whole = reader.whole
  if reader.hold then reader.hold:release() end
  if reader.reservation then settle(reader.reservation, whole) end
  if context then usage.note(context, whole.usage) end
end

-- If the stream was left, or broke, the usage that is known so far counts.
local function close_stream(reader, context)
  reader:close()
  if reader.hold then reader.hold:release() end
  if context and not reader.told then
    reader.told = true
    usage.note(context, reader.sum.fields.usage)
  end
end

local function open_live(self, messages)
  local target = targets.of(self)
  local body = encode_request(self, messages, true)
  local seconds = self.settings.deadline
  local deadline = seconds and tasks.now() + seconds
  return attempts.run(target.lane, self.settings.max_retries,
    deadline, try_open, self, target, body, deadline)
end

local function live_source(self, input)
  local reader, first
  local context = tasks.context()
  local next_delta
  local function pull()
    if reader then
      local delta = next_delta(reader)
      if delta == nil and not reader.told then
        reader.told = true
        finish_stream(reader, context)
      end
      return delta
    end
    context = tasks.context()
    reader, first = open_live(self, prompt.messages(input))
    next_delta = reader.next
    if first == nil then
      reader.told = true
      finish_stream(reader, context)
    end
    return first
  end
  return pull, function()
    if reader then close_stream(reader, context) end
  end, function()
    return reader and reader.sum:message()
  end
end

-- Under a deadline each pull has what is left of it. When it has passed, the
-- error names the whole of it, and has the message `so_far`.
local function with_deadline(self, pull, close, so_far)
  local seconds, deadline = self.settings.deadline, nil
  return function()
    local now = tasks.now()
    deadline = deadline or now + seconds
    local ok, delta = pcall(tasks.timeout, math.max(deadline - now, 0), pull)
    if ok then return delta end
    if tasks.is_error(delta, "timeout") and tasks.now() >= deadline then
      delta.seconds, delta.partial = seconds, delta.partial or so_far()
      delta.message = ("%s: the stream was not complete after %g seconds"):format(self._name,
        seconds)
    end
    error(delta, 0)
  end, close
end

local function bounded_source(self, input)
  local pull, close, so_far = live_source(self, input)
  if self.settings.deadline then
    return with_deadline(self, pull, close, so_far)
  end
  return pull, close
end

function Model:_open(input)
  local context = tasks.context()
  local recorder = context and record.current(context)
  if recorder then return recorder:source(self, prompt.messages(input), bounded_source) end
  return bounded_source(self, input)
end

function Model:_bind(set)
  check.options("bind", set, options.call)
  local settings = options.union(self.settings, set)
  options.check_format(self.format, settings)
  return model.new(self.provider, self.format, self.location, settings, self.gate, set.concurrency)
end

--- What tells its answers from those of other models.
function Model:_identity()
  local settings = {}
  for name, value in pairs(self.settings) do
    if not options.of_calls[name] then settings[name] = value end
  end
  if settings.tools then
    settings.tools = {}
    for i, tool in ipairs(self.settings.tools) do
      settings.tools[i] = { tool.name, tool.description or false, tool.parameters }
    end
  end
  local base = self.location.base_url
  return { self.provider, base and targets.shown_url(base) or false, settings }
end

runnable.class("model", "chat_model", Model)

--- A model; those that are derived from it share its gate.
function model.new(provider, format, location, settings, gate, concurrency)
  if concurrency then gate = sync.semaphore(concurrency) end
  local name = provider == "demo" and "demo" or provider .. ":" .. settings.model
  return runnable.new(Model, {
    provider = provider, format = format, location = location, settings = settings,
    gate = gate, _name = name,
  })
end

function model.is(value)
  return getmetatable(value) == Model._metatable
end

-- The provider, the model's name, and the options, from what llm.model takes.
local function read_arguments(name, set)
  if type(name) == "table" then set, name = name, nil end
  set = options.union({}, check.options("llm.model", set or {}, options.model))
  if name == nil and (set.base_url or set.provider) then
    local provider = set.provider and providers.check(set.provider) or "openai"
    if provider ~= "demo" and not set.model then
      check.invalid("llm.model: takes the option model, the model's name at %s",
        set.base_url or provider)
    end
    return provider, set.model or "demo", set, set.provider == nil
  end
  name = name or set.model or environment.try("LUGE_MODEL") or "demo"
  check.argument("llm.model", name, check.string)
  local provider, model_name = providers.split(name == "" and "demo" or name)
  return provider, model_name, set, false
end

--- Makes a model; see llm.lua.
function model.model(name, settings)
  local provider, model_name, given, anonymous = read_arguments(name, settings)
  local format = providers.format(provider)
  local key = given.api_key
  local location = {
    base_url = given.base_url, headers = given.headers, anonymous = anonymous,
    key = function() return key end,
  }
  for field in pairs(given) do
    if not options.call[field] then given[field] = nil end
  end
  given.model = model_name
  local official = provider == "openai"
    and select(2, providers.base_url(provider, location.base_url))
  given.official = official or nil
  options.check_format(format, given)
  return model.new(provider, format, location, given, nil, given.concurrency)
end

return model
