-- What a model's requests are sent to: its URL, headers and key, and what errors
-- say of it. It is in a table of this module's, not in the Runnable, so that no
-- dump of one shows a key.

local lane = require "luge.internal.llm.lane"
local providers = require "luge.internal.llm.providers"

local targets = {}

-- Model -> its target.
local known = setmetatable({}, { __mode = "k" })

--- A URL without user, password and query.
function targets.shown_url(url)
  return (url:gsub("^(%a+://)[^/@]*@", "%1"):gsub("%?.*", "?..."))
end

--- A path below a base URL, which may have a query of its own.
function targets.url(base, path)
  local before, query = base:match("^([^?]*)(.*)$")
  return before:gsub("/+$", "") .. path .. query
end

local function headers_of(self, format, key)
  local headers = { ["Content-Type"] = "application/json" }
  for name, value in pairs(format.headers(key)) do headers[name] = value end
  for name, value in pairs(self.location.headers or {}) do headers[name] = value end
  return headers
end

local secret_names = { "key", "token", "secret", "^authorization$" }

-- The texts that no error may show: the key, and headers that hold one.
local function secrets_of(self, key)
  local secrets = { key or nil }
  for name, value in pairs(self.location.headers or {}) do
    for _, pattern in ipairs(secret_names) do
      if tostring(name):lower():find(pattern) then secrets[#secrets + 1] = tostring(value) end
    end
  end
  return secrets
end

local function new(self, base)
  local location, format = self.location, self.format
  local key = providers.key(self.provider, location.key(), not location.anonymous)
  local url = targets.url(base, format.path)
  return {
    base = base, url = url, shown_url = targets.shown_url(url), secrets = secrets_of(self, key),
    headers = headers_of(self, format, key), format = format,
    provider = self.provider, model = self.settings.model, name = self._name,
    end_mark = self.settings.end_mark, lane = lane.of(base, self.settings.model),
  }
end

--- The target of a model, found at the first call: only then is a key needed. The
--- demo model may have moved since.
function targets.of(self)
  local target = known[self]
  if self.provider == "demo" then
    local base = require("luge.internal.llm.demo").base_url()
    if target and target.base == base then return target end
    target = new(self, base)
  elseif target then
    return target
  else
    target = new(self, (providers.base_url(self.provider, self.location.base_url)))
  end
  known[self] = target
  return target
end

return targets
