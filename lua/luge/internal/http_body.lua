-- Bodies of requests that are not a string: files, streams, multipart forms.
-- Each is a list of sources, which a task sends one after another while the
-- request is under way.
local native = require "luge.native.http_client"
local tasks = require "luge.native.task"
local check = require "luge.internal.check"
local from = require "luge.internal.from"

local new_error, fail = tasks.error, check.fail
local fs

local PIECE <const> = 64 << 10

local http_body = {}

local function io_error(path, why)
  error(new_error { kind = "io", message = ("cannot send %s: %s"):format(path, why), path = path },
    0)
end

-- Sources: `length` in bytes or nil, `send(write)` which stops when
-- `write(text)` says so, and `again` if it can be sent twice.

local function text_source(text)
  return {
    length = #text,
    again = true,
    send = function(write)
      for i = 1, #text, PIECE do
        if not write(text:sub(i, i + PIECE - 1)) then
          return false
        end
      end
      return true
    end,
  }
end

local function send_file(file, path, length, write)
  while length > 0 do
    local piece = file:read(math.min(PIECE, length))
    if not piece then
      io_error(path, "it has become shorter while it was sent")
    end
    length = length - #piece
    if not write(piece) then
      return false
    end
  end
  return true
end

local function file_source(path)
  if type(path) ~= "string" then
    fail("bad file for a body: got %s, takes a path", check.describe(path))
  end
  fs = fs or require "luge.fs"
  local stat = fs.stat(path)
  if stat.type ~= "file" then
    io_error(path, "it is a " .. stat.type)
  elseif stat.size == 0 then -- or the system does not tell, as in /proc
    return text_source(fs.read(path))
  end
  return {
    length = stat.size,
    again = true,
    send = function(write)
      local file <close> = fs.open(path)
      return send_file(file, path, stat.size, write)
    end,
  }
end

local function stream_source(source)
  local pull, closing = from.pull("body", source)
  return {
    send = function(write)
      local _ <close> = closing
      for piece in pull do
        if type(piece) ~= "string" then
          fail("a body's stream gave %s, takes strings", check.describe(piece))
        end
        if not write(piece) then
          return false
        end
      end
      return true
    end,
  }
end

local function body_source(body)
  if type(body) == "table" and body.file ~= nil then
    return file_source(body.file)
  end
  return stream_source(body)
end

-- Multipart forms: RFC 7578.

local function quote(text)
  return (text:gsub('[\r\n"]', { ["\r"] = "%0D", ["\n"] = "%0A", ['"'] = "%22" }))
end

local function check_line(text, what)
  if type(text) ~= "string" or text:find "[\r\n\0]" then
    fail("bad %s of a multipart field: takes a string without CR, LF and NUL", what)
  end
  return text
end

local function field_head(boundary, name, field)
  if name:find("\0", 1, true) then
    fail "bad name of a multipart field: takes a string without NUL"
  end
  local lines = {
    "--" .. boundary,
    ('Content-Disposition: form-data; name="%s"'):format(quote(name)),
  }
  local filename = field.filename or (field.path and field.path:match "[^/]*$")
  if filename then
    lines[2] = lines[2] .. ('; filename="%s"'):format(quote(check_line(filename, "filename")))
  end
  local kind = field.type or (filename and "application/octet-stream")
  if kind then
    lines[3] = "Content-Type: " .. check_line(kind, "type")
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local field_known = { name = true, data = true, path = true, filename = true, type = true }

local function add_field(sources, boundary, name, field)
  if type(name) ~= "string" then
    fail("a multipart field has no name")
  end
  if type(field) ~= "table" then
    field = { data = field }
  end
  check.options("a multipart field", field, field_known)
  local data = field.data
  if type(data) == "number" then
    data = tostring(data)
  end
  if (type(data) ~= "string") == (type(field.path) ~= "string") then
    fail("multipart field '%s' takes a string, { data = } or { path = }", name)
  end
  sources[#sources + 1] = text_source(field_head(boundary, name, field))
  sources[#sources + 1] = data and text_source(data) or file_source(field.path)
  sources[#sources + 1] = text_source "\r\n"
end

local function sorted_names(fields)
  local names = {}
  for name in next, fields do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

local function multipart_sources(fields)
  local sources = {}
  local boundary = ("luge-%016x%016x"):format(math.random(0), math.random(0))
  if type(fields[1]) == "table" then
    for i = 1, #fields do
      add_field(sources, boundary, fields[i].name, fields[i])
    end
  else
    for _, name in ipairs(sorted_names(fields)) do
      add_field(sources, boundary, name, fields[name])
    end
  end
  sources[#sources + 1] = text_source("--" .. boundary .. "--\r\n")
  return sources, "multipart/form-data; boundary=" .. boundary
end

local Body = {}
Body.__index = Body

-- Sends all sources; `write` as above.
function Body:send(write)
  for i = 1, #self.sources do
    if not self.sources[i].send(write) then
      return false
    end
  end
  return true
end

local function new(sources)
  local body = setmetatable({ sources = sources, length = 0, again = true }, Body)
  for i = 1, #sources do
    local source = sources[i]
    body.length = body.length and source.length and body.length + source.length
    body.again = body.again and source.again
  end
  return body
end

-- The options' body as a Body, and its media type.
function http_body.open(options)
  if options.multipart then
    local sources, media_type = multipart_sources(options.multipart)
    return new(sources), media_type
  end
  return new { body_source(options.body) }
end

-- A string as a Body.
function http_body.text(text)
  return new { text_source(text) }
end

local function feed(body, upload, on_progress)
  local sent = 0
  local function write(piece)
    local goes_on = upload:write(piece)
    sent = sent + #piece
    if on_progress and goes_on then
      on_progress { sent = sent, to_send = body.length, received = 0 }
    end
    return goes_on
  end
  if body:send(write) then
    upload:finish()
  end
end

local function check_again(request)
  local body = request.body
  if body.sent and not body.again then
    error(new_error {
      kind = "invalid",
      message = "the server redirects, but a body that is a stream can be sent only once",
    }, 0)
  end
  body.sent = true
  return body
end

-- Sends the request with its Body: `exchange(request, client)` gets the native
-- upload in its place. The task that feeds it ends with the transfer.
function http_body.send(request, client, exchange)
  local body = check_again(request)
  local upload = native.upload(body.length)
  local failure
  local feeder = tasks.spawn(function()
    local ok, err = pcall(feed, body, upload, request.on_progress)
    if not ok then
      failure = err
      upload:abort(err)
    end
  end)
  local native_request = setmetatable({ body = upload }, { __index = request })
  local ok, status, headers, answer = pcall(exchange, native_request, client)
  if not ok or not request.streaming then
    feeder:cancel()
  end
  if not ok then
    error(failure or status, 0)
  end
  return status, headers, answer
end

return http_body
