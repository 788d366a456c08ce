-- Providers: where a model is, what format it speaks, and where its key is.

local check = require "luge.internal.chain.check"
local tasks = require "luge.native.task"
local environment = require "luge.internal.environment"

local providers = {}

local known = {
  openai = {
    format = "openai", key = "OPENAI_API_KEY", base = "OPENAI_BASE_URL",
    url = "https://api.openai.com/v1",
  },
  anthropic = {
    format = "anthropic", key = "ANTHROPIC_API_KEY", base = "ANTHROPIC_BASE_URL",
    url = "https://api.anthropic.com",
  },
  ollama = { format = "ollama", base = "OLLAMA_HOST", url = "http://127.0.0.1:11434" },
  demo = { format = "openai" },
}

local function unknown(name)
  check.invalid("llm.model: there is no provider '%s'; providers: %s", name,
    check.names(known))
end

--- The provider and the model that "provider:model" names.
function providers.split(name)
  if name == "demo" then return "demo", "demo" end
  local provider, model = name:match("^([^:]*):(.*)$")
  if not provider then
    check.invalid("llm.model: '%s' names no provider: write \"provider:model\", with one of %s",
      name, check.names(known))
  end
  if not known[provider] then unknown(provider) end
  if model == "" then check.invalid("llm.model: '%s' names no model", name) end
  return provider, model
end

function providers.check(name)
  if not known[name] then unknown(name) end
  return name
end

--- The module of a provider's format.
function providers.format(name)
  return require("luge.internal.llm." .. known[name].format)
end

local function from_environment(variable)
  local value = variable and os.getenv(variable)
  return value ~= "" and value or nil
end

local function optional(variable)
  local value = variable and environment.try(variable)
  return value ~= "" and value or nil
end

-- OLLAMA_HOST may be no more than a host, or a port.
local function complete_url(url)
  if url:match("^https?://") then return url end
  if url:match("^:%d+$") then url = "127.0.0.1" .. url end
  if not url:match(":%d+$") then url = url .. ":11434" end
  return "http://" .. url:gsub("^0%.0%.0%.0:", "127.0.0.1:")
end

--- The base URL, and whether it is the provider's own.
function providers.base_url(name, option)
  local provider = known[name]
  local url = option or optional(provider.base) or provider.url
  if name == "ollama" then url = complete_url(url) end
  return (url:gsub("/+$", "")), url == provider.url
end

--- The key: an option, or from the environment. Raises if one is needed, but
--- not for servers that an option names without a provider.
function providers.key(name, option, needed)
  if option and option ~= "" then return option end
  local variable = known[name].key
  local key = needed and from_environment(variable)
  if key or not (needed and variable) then return key end
  error(tasks.error {
    kind = "llm", code = "auth", provider = name,
    message = ("there is no key for %s: set the environment variable %s, or the option api_key")
      :format(name, variable),
  })
end

return providers
