--- Environment variables, and dotenv files with them.
--
-- What is loaded belongs to the host: `env.get`, `os.getenv` and the processes
-- that scripts start see it; the environment of this process, which its
-- embedder and other threads read too, stays as it is.

local dotenv = require "luge.internal.dotenv"
local environment = require "luge.internal.environment"
local check = require "luge.internal.check"
local tasks = require "luge.native.task"

---@class luge.env
local env = {}

local LIMIT <const> = 1 << 20

local options_known = { override = "boolean" }

-- A variable that is set already stays, unless `override` says otherwise; also
-- where ${NAME} stands for it.
local function apply(text, name, override)
  local values = {}
  local function lookup(key)
    local set = environment.get(key)
    if override or set == nil then
      return values[key] or set
    end
    return set
  end
  dotenv.parse(text, name, lookup, function(key, value)
    values[key] = value
  end)
  for key, value in next, values do
    if value:find("\0", 1, true) then
      check.fail("the variable %s of %s has a zero byte", key, name)
    elseif override or environment.get(key) == nil then
      environment.set(key, value)
    end
  end
  return values
end

local function read(path)
  local ok, text = pcall(require("luge.fs").read, path or ".env", { limit = LIMIT })
  if ok then
    return text
  elseif path == nil and tasks.is_error(text, "io") and text.errno == "ENOENT" then
    return nil
  end
  error(text, 0)
end

--- Loads a dotenv file, and returns its variables. Variables that are set
--- already keep their value unless `override` is true. Without a path: ".env",
--- if there is one. Waits.
---
---     # a comment
---     export NAME=value          # quotes are not needed
---     HOST='as it is, $ too'     KEY=`it's "so"`
---     URL="http://${HOST}:${PORT:-80}/\n"
---
--- Quoted values may have several lines. `${X}` is another variable, "" if it
--- is unset; `${X:-y}` is y if it is unset or empty, `${X-y}` if it is unset;
--- `\$` is a dollar. Escapes (`\n \r \t \" \\`) are those of double quotes.
---
--- Raises `parse`, with `line`, and loads nothing; `io`; `limit` beyond 1 MiB.
---@param path? string
---@param options? { override?: boolean }
---@return table<string, string>
function env.load(path, options)
  if path ~= nil then
    check.argument("load", 1, path, "string")
  end
  options = check.options("load", options, options_known)
  local text = read(path)
  return text and apply(text, path or ".env", options.override == true) or {}
end

--- The value of a variable, or `default`.
---@param name string
---@param default? any
---@return string|any
function env.get(name, default)
  check.argument("get", 1, name, "string")
  local value = environment.get(name)
  if value == nil then
    return default
  end
  return value
end

--- The values of variables, which must all be set, and not empty.
---
--- Raises `invalid`, which names all that are missing, also in `names`.
---@param ... string
---@return string ...
function env.require(...)
  local values, missing = table.pack(...), {}
  for i = 1, values.n do
    local name = check.argument("require", i, values[i], "string")
    values[i] = environment.get(name)
    if values[i] == nil or values[i] == "" then
      missing[#missing + 1] = name
    end
  end
  if #missing > 0 then
    error(tasks.error {
      kind = "invalid",
      message = ("not set in the environment: %s"):format(table.concat(missing, ", ")),
      names = missing,
    }, 0)
  end
  return table.unpack(values, 1, values.n)
end

return env
