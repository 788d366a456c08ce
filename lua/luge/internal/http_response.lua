-- What a handler returned, on its way to the client.

local tasks = require "luge.native.task"
local describe = require "luge.internal.check".describe

local function invalid(...)
  error(tasks.error { kind = "invalid", message = string.format(...) }, 0)
end

local kinds = { "body", "json", "stream", "events" }
local known = { status = true, headers = true }
for _, kind in ipairs(kinds) do known[kind] = true end

-- A number that is whole, a float too, as an integer; or nil.
local function whole(x) return math.type(x) and math.tointeger(x) end

-- Which of the four ways to give a body the response uses.
local function kind_of(response)
  local kind
  for name in pairs(response) do
    if not known[name] then
      invalid("response: unknown field '%s', takes status, headers and one of %s",
        tostring(name), table.concat(kinds, ", "))
    end
  end
  for _, name in ipairs(kinds) do
    if response[name] ~= nil then
      if kind then invalid("response: both '%s' and '%s', takes one", kind, name) end
      kind = name
    end
  end
  return kind
end

local function is_callable(x)
  if type(x) == "function" then return true end
  local metatable = getmetatable(x)
  return type(metatable) == "table" and metatable.__call ~= nil
end

local function method_of(x, name)
  local kind = type(x)
  if kind ~= "table" and kind ~= "userdata" then return nil end
  local method = x[name]
  return is_callable(method) and method or nil
end

local function closing(source)
  local close = method_of(source, "close")
  return setmetatable({}, { __close = function() if close then close(source) end end })
end

-- Hands every item of a Stream, an iterator or a producer to `emit`. A function
-- is called with `emit` until it returns nil: so it may return its items, or
-- emit them all itself.
local function each(source, emit)
  local step = method_of(source, "next")
  if step then
    local _ <close> = closing(source)
    for item in step, source do emit(item) end
  else
    for item in source, emit do emit(item) end
  end
end

local function check_source(name, source)
  if not is_callable(source) and not method_of(source, "next") then
    invalid("response: '%s' is %s, takes a Stream, a function or an iterator", name, type(source))
  end
end

local function text_of(name, value)
  if type(value) ~= "string" and type(value) ~= "number" then
    invalid("event: '%s' is %s, takes a string", name, describe(value))
  end
  return tostring(value)
end

-- One line of an event: no field but data and comment may hold a line end.
local function line(name, value, forbidden)
  value = text_of(name, value)
  if value:find(forbidden) then
    invalid("event: '%s' has a character that is not allowed", name)
  end
  return name .. ": " .. value .. "\n"
end

local function lines(name, text)
  if not text:find "[\r\n]" then return name .. ": " .. text .. "\n" end
  text = text:gsub("\r\n?", "\n")
  return name .. ": " .. text:gsub("\n", "\n" .. name .. ": ") .. "\n"
end

local function data_lines(data)
  if data == nil then return "" end
  if type(data) ~= "string" then data = require "luge.json".encode(data) end
  return lines("data", data)
end

local event_known = { event = true, data = true, id = true, retry = true, comment = true }

---An event of the text/event-stream format: `{ event=, data=, id=, retry=,
---comment= }`, or a string, its data. Data that is no string is sent as JSON.
local function format_event(event)
  if type(event) == "string" then return lines("data", event) .. "\n" end
  if type(event) ~= "table" then
    invalid("event: got %s, takes a table or a string", type(event))
  end
  for name in next, event do
    if not event_known[name] then
      invalid("event: unknown field %s, takes event, data, id, retry, comment", describe(name))
    end
  end
  local text = event.comment ~= nil and lines("", text_of("comment", event.comment)) or ""
  if event.event ~= nil and event.event ~= "message" then
    text = text .. line("event", event.event, "[\r\n]")
  end
  if event.id ~= nil then text = text .. line("id", event.id, "[\r\n%z]") end
  if event.retry ~= nil then
    local retry = whole(event.retry)
    if not retry or retry < 0 then
      invalid("event: 'retry' is %s, takes a whole number of milliseconds", describe(event.retry))
    end
    text = text .. "retry: " .. retry .. "\n"
  end
  return text .. data_lines(event.data) .. "\n"
end

local function send_stream(request, status, response)
  local source = response.stream
  check_source("stream", source)
  if request:start(status, response.headers, "application/octet-stream") then
    each(source, function(piece)
      if type(piece) ~= "string" then
        invalid("response: the stream gave %s, takes strings", type(piece))
      end
      request:write(piece)
    end)
  else
    local _ <close> = closing(source)
  end
  request:finish()
end

-- Caches must not answer: their events would be old.
local function event_headers(headers)
  local copy, cache = {}, false
  for name, value in pairs(headers or {}) do
    copy[name] = value
    cache = cache or (type(name) == "string" and name:lower() == "cache-control")
  end
  if not cache then copy["Cache-Control"] = "no-store" end
  return copy
end

local function send_events(request, status, response)
  local source = response.events
  check_source("events", source)
  if request:start(status, event_headers(response.headers), "text/event-stream") then
    each(source, function(event) request:write(format_event(event)) end)
  else
    local _ <close> = closing(source)
  end
  request:finish()
end

local function send_json(request, status, response)
  local text = require "luge.json".encode(response.json)
  request:respond(status, response.headers, text, "application/json")
end

local function send_body(request, status, response)
  local body = response.body
  if body ~= nil and type(body) ~= "string" then
    invalid("response: 'body' is %s, takes a string", type(body))
  end
  request:respond(status, response.headers, body, body and "text/plain; charset=utf-8")
end

local senders = { json = send_json, stream = send_stream, events = send_events }

---Sends what a handler returned: a table `{ status=, headers=, body= | json= |
---stream= | events= }`, or a string, the body.
local function send(request, response)
  if type(response) == "string" then response = { body = response } end
  if type(response) ~= "table" then
    invalid("the handler returned %s, takes a response: a table or a string", type(response))
  end
  local kind = kind_of(response)
  local status = response.status == nil and 200 or whole(response.status)
  if not status or status < 200 or status > 999 then
    invalid("response: 'status' is %s, takes an integer from 200 to 999", describe(response.status))
  end
  if response.headers ~= nil and type(response.headers) ~= "table" then
    invalid("response: 'headers' is %s, takes a table", type(response.headers))
  end
  local sender = senders[kind] or send_body
  sender(request, status, response)
end

return { send = send, format_event = format_event }
