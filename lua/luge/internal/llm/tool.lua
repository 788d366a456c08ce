-- Tools: functions that a model may call, with a schema for their arguments.

local json = require "luge.json"
local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local message = require "luge.internal.llm.message"
local runnable = require "luge.internal.chain.runnable"
local wire_schema = require "luge.internal.llm.wire_schema"

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
  parameters = function(value)
    local ok = type(value) == "table" and (value.type == "object"
      or value.type == nil and (type(value.properties) == "table" or next(value) == nil))
    return not ok and "a JSON Schema: { type = \"object\", properties = {...} }" or nil
  end,
  run = check.callable,
  timeout = check.seconds,
}

-- A call of a message, or one like it: it names the tool.
local function is_call(self, input)
  if type(input) ~= "table" then return false end
  return input.arguments_text ~= nil
    or input.name == self.name and type(input.arguments) == "table"
end

--- An error, or a reason, of any type in words.
local function in_words(err)
  local metatable = getmetatable(err)
  if type(err) ~= "table" or type(metatable) == "table" and metatable.__tostring then
    return tostring(err)
  end
  local ok, text = pcall(json.encode, err, { sort_keys = true })
  return ok and text or "a table"
end

tool.in_words = in_words

local function fail(self, err)
  if tasks.is_error(err) then error(err, 0) end
  error(tasks.error {
    kind = "tool", tool = self.name, cause = err,
    message = ("the tool %s failed: %s"):format(self.name, in_words(err)),
  }, 0)
end

--- The arguments of a call, or those given as they are. Raises for what is no
--- JSON object or does not fit: that never reaches the function.
function tool.arguments(self, input)
  local arguments = input
  if is_call(self, input) then
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
  local arguments = tool.arguments(self, input)
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
  runnable.check_self(self, "answer")
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

-- As providers want it: of an object, with its properties.
local function complete(parameters)
  local made = wire_schema.of(parameters or {})
  made.type = "object"
  made.properties = made.properties or json.object()
  return made
end

--- Makes a tool.
function tool.tool(options)
  check.options("llm.tool", options, known)
  for _, needed in ipairs { "name", "run" } do
    if options[needed] == nil then
      check.invalid("llm.tool: the option '%s' is missing", needed)
    end
  end
  local schema = options.parameters and json.schema(options.parameters)
  return runnable.new(Tool, {
    name = options.name, _name = options.name, description = options.description,
    parameters = complete(options.parameters), run = options.run,
    seconds = options.timeout, schema = schema,
  })
end

function tool.is(value)
  return getmetatable(value) == Tool._metatable
end

--- The validator of the option `tools`.
function tool.check_list(list)
  if check.plain_list(list) then return "a list of tools" end
  for _, one in ipairs(list) do
    if type(one) ~= "table" or type(one.name) ~= "string" or type(one.parameters) ~= "table" then
      return "a list of tools, as llm.tool makes them"
    end
  end
end

return tool
