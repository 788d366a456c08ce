-- http.download: a body into a file. What breaks off is resumed where it broke
-- off, if the server says by its validators that the file is still the same
-- (RFC 9110, 13.1.5 and 14); if not, it is begun again.
local native = require "luge.native.task"
local mask = require("luge.native.http_client").mask
local progress = require "luge.internal.progress"
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local fs = require "luge.fs"

local pcall, error = pcall, error

local open_file = require("luge.native.fs").open
local new_file = require("luge.internal.fs_file").new

-- How many attempts in a row may bring no byte; seconds before the second one.
local ATTEMPTS <const>, DELAY <const> = 5, 0.2

local Download = {}
Download.__index = Download

-- A weak ETag says nothing about the bytes; nor does a file changed in the very
-- second of the answer, since it may change again in it.
local function validator(headers)
  local etag, modified = headers.etag, headers["last-modified"]
  if etag then
    return etag:sub(1, 1) == '"' and etag or nil
  end
  return modified ~= headers.date and modified or nil
end

-- Whether the part belongs to the same file as those before: some servers know
-- Range but not If-Range.
local function is_same(headers, known)
  if known:sub(1, 1) == '"' then
    return headers.etag == known
  end
  return headers["last-modified"] == known or headers["last-modified"] == nil
end

local function refuse(response, kind, message, fields)
  response:close()
  local err = native.error {
    kind = kind, url = mask(response.url), message = mask(response.url) .. ": " .. message,
  }
  for name, value in next, fields do
    err[name] = value
  end
  error(err, 0)
end

-- Asks for the file as it is stored: ranges count its bytes, not those of an
-- encoding.
function Download:request()
  local options, headers = {}, { ["Accept-Encoding"] = "identity" }
  for name, value in next, self.options do
    options[name] = value
  end
  for name, value in next, self.options.headers or {} do
    headers[name] = value
  end
  if self.size > 0 and self.validator then
    headers.Range, headers["If-Range"] = ("bytes=%d-"):format(self.size), self.validator
  end
  options.headers, options.stream = headers, true
  return self.client:get(self.url, options)
end

-- From the first byte, in an empty file.
function Download:begin()
  if self.size > 0 then
    self.file:close()
    self.file = fs.open(self.temporary, "w")
    self.size = 0
  end
end

-- The next attempt begins again.
function Download:forget()
  self.validator = nil
end

function Download:accept_part(response)
  local headers = response.headers
  local first, total = (headers["content-range"] or ""):match "^bytes (%d+)%-%d+/([%d*]+)$"
  if not first or tonumber(first) ~= self.size or not self.validator then
    refuse(response, "network", "the server sent another part than was asked for",
      { code = "protocol", retryable = false })
  end
  total = math.tointeger(tonumber(total)) or self.total
  if not is_same(headers, self.validator) or (self.total and total ~= self.total) then
    self:forget()
    refuse(response, "truncated", "the file has changed", {})
  end
  self.total = total
  self.resumed = self.resumed + 1
end

-- Notes what the answer says. If it is the whole file and not a part, begins
-- again.
function Download:accept(response)
  if response.status == 206 then
    return self:accept_part(response)
  end
  local headers = response.headers
  self:begin()
  self.total = math.tointeger(tonumber(headers["content-length"]))
  self.validator = validator(headers)
end

function Download:tell()
  if self.on_progress then
    self.on_progress { received = self.size, total = self.total }
  end
  if self.bar then
    self.bar.total, self.bar.done = self.total, self.size - 1
    self.bar:step()
  end
end

-- One attempt: the response, once its body is in the file.
function Download:attempt()
  local response <close> = self:request()
  if response.status == 416 and self.size > 0 then -- it has become shorter
    self:forget()
    refuse(response, "truncated", "the file has changed", {})
  end
  response:raise_for_status()
  if not response:ok() then -- 304, say: there is no file in it
    refuse(response, "http", ("answered with status %d"):format(response.status),
      { status = response.status, headers = response.headers, retryable = false })
  end
  self:accept(response)
  for piece in response:chunks() do
    self.file:write(piece)
    self.size, self.failures = self.size + #piece, 0
    self:tell()
  end
  if self.total and self.size < self.total then -- only a part of what was asked for came
    refuse(response, "truncated", "the server sent less than the file", {})
  end
  return response
end

-- An answer with an error status did not break off.
local function is_broken(err)
  return native.is_error(err) and err.retryable and err.kind ~= "http"
end

function Download:run()
  while true do
    local ok, result = pcall(self.attempt, self)
    if ok then
      return result
    end
    self.failures = self.failures + 1
    if not is_broken(result) or self.failures >= ATTEMPTS then
      error(result, 0)
    end
    native.sleep(DELAY * 2 ^ (self.failures - 1))
  end
end

-- Keeps the file, whole, under its name.
function Download:finish(response)
  self.file:close()
  fs.rename(self.temporary, self.path)
  self.done = true
  return {
    path = self.path, size = self.size, resumed = self.resumed,
    status = response.status, headers = response.headers, url = response.url,
  }
end

function Download:__close()
  if not self.done then
    closing(self.file.close, self.file)
    os.remove(self.temporary)
  end
end

-- Its temporary file, whose name is never the same again: what would allow it is
-- the directory.
local function create(temporary, mode)
  local ok, result = pcall(open_file, temporary, "wx", mode)
  if ok then
    return new_file(result)
  end
  if native.is_error(result, "permission") then
    result.message = result.message:gsub("/[^/]+ allows it$", " allows it")
  end
  error(result, 0)
end

-- Parts are asked for by the download itself, which has to know where they are.
local function check_headers(headers)
  for name in next, headers or {} do
    if type(name) == "string" and (name:lower() == "range" or name:lower() == "if-range") then
      check.fail("'download' takes no header '%s': it asks for parts by itself", name)
    end
  end
end

-- The mode of a new file, or of the one whose place it takes: what only some
-- could read stays so. Raises where that is no file, such as /dev/null.
local function mode_of(path)
  local ok, stat = pcall(fs.stat, path)
  if not ok then
    return 438 -- 0666
  elseif stat.type ~= "file" then
    error(native.error {
      kind = "io", path = path, message = ("cannot replace %s: it is a %s"):format(path, stat.type),
    }, 0)
  end
  return stat.mode & 511 | 128 -- its owner writes it, now
end

local function option_of(options)
  local request = {}
  for name, value in next, options do
    request[name] = value
  end
  request.progress, request.on_progress = nil, nil
  return request
end

return function(client, url, path, options)
  options = options or {}
  check.argument("download", 2, path, "string")
  if path == "" then
    check.bad_argument("download", 2, path, "a path")
  end
  check.options("download", options, setmetatable({
    progress = "boolean", on_progress = "function",
  }, { __index = function() return true end }))
  check_headers(options.headers)
  local temporary = ("%s.%08x.part"):format(path, math.random(0) & 0xffffffff)
  local download <close> = setmetatable({
    client = client, url = url, path = path, temporary = temporary,
    file = create(temporary, mode_of(path)),
    options = option_of(options), on_progress = options.on_progress,
    size = 0, resumed = 0, failures = 0,
  }, Download)
  local bar <close> = options.progress and progress.new() or nil
  download.bar = bar
  return download:finish(download:run())
end
