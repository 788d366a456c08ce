-- http.events: an EventSource. It reads one response after another; between
-- two it waits, longer each time that nothing came of it.
-- https://html.spec.whatwg.org/multipage/server-sent-events.html
local native = require "luge.native.task"
local mask = require("luge.native.http_client").mask
local check = require "luge.internal.check"
local stream = require "luge.internal.stream"

local pcall, error = pcall, error

-- Seconds between connections, at first and at most; how many in a row may
-- bring no event.
local DELAY <const>, MAX_DELAY <const> = 3, 60
local ATTEMPTS <const> = 10

-- The headers that may be sent once, by whatever case they are given in.
local OURS <const> = {
  accept = "Accept", ["cache-control"] = "Cache-Control", ["last-event-id"] = "Last-Event-ID",
}

local Source = {}
Source.__index = Source

-- Options of the request: each connection is a new one.
local function request_options(options, last_id)
  local all, headers = {}, { Accept = "text/event-stream", ["Cache-Control"] = "no-store" }
  for name, value in next, options do
    all[name] = value
  end
  for name, value in next, options.headers or {} do
    headers[OURS[tostring(name):lower()] or name] = value
  end
  if last_id ~= "" then
    headers["Last-Event-ID"] = last_id
  end
  all.headers, all.stream = headers, true
  return all
end

local function check_answer(response)
  response:raise_for_status()
  local kind = response.headers["content-type"] or "none"
  if response.status ~= 200 or kind:match "^%s*([^;%s]*)":lower() ~= "text/event-stream" then
    local ok, beginning = pcall(response.read, response)
    response:close()
    error(native.error {
      kind = "network", code = "protocol", retryable = false, url = mask(response.url),
      body = ok and beginning and beginning:sub(1, 1024) or "",
      message = ("%s: status %d and content type %s are no event stream")
        :format(mask(response.url), response.status, kind),
    }, 0)
  end
end

-- A reader of a new connection; nil: the server wants no more (204).
function Source:connect()
  local response = self.client:get(self.url, request_options(self.options, self.last_id))
  if response.status == 204 then
    response:close()
    return nil
  end
  check_answer(response)
  self.response, self.reader = response, response:events()
  self.reader:go_on_from(self.last_id)
  return self.reader
end

function Source:disconnect()
  local reader, response = self.reader, self.response
  self.reader, self.response = nil, nil
  if reader then
    self.last_id = reader:last_id()
    self.delay = reader:retry() and reader:retry() / 1000 or self.delay
    response:close()
  end
end

-- Waits before the next connection; or raises the error, if it is not one of a
-- connection that broke, or came too often.
function Source:pause(err)
  self:disconnect()
  if err and not (native.is_error(err) and err.retryable and err.kind ~= "http") then
    error(err, 0)
  end
  self.failures = self.failures + 1
  if self.failures > self.attempts or (err and not self.opened) then
    error(err or native.error {
      kind = "network", code = "reset", url = mask(self.url),
      message = mask(self.url) .. ": the server ends the stream again and again",
    }, 0)
  end
  native.sleep(math.min(self.delay * 2 ^ (self.failures - 1), math.max(MAX_DELAY, self.delay)))
end

-- Waits in `fn(self, argument)`, unless another task closes the source: then it ends
-- without a result.
function Source:within(fn, argument)
  return native.scope(function(scope)
    self.scope = scope
    return fn(self, argument)
  end)
end

-- The next event: data to hand on, or nil and whether the stream is over.
function Source:read()
  local reader = self.reader or self:within(self.connect)
  if not reader then
    return nil, true
  end
  self.opened = true
  return reader:next(), false
end

function Source:next()
  while not self.over do
    local ok, event, over = pcall(self.read, self)
    if self.over then
      return nil -- whatever it was: another task has closed it
    elseif not ok then
      self:within(self.pause, event)
    elseif event then
      self.failures = 0
      return event
    elseif over then
      self.over = true
    else
      self:within(self.pause)
    end
  end
  return nil
end

-- `options` are those of a request, and `retry`, `attempts`, `last_event_id`.
return function(client, url, options)
  options = options or {}
  check.options("events", options, setmetatable({
    retry = "positive", attempts = "count", last_event_id = "string",
  }, { __index = function() return true end }))
  local request = {}
  for name, value in next, options do
    request[name] = value
  end
  request.retry, request.attempts, request.last_event_id = nil, nil, nil
  local source = setmetatable({
    client = client, url = url, options = request, failures = 0,
    delay = options.retry or DELAY, attempts = options.attempts or ATTEMPTS,
    last_id = options.last_event_id or "",
  }, Source)
  return stream.open(function()
    return source:next()
  end, function()
    source.over = true
    if source.scope then
      source.scope:cancel()
    end
    source:disconnect()
  end)
end
