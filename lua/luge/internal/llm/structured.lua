-- `model:structured(schema)`: answers as tables that fit a schema. What does
-- not parse or fit goes back to the model with what is wrong with it.

local json = require "luge.json"
local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local failure = require "luge.internal.llm.failure"
local message = require "luge.internal.llm.message"
local model = require "luge.internal.llm.model"
local parser = require "luge.internal.llm.json_parser"
local prompt = require "luge.internal.llm.prompt"
local runnable = require "luge.internal.chain.runnable"
local wire_schema = require "luge.internal.llm.wire_schema"

local Structured = {}

local NAME = "answer" -- of the schema, and of the tool that stands for it

local function name_of(schema)
  local title = type(schema) == "table" and schema.title
  if type(title) ~= "string" then return NAME end
  title = title:gsub("[^%w_-]+", "_"):sub(1, 64)
  return title ~= "" and title or NAME
end

-- The model with the schema in its format; a format that has no place for one
-- is told to call a tool whose arguments are the answer.
local function asking(self, schema)
  local name = name_of(schema)
  schema = wire_schema.is_of_objects(schema) and wire_schema.of(schema)
    or wire_schema.wrapped(schema, NAME)
  if self.format.structured then
    return self:bind { response_format = self.format.structured(schema, name) }
  end
  return self:bind {
    tools = { { name = name, description = "Give the answer.", parameters = schema } },
    tool_choice = name,
  }, name
end

local function read_value(self, answer)
  for _, call in ipairs(self.tool and answer.tool_calls or {}) do
    if call.name == self.tool then
      if call.error then error(call.error, 0) end
      return call.arguments
    end
  end
  return self.parser:_invoke(answer)
end

local function value_of(self, answer)
  local value = read_value(self, answer)
  if self.wraps and type(value) == "table" and value[NAME] ~= nil then value = value[NAME] end
  return self.schema:check(value)
end

local function is_mendable(err)
  return tasks.is_error(err, "parse") or tasks.is_error(err, "schema")
end

local function complaint(err)
  return message.new { role = "user", content =
    ("That is not usable: %s. Answer again, with nothing but JSON that fits the schema.")
      :format(err.message) }
end

-- The messages that remind the model of its answer; after a call the format
-- wants a result.
local function reminder(answer, err)
  local calls = answer.tool_calls
  if not calls then return { answer, complaint(err) } end
  local messages = { answer }
  for _, call in ipairs(calls) do
    messages[#messages + 1] = message.new { role = "tool", tool_call_id = call.id,
      name = call.name, content = complaint(err).content }
  end
  return messages
end

function Structured:_invoke(input, run)
  local messages = table.move(prompt.messages(input), 1, #prompt.messages(input), 1, {})
  for attempt = 0, self.repairs do
    local answer = runnable.call(self.inner, { messages = messages }, run)
    failure.check_usable(self.inner, answer)
    local ok, value = pcall(value_of, self, answer)
    if ok then return value end
    if not is_mendable(value) or attempt == self.repairs then
      value.answer = answer
      error(value, 0)
    end
    local more = reminder(answer, value)
    table.move(more, 1, #more, #messages + 1, messages)
  end
end

function Structured:_children()
  return { self.inner }
end

runnable.class("structured", "chain", Structured)

local known = { repairs = check.natural }

return function(self, schema, options)
  if not model.is(self) then
    check.invalid("structured: '%s' is no model", self._label)
  end
  check.argument("structured", schema, check.table)
  options = check.options("structured", options or {}, known)
  local checked = json.schema(schema)
  local inner, tool = asking(self, schema)
  return runnable.new(Structured, {
    inner = inner, tool = tool, schema = checked, parser = parser(),
    wraps = not wire_schema.is_of_objects(schema),
    repairs = options.repairs or 2, _name = self._name,
  })
end
