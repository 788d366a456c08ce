-- What a request is answered with: class Response.
local native = require "luge.native.http_client"
local is_error, new_error = require("luge.native.task").is_error, require("luge.native.task").error
local check = require "luge.internal.check"

local setmetatable, type = setmetatable, type
local read, reader, close_stream = native.read, native.reader, native.close_stream
local decode

-- Bytes.
local MAX_LINE <const> = 16 << 20
local ERROR_BODY <const> = 16 << 10

-- Errors that say in `partial` what came of a body.
local partial_kinds = { network = true, timeout = true, truncated = true }

--- The answer to a request.
---@class luge.http.Response
---@field status integer
---@field headers luge.http.Headers
---@field url string the last one, after redirects
---@field body string unless the response is streamed
---@field http_version "1.0"|"1.1"|"2"|"3"
---@field reused boolean whether it came on a kept connection
---@field timings luge.http.Timings
local Response = {}

--- Case-insensitive: `headers["Content-Type"]` is the first of that name.
--- `pairs(headers)` gives all, with names in lower case.
---@class luge.http.Headers
---@field all fun(self: luge.http.Headers, name: string): string[] repeated ones

--- Seconds since the start of the request; 0 for what was not needed.
---@class luge.http.Timings
---@field dns number the name was resolved
---@field connect number there was a connection
---@field tls number it was a secure one
---@field request number the request could be sent
---@field headers number the first byte of the answer came
---@field total number the answer was complete

local lazy = {}

function lazy.http_version(self)
  return (native.info(self.headers))
end

function lazy.reused(self)
  return select(2, native.info(self.headers))
end

function lazy.timings(self)
  return native.timings(self.headers)
end

local metatable = { __name = "luge.http.Response" }

function metatable.__index(self, name)
  local method = Response[name]
  if method then
    return method
  end
  local get = lazy[name]
  return get and get(self)
end

function metatable.__tostring(self)
  return ("Response: %d from %s"):format(self.status, native.mask(self.url))
end

-- `self` is nil where a method was called with a dot.
local function stream_of(self, method)
  local stream = self and self.stream
  if not stream then
    check.own(self, metatable, "response", method)
    check.fail("the response is not streamed: its request did not say stream = true")
  end
  return stream
end

--- The next piece of a streamed body, of any length; nil at the end. Waits.
---
--- Raises `network`, `timeout`, `truncated`, `limit` if the body breaks off;
--- `closed` after `close`. A cancelled read closes the response.
---@return string?
function Response:read()
  return read(stream_of(self, "read"))
end

