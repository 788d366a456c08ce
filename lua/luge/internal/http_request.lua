-- What a handler of http.server gets: the head of a request, taken apart, and
-- its body, read when it is asked for.
local tasks = require "luge.native.task"
local check = require "luge.internal.check"
local headers = require "luge.internal.http_headers"
local targets = require "luge.internal.http_target"

local FORM = "application/x-www-form-urlencoded"

---A request that a handler is called with.
---@class luge.http.ServerRequest
---@field method string in upper case
---@field path string percent-decoded, without the query
---@field target string the path and the query as they came
---@field query table<string, string> the first value of each name
---@field query_list string[][] every `{ name, value }`, in their order
---@field headers table<string, string> case-insensitive; `:all(name)` lists
---@field params table<string, string> of the route
local Request = {}
Request.__index = Request
Request.__name = "luge.http.ServerRequest"

-- Raises for methods that are only planned.
setmetatable(Request, {
  __index = function(_, name)
    if name == "upgrade" then
      error(tasks.error {
        kind = "invalid",
        message = "req:upgrade is planned, and not there yet",
      }, 0)
    end
  end,
})

local function check_own(self, method)
  if not self then check.own(self, Request, "req", method) end
end

-- The key of a request's native half.
local NATIVE = {}

---Iterates over the body's pieces as they come. Waits. Raises `limit` beyond
---the server's max_body, `timeout` when nothing comes for its idle_timeout.
---@return fun(): string? iterator
function Request:chunks()
  check_own(self, "chunks")
  local request = self[NATIVE]
  return function() return request:read() end
end

---The whole body, or what `chunks` has left of it. Waits, and raises, as
---`chunks`; called again after that, it goes on.
---@return string
function Request:text()
  check_own(self, "text")
  if not self.body_text then
    local pieces = self.body_pieces -- of a call that was cut off, or still reads
    for piece in self:chunks() do pieces[#pieces + 1] = piece end
    self.body_text, self.body_pieces = table.concat(pieces), nil
  end
  return self.body_text
end

---The body, decoded from JSON. Waits, and raises, as `chunks`; `parse` for what
---is no JSON: if the handler lets it pass, the answer is 400.
---@return any
function Request:json()
  check_own(self, "json")
  local ok, value = pcall(require "luge.json".decode, self:text())
  if ok then return value end
  if tasks.is_error(value, "parse") then value.answer = 400 end
  error(value, 0)
end

-- Raises `parse` with the status that is answered if the handler lets it pass.
local function refuse_form(status, message)
  error(tasks.error { kind = "parse", message = message, answer = status }, 0)
end

---The fields of a form that a page has posted, decoded. Waits, and raises, as
---`chunks`; `parse` for a body that is none: if the handler lets it pass, the
---answer is 400, or 415 for another Content-Type, such as a multipart form's.
---@return table<string, string> # the first value of each name
---@return string[][] # every `{ name, value }`, in their order
function Request:form()
  check_own(self, "form")
  local media = self.headers["content-type"]
  if media and media:lower():match "^[^;%s]*" ~= FORM then
    refuse_form(415, ("the body is %s, not %s"):format(check.describe(media), FORM))
  end
  local fields, list = targets.query(self:text())
  if not fields then refuse_form(400, "malformed form") end
  return fields, list
end

-- A Request; or nil and the status to answer at once, without a handler.
local function new(request, method, target, fields, repeated)
  local path, query_text, host = targets.split(target)
  local decoded = path and targets.decode(path)
  local query, query_list = {}, {}
  if query_text then query, query_list = targets.query(query_text) end
  if method == "CONNECT" then return nil, 501 end
  if not decoded or not query then return nil, 400 end
  if path == "*" and method ~= "OPTIONS" then return nil, 400 end
  if host then fields.host = host end -- RFC 9112, section 3.2.2
  return setmetatable({
    method = method,
    path = decoded,
    target = target,
    query = query,
    query_list = query_list,
    headers = headers.new(fields, repeated),
    params = {},
    body_pieces = {},
    [NATIVE] = request,
  }, Request), path
end

return { new = new }
