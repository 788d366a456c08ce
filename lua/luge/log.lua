--- Logging: a message, and fields of any names with it.
--
-- A record is handed to the host, which decides where it goes. The command
-- writes it to standard error: a line of text if that is a terminal, a line of
-- JSON elsewhere. Nothing here waits. Fields are written as they are: secrets
-- are the caller's to leave out.

local native = require "luge.native.log"
local check = require "luge.internal.check"
local environment = require "luge.internal.environment"
local format = require "luge.internal.log_format"

---@class luge.log: luge.Logger
local log = {}

local levels = { debug = 1, info = 2, warn = 3, error = 4, off = 5 }

local threshold

local function check_level(name, what)
  if not levels[name] then
    check.fail("%s: got %s, takes \"debug\", \"info\", \"warn\", \"error\" or \"off\"", what,
      check.describe(name))
  end
  return levels[name]
end

-- LUGE_LOG is looked at when something is first logged, so that a dotenv file
-- can set it.
local function current_threshold()
  if not threshold then
    local name = environment.try "LUGE_LOG"
    threshold = check_level(name and name ~= "" and name:lower() or "info",
      "the environment variable LUGE_LOG")
  end
  return threshold
end

local function merge(inherited, fields)
  if not inherited then
    return fields
  end
  local merged = {}
  for name, value in next, inherited do
    merged[name] = value
  end
  for name, value in next, fields or {} do
    merged[name] = value
  end
  return merged
end

local function check_fields(name, position, fields)
  if fields ~= nil then
    check.argument(name, position, fields, "table")
  end
  return fields
end

local function writer(level, inherited)
  local rank = levels[level]
  return function(message, fields)
    check_fields(level, 2, fields)
    if rank >= current_threshold() then
      local text, json = format(level, message, merge(inherited, fields))
      native.record(level, text, json)
    end
  end
end

--- The functions of `luge.log`, and of what its `with` makes. They take no
--- `self`. A message is made a text by `tostring`. A field's value is a string, a
--- number, a boolean, an error, or a table that JSON has a form for; anything
--- else is made a text, too.
---@class luge.Logger
---@field debug fun(message: any, fields?: table)
---@field info fun(message: any, fields?: table)
---@field warn fun(message: any, fields?: table)
---@field error fun(message: any, fields?: table)
--- A logger whose records all have these fields; a record's own come before.
---@field with fun(fields: table): luge.Logger

local function logger(into, inherited)
  into.debug = writer("debug", inherited)
  into.info = writer("info", inherited)
  into.warn = writer("warn", inherited)
  into.error = writer("error", inherited)
  function into.with(fields)
    check.argument("with", 1, fields, "table")
    local copy = {}
    for name, value in next, merge(inherited, fields) do
      copy[name] = value
    end
    return logger({}, copy)
  end
  return into
end

logger(log)

--- The least level that is logged: "debug", "info" (the default), "warn",
--- "error", or "off". The variable LUGE_LOG sets it too. Returns the one before.
---@param name? string
---@return string
function log.level(name)
  local before = current_threshold()
  if name ~= nil then
    threshold = check_level(name, "bad argument #1 to 'level'")
  end
  for level, rank in next, levels do
    if rank == before then
      return level
    end
  end
end

return log