-- If the body breaks off, the error has in `partial` what came, as that of a
-- whole body has.
local function collect(self, method)
  local pieces, stream = {}, stream_of(self, method)
  repeat
    local ok, piece = pcall(read, stream)
    if not ok then
      if is_error(piece) and partial_kinds[piece.kind] then
        piece.partial = table.concat(pieces)
      end
      error(piece, 0)
    end
    pieces[#pieces + 1] = piece
  until not piece
  return table.concat(pieces)
end

--- The whole body as text, of a streamed response too: what of that was not
--- yet read. Waits if so, and raises as `read`, with what came in `partial`.
---@return string
function Response:text()
  return self and self.body or collect(self, "text")
end

--- The body, decoded from JSON by luge.json. Of a streamed response it is read
--- to its end first. Raises `parse` if it is none.
---@return any
function Response:json()
  decode = decode or require("luge.json").decode
  return decode(self and self.body or collect(self, "json"))
end

--- Whether the status is one of success, 200 to 299.
---@return boolean
function Response:ok()
  if not self then check.own(self, metatable, "response", "ok") end
  return self.status >= 200 and self.status <= 299
end

-- The beginning of the body. Of a streamed one, so much is read, if it comes.
local function beginning(self)
  if self.body then
    return self.body:sub(1, ERROR_BODY)
  end
  local pieces, length = {}, 0
  local ok, err
  repeat
    local piece
    ok, err = pcall(read, self.stream)
    piece = ok and err
    if piece then
      pieces[#pieces + 1], length = piece, length + #piece
    end
  until not piece or length >= ERROR_BODY
  self:close()
  if not ok and require("luge.native.task").is_error(err, "cancelled") then
    error(err, 0)
  end
  return table.concat(pieces):sub(1, ERROR_BODY)
end

--- Returns the response; or, with a status of 400 or more, raises `http`, with
--- `status`, `headers`, `url`, `body` (its first 16 KiB), `retry_after` (seconds from
--- now, if the server named a time), and `retryable` by the status. Waits to
--- read the beginning of a streamed body, which it closes.
---@return luge.http.Response self
function Response:raise_for_status()
  if not self then check.own(self, metatable, "response", "raise_for_status") end
  local status, headers = self.status, self.headers
  if status < 400 then
    return self
  end
  local url = native.mask(self.url)
  error(new_error {
    kind = "http",
    message = ("%s answered with status %d"):format(url, status),
    status = status,
    headers = headers,
    url = url,
    body = beginning(self),
    retry_after = require("luge.internal.hint").of_headers(headers),
  }, 2)
end

--- Iterates over the pieces of a streamed body as they come:
--- `for piece in response:chunks() do`. Leaving the loop closes the response.
--- Waits, and raises as `read`.
---@return luge.http.Reader, nil, nil, luge.http.Reader
function Response:chunks()
  local self_reader = reader(stream_of(self, "chunks"), "chunks", MAX_LINE)
  return self_reader, nil, nil, self_reader
end

--- Iterates over the lines of a streamed body, without their LF or CRLF.
--- Leaving the loop closes the response. Waits, and raises as `read`, and
--- `limit` for a line of more than 16 MiB.
---@return luge.http.Reader, nil, nil, luge.http.Reader
function Response:lines()
  local self_reader = reader(stream_of(self, "lines"), "lines", MAX_LINE)
  return self_reader, nil, nil, self_reader
end

--- Reads a streamed body piece by piece, and can be closed: what a Stream is,
--- with its operators too.
---@class luge.http.Reader: luge.Stream

-- The operators of Streams work on readers too, which become a Stream when one
-- is first used.
setmetatable(native.reader_methods, {
  __index = function(_, name)
    local stream = require "luge.internal.stream"
    local method = stream.Stream[name]
    return method and function(self, ...)
      if type(self) ~= "userdata" then
        check.own(self, native.reader_methods, "reader", name)
      end
      return method(stream.new(function() return self:next() end, function() self:close() end), ...)
    end
  end,
})

--- A Server-Sent Event.
---@class luge.http.Event
---@field event string "message" if none is named
---@field data string
---@field id? string the last one seen
---@field retry? integer milliseconds, if this event set it

--- Iterates over the Server-Sent Events of a streamed body, as the WHATWG
--- specification reads them; an event that the end cuts off is not given.
--- Leaving the loop closes the response. Waits, and raises as `read`, and
--- `limit` for a line or an event of more than 16 MiB.
---@return luge.http.Reader, nil, nil, luge.http.Reader
function Response:events()
  local self_reader = reader(stream_of(self, "events"), "events", MAX_LINE)
  return self_reader, nil, nil, self_reader
end

--- The same, as `data, event` for each, without a table.
---@return luge.http.Reader, nil, nil, luge.http.Reader
function Response:event_data()
  local self_reader = reader(stream_of(self, "event_data"), "data", MAX_LINE)
  return self_reader, nil, nil, self_reader
end

--- Closes a streamed response, and its connection if the body has not been
--- read to the end. May be called again, and on one that is not streamed.
function Response:close()
  check.own(self, metatable, "response", "close")
  if self.stream then
    close_stream(self.stream)
  end
end

metatable.__close = Response.close

local answer = {}

-- A Response; `body` is a string or, if `streaming`, a native stream.
function answer.new(status, headers, body, url, streaming)
  if streaming then
    return setmetatable({ status = status, headers = headers, url = url, stream = body },
      metatable)
  end
  return setmetatable({ status = status, headers = headers, url = url, body = body }, metatable)
end

function answer.is(value)
  return type(value) == "table" and getmetatable(value) == metatable
end

return answer
