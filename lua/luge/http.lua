--- HTTP: a client on libcurl, and a server.
--
-- The functions of the module use one client, which keeps connections open and
-- shares them, without cookies; `http.client` makes others. Nothing is retried
-- in secret, save an idempotent request on a kept connection that died before
-- any byte of its answer.
--
-- https://www.rfc-editor.org/rfc/rfc9110

local session = require "luge.internal.http_session"

---@class luge.http
local http = {}

local shared

local function client()
  if not shared then
    shared = session.new { cookies = false }
  end
  return shared
end

---@param options luge.http.Request
---@return luge.http.Response
function http.request(options)
  return (shared or client()):request(options)
end

for _, name in ipairs { "get", "head", "post", "put", "patch", "delete" } do
  local method = session.Client[name]
  http[name] = function(url, options)
    return method(shared or client(), url, options)
  end
end

function http.client(options)
  return session.new(options or {})
end

local lazy = { server = "luge.internal.http_server" }

return setmetatable(http, {
  __index = function(self, name)
    local module = lazy[name]
    if module then
      local value = require(module)
      self[name] = value
      return value
    end
  end,
})
