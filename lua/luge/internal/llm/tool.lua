-- Tools: functions that a model may call, with a schema for their arguments.

local json = require "luge.json"
local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local message = require "luge.internal.llm.message"
local runnable = require "luge.internal.chain.runnable"

local tool = {}

--- What `llm.tool` makes.
---@class luge.llm.Tool: luge.Runnable
local Tool = {}

local known = {
  name = function(value)
    local ok = type(value) == "string" and #value <= 64 and value:match("^[%w_-]+$")
    return not ok and "up to 64 letters, digits, - and _" or nil
  end,
  description = check.string,
  parameters = check.table,
  run = check.callable,
  timeout = check.seconds,
}

local function is_call(input)
  return type(input) == "table" and input.arguments_text ~= nil
end

local function fail(self, err)
  if tasks.is_error(err) then error(err, 0) end
  error(tasks.error {
    kind = "tool", tool = self.name, cause = err,
    message = ("the tool %s failed: %s"):format(self.name, tostring(err)),
  }, 0)
end

-- Arguments that are no JSON object, or do not fit, never reach the function.
local function checked_arguments(self, input)
  local arguments = input
  if is_call(input) then
    if input.error then error(input.error, 0) end
    arguments = input.arguments
  end
  if type(arguments) ~= "table" then
    error(tasks.error {
      kind = "schema", path = "", expected = "object", value = arguments, tool = self.name,
      message = ("the arguments of the tool %s are %s, not an object"):format(self.name,
        check.describe(arguments)),
    })
  end
  if self.schema then self.schema:check(arguments) end
  return arguments
end

--- Runs the tool on a table of arguments, which are checked, or on a tool call
--- of a message.
function Tool:_invoke(input)
  local arguments = checked_arguments(self, input)
  local ok, output
  if self.seconds then
    ok, output = pcall(tasks.timeout, self.seconds, self.run, arguments)
  else
    ok, output = pcall(self.run, arguments)
  end
  if not ok then fail(self, output) end
  return output
end

--- Runs a tool call of a Message; the Message that tells the model what it gave.
--- Waits, and raises, as the tool does.
---@param call luge.llm.ToolCall
---@return luge.llm.Message
function Tool:answer(call)
  local output = self:invoke(call)
  local text = output
  if type(output) ~= "string" then
    text = output == nil and "null" or json.encode(output)
  end
  return message.new {
    role = "tool", tool_call_id = call.id, name = self.name, content = text,
  }
end

runnable.class("tool", "tool", Tool)

local EMPTY = { type = "object", properties = json.object() }

--- Makes a tool.
function tool.tool(options)
  check.options("llm.tool", options, known)
  for _, needed in ipairs { "name", "run" } do
    if options[needed] == nil then
      check.invalid("llm.tool: the option '%s' is missing", needed)
    end
  end
  return runnable.new(Tool, {
    name = options.name, _name = options.name, description = options.description,
    parameters = options.parameters or EMPTY, run = options.run,
    seconds = options.timeout,
    schema = options.parameters and json.schema(options.parameters),
  })
end

function tool.is(value)
  return getmetatable(value) == Tool._metatable
end

--- The validator of the option `tools`.
function tool.check_list(list)
  if type(list) ~= "table" then return "a list of tools" end
  for _, one in ipairs(list) do
    if type(one) ~= "table" or type(one.name) ~= "string" or type(one.parameters) ~= "table" then
      return "a list of tools, as llm.tool makes them"
    end
  end
end

return tool
