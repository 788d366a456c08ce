-- One request and its answer: whole, or as a reader of deltas.

local http = require "luge.http"
local json = require "luge.json"
local session = require "luge.internal.http_session"
local failure = require "luge.internal.llm.failure"
local message = require "luge.internal.llm.message"

local decode, post_text, shared_client = json.decode, session.post_text, session.shared
local pcall = pcall
local exchange = {}

-- As much of the body of an error as is read.
local MAX_ERROR_BODY = 64 * 1024

local function is_success(status)
  return status >= 200 and status < 300
end

-- What is raised when an answer or an event has another form than is read: `parse`,
-- or an error of Lua itself.
local function is_unreadable(err)
  if type(err) == "string" then return err ~= "not enough memory" end
  return type(err) == "table" and err.kind == "parse"
end

local function read_whole(format, text)
  return format.answer(decode(text))
end

-- The error for an answer that has no Message: the one that it tells of, if it
-- does.
local function unreadable_whole(target, headers, text)
  local ok, answer = pcall(decode, text)
  return ok and failure.of_object(target, answer, headers)
    or failure.protocol(target, "the answer is not in its format", text)
end

--- Sends a request and returns the Message of its answer.
function exchange.whole(target, body, timeout)
  local status, headers, text =
    post_text(shared_client(), target.url, target.headers, body, timeout)
  if not is_success(status) then error(failure.of_status(target, status, headers, text)) end
  local ok, made, told = pcall(read_whole, target.format, text)
  if ok and made then return made end
  if ok and told then error(failure.in_band(target, told, headers)) end
  error((ok or is_unreadable(made)) and unreadable_whole(target, headers, text) or made, 0)
end

-- Streams.

local Reader = {}
Reader.__index = Reader

local function beginning(response)
  local parts, size = {}, 0
  pcall(function()
    for chunk in response:chunks() do
      parts[#parts + 1] = chunk
      size = size + #chunk
      if size >= MAX_ERROR_BODY then break end
    end
  end)
  response:close()
  return table.concat(parts)
end

local function check_stream(target, response)
  if not is_success(response.status) then
    local text = beginning(response)
    error(failure.of_status(target, response.status, response.headers, text))
  end
  local kind = (response.headers["content-type"] or ""):match("^%s*([^;%s]*)"):lower()
  if kind == "" or kind == target.format.stream_type then return end
  local text = beginning(response)
  local ok, answer = pcall(json.decode, text)
  error(ok and failure.of_object(target, answer, response.headers)
    or failure.protocol(target, "the answer is no stream, but " .. kind, text))
end

-- A reader of what the decoder takes: lines, or the data of events.
local function reader_of(response, by_lines)
  return (by_lines and response:lines() or response:event_data())
end

--- Sends a request and returns a reader of its stream.
function exchange.open(target, body, timeout)
  local response = http.post(target.url, {
    headers = target.headers, body = body, timeout = timeout, stream = true,
  })
  check_stream(target, response)
  local decoder, sum = target.format.decoder(), message.sum()
  return setmetatable({
    target = target, response = response, decoder = decoder, event = decoder.event,
    next_data = reader_of(response, target.format.by_lines),
    sum = sum, push = sum.push, over = false,
  }, Reader)
end

-- The error for an event that is not in the format; or for a last line that was
-- cut off.
local function unreadable(self)
  if self.target.format.by_lines and self.next_data() == nil then
    return failure.truncated(self.target)
  end
  return failure.protocol(self.target, "an event of the stream is not in its format", self.data)
end

local function read(self)
  local decoder, event, next_data = self.decoder, self.event, self.next_data
  while true do
    local data = next_data()
    if data == nil then
      if decoder:complete() or self.target.end_mark == false then return nil end
      error(failure.truncated(self.target))
    end
    self.data = data
    local delta, what = event(decoder, data)
    if delta then return delta end
    if what == true then return nil end
    if what then error(failure.in_band(self.target, what, self.response.headers)) end
  end
end

-- The calls of a message that was cut off cannot be used.
local function check_whole(target, whole)
  local reason = whole.finish_reason
  if reason ~= "length" and reason ~= "content_filter" then return end
  for _, call in ipairs(whole.tool_calls or {}) do
    if not call.arguments then
      error(failure.coded(target, reason,
        ("the call of the tool %s was cut off"):format(call.name or "?")))
    end
  end
end

exchange.check_whole = check_whole

local function finish(self)
  self.over = true
  self:close()
  local whole = self.sum:message()
  check_whole(self.target, whole)
  self.whole = whole
end

-- Whether the connection broke only after the stream's end mark: then nothing
-- is missing.
local function broke_after_end(self, err)
  if type(err) ~= "table" or not self.decoder:complete() then return false end
  return err.kind == "network" or err.kind == "truncated" or err.kind == "timeout"
end

local function fail(self, err)
  if is_unreadable(err) then
    local _
    _, err = pcall(unreadable, self)
  end
  self:close()
  if type(err) == "table" and err.kind ~= "cancelled" then
    err.partial = self.sum:message()
    self.over, self.failure = true, err
  end
  error(err, 0)
end

-- For a stream of calls that ended without a finish reason: adds one, which
-- says that the arguments are whole.
local function closing_delta(self)
  if self.ended then return nil end
  self.ended = true
  if self.sum.calls == nil or self.sum.fields.finish_reason then return nil end
  return message.new { role = "assistant", content = "", finish_reason = "tool_calls" }
end

--- The next delta; nil at the end, when `whole` is the Message. An error has
--- the Message so far in `partial`.
function Reader:next()
  if self.over then
    if self.failure then error(self.failure, 0) end
    return nil
  end
  local ok, delta = true, nil
  if not self.ended then ok, delta = pcall(read, self) end
  if ok and not delta then delta = closing_delta(self) end
  if ok and delta then
    self.push(self.sum, delta)
    return delta
  end
  if ok or broke_after_end(self, delta) then ok, delta = pcall(finish, self) end
  if ok then return nil end
  fail(self, delta)
end

local function is_visible(delta)
  return delta.content ~= "" or delta.reasoning or delta.refusal or delta.tool_calls
end

--- Reads until there is something to see; returns the delta up to there, nil
--- if the stream has none at all.
function Reader:begin()
  local first
  repeat
    local delta = self:next()
    if delta == nil then break end
    first = first and first + delta or delta
  until is_visible(delta)
  -- If calls came whole in the first delta, it may be the only one.
  if first and first.tool_calls and first.finish_reason then return self.sum:message() end
  return first
end

function Reader:close()
  if not self.closed then
    self.closed = true
    self.response:close()
  end
end

return exchange
