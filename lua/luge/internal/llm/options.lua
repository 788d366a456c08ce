-- The options of a model.

local check = require "luge.internal.chain.check"
local rate = require "luge.internal.llm.rate"
local tool = require "luge.internal.llm.tool"

local options = {}

local function stop(value)
  if type(value) == "string" or check.strings(value) == nil then return nil end
  return "a string or a list of strings"
end

local function temperature(value)
  return not (type(value) == "number" and value >= 0) and "a number of at least 0" or nil
end

local function headers(value)
  local ok = type(value) == "table"
  for name, content in pairs(ok and value or {}) do
    local kind = type(content)
    ok = ok and type(name) == "string" and (kind == "string" or kind == "number")
  end
  return not ok and "a table of names and texts" or nil
end

-- What may change from call to call.
options.call = {
  temperature = temperature,
  max_tokens = check.count,
  stop = stop,
  seed = function(value) return math.type(value) ~= "integer" and "an integer" or nil end,
  tools = tool.check_list,
  tool_choice = check.string,
  response_format = check.table,
  timeout = check.seconds,
  deadline = check.seconds,
  max_retries = check.natural,
  concurrency = check.count,
  rate = rate.check,
  extra = check.table,
  end_mark = check.boolean,
}

--- Options that say how it is called, not what it answers.
options.of_calls = { official = true, timeout = true, deadline = true, max_retries = true,
  concurrency = true, rate = true, end_mark = true }

-- And where it is.
options.model = {
  provider = check.string, model = check.string, base_url = check.string,
  api_key = check.string, headers = headers,
}
for name, validator in pairs(options.call) do options.model[name] = validator end

local function union(a, b)
  local all = {}
  for name, value in pairs(a) do all[name] = value end
  for name, value in pairs(b) do all[name] = value end
  return all
end

options.union = union

-- Empty lists say nothing, and servers refuse them.
local function without_empty_lists(set)
  for _, name in ipairs { "tools", "stop" } do
    if type(set[name]) == "table" and next(set[name]) == nil then set[name] = nil end
  end
end

--- Refuses options that the format has no form for, and a choice of a tool that
--- is not there.
function options.check_format(format, set)
  without_empty_lists(set)
  for name in pairs(format.refuses or {}) do
    if set[name] ~= nil then
      check.invalid("llm.model: %s takes no option '%s'", format.name, name)
    end
  end
  local choice = set.tool_choice
  if choice and not set.tools then
    check.invalid("llm.model: the option tool_choice needs the option tools")
  end
  if choice and choice ~= "auto" and choice ~= "none" and choice ~= "required" then
    for _, one in ipairs(set.tools) do
      if one.name == choice then return end
    end
    check.invalid("llm.model: tool_choice is '%s', takes auto, none, required, or a tool's name",
      choice)
  end
end

return options
