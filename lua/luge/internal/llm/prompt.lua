-- Prompts: templates of messages. Filled in, they are prompt values: tables
-- with `messages`, which models take.

local json = require "luge.json"
local check = require "luge.internal.chain.check"
local message = require "luge.internal.llm.message"
local pack = require "luge.internal.chain.pack"
local runnable = require "luge.internal.chain.runnable"
local template = require "luge.internal.llm.template"

local Message = message.metatable
local prompt = {}

local roles = {
  system = "system", developer = "developer", user = "user", human = "user",
  assistant = "assistant", ai = "assistant", tool = "tool",
}

--- The role that a name stands for; raises `invalid` for others.
function prompt.role(name, where)
  local role = roles[name]
  if not role then
    check.invalid("%s: there is no role %s; roles: %s", where, check.describe(name),
      check.names(roles))
  end
  return role
end

-- Prompt values.

local Value = {}
Value.__index = Value
Value.__name = "luge.PromptValue"

--- A single message's text; of several, each with its role.
function Value.__tostring(self)
  local messages = self.messages
  if #messages == 1 then return message.text(messages[1]) end
  local lines = {}
  for i, item in ipairs(messages) do
    lines[i] = ("%s: %s"):format(item.role, message.text(item))
  end
  return table.concat(lines, "\n")
end

function Value.__pack(self)
  return "prompt", { messages = self.messages }
end

local function new_value(messages)
  return setmetatable({ messages = messages }, Value)
end

pack.register("prompt", function(fields) return new_value(fields.messages) end)

-- Slots: a list of messages in the middle of a prompt.

local Slot = {}
Slot.__index = Slot
Slot.__name = "luge.Slot"

function prompt.slot(name)
  check.argument("llm.slot", name, check.string)
  return setmetatable({ name = name }, Slot)
end

-- Parts of other types are for the server to judge.
local function check_part(part, where, i)
  if type(part) ~= "table" or type(part.type) ~= "string" then
    check.invalid("%s: part %d of the content is %s, takes { type=\"text\", text= } or %s", where,
      i, check.describe(part), "{ type=\"image\", url= | data= }")
  elseif part.type == "text" and type(part.text) ~= "string" then
    check.invalid("%s: part %d of the content has the text %s, takes a string", where, i,
      check.describe(part.text))
  elseif part.type == "image" and type(part.url or part.data) ~= "string" then
    check.invalid("%s: part %d of the content is an image without url or data", where, i)
  end
end

local function check_content(content, where)
  if type(content) == "string" then return end
  if type(content) ~= "table" then
    check.invalid("%s: the content is %s, takes a text or a list of parts", where,
      check.describe(content))
  end
  for i, part in ipairs(content) do check_part(part, where, i) end
end

--- A message from what a list of messages may hold: a Message, a table with
--- role and content, `{ role, content }`, or a text, which the user says.
function prompt.message(item, where)
  if type(item) == "string" then return message.new { role = "user", content = item } end
  if type(item) ~= "table" then
    check.invalid("%s: got %s, takes a message", where, check.describe(item))
  end
  if message.is(item) and roles[item.role] == item.role then return item end
  local made = {}
  for name, value in pairs(item) do
    if type(name) == "string" then made[name] = value end
  end
  made.role = prompt.role(item.role or item[1], where)
  made.content = item.content or item[2]
  if made.content == nil or made.content == json.null then
    if not made.tool_calls then check.invalid("%s: a message has no content", where) end
    made.content = ""
  end
  check_content(made.content, where)
  return message.new(made)
end

-- Compiled elements: function(values, messages) that appends.

local function note_all(variables, more)
  for name in pairs(more) do variables[name] = true end
end

local function compile_slot(slot, variables)
  local name = slot.name
  variables[name] = true
  return function(values, messages)
    local list = values[name]
    if type(list) == "table" and list.messages and not list[1] then
      local method = type(list.messages) == "function"
      list = method and list:messages() or list.messages
    end
    if type(list) ~= "table" then
      check.invalid("the prompt's slot '%s' is %s, takes a list of messages", name,
        check.describe(list))
    end
    for i, item in ipairs(list) do
      messages[#messages + 1] = prompt.message(item, ("slot '%s'[%d]"):format(name, i))
    end
  end
end

local function compile_part(part, variables)
  local fills = {}
  for name, value in pairs(part) do
    if type(value) == "string" and (name == "text" or name == "url") then
      local fill, names = template.compile(value)
      note_all(variables, names)
      fills[name] = fill
    end
  end
  return function(values)
    local made = {}
    for name, value in pairs(part) do
      made[name] = fills[name] and fills[name](values) or value
    end
    return made
  end
end

local function compile_content(content, where, variables)
  if type(content) == "string" then
    local fill, names = template.compile(content)
    note_all(variables, names)
    return fill
  elseif type(content) ~= "table" then
    check.invalid("%s: the content is %s, takes a template or a list of parts", where,
      check.describe(content))
  end
  local parts = {}
  for i, part in ipairs(content) do
    check.argument(where .. ": part " .. i, part, check.table)
    parts[i] = compile_part(part, variables)
  end
  return function(values)
    local made = {}
    for i, part in ipairs(parts) do made[i] = part(values) end
    return made
  end
end

local function compile_message(item, where, variables)
  local role = prompt.role(item.role or item[1], where)
  local fill = compile_content(item.content or item[2], where, variables)
  return function(values, messages)
    messages[#messages + 1] = setmetatable({ role = role, content = fill(values) }, Message)
  end
end

local function compile_element(item, where, variables)
  if getmetatable(item) == Slot then return compile_slot(item, variables) end
  if message.is(item) then
    return function(_, messages) messages[#messages + 1] = item end
  end
  if type(item) ~= "table" then
    check.invalid("%s: got %s, takes { role, template }, a Message or a slot", where,
      check.describe(item))
  end
  return compile_message(item, where, variables)
end

local function compile(source)
  if type(source) == "string" then source = { { "user", source } } end
  if type(source) ~= "table" or #source == 0 then
    check.invalid("llm.prompt: got %s, takes a template or a list of { role, template }",
      check.describe(source))
  end
  local elements, variables = {}, {}
  for i, item in ipairs(source) do
    elements[i] = compile_element(item, ("llm.prompt: element %d"):format(i), variables)
  end
  return elements, variables
end

--- What `llm.prompt` makes.
---@class luge.llm.Prompt: luge.Runnable
local Prompt = {}

-- A value that is no table serves a prompt of one variable.
local function values_of(self, input)
  if getmetatable(input) == nil and type(input) == "table" then return input end
  if self.only and input ~= nil then return { [self.only] = input } end
  if type(input) == "table" then return input end
  check.invalid("prompt: the input is %s, takes a table with %s", check.describe(input),
    check.names(self.variables))
end

local function with_preset(preset, values)
  local all = {}
  for name, value in pairs(preset) do all[name] = value end
  for name, value in pairs(values) do all[name] = value end
  return all
end

function Prompt:_invoke(input)
  local values = input
  if self.count > 0 then values = values_of(self, input) end
  if self.preset then
    values = with_preset(self.preset, type(values) == "table" and values or {})
  end
  local elements, messages = self.elements, {}
  for i = 1, #elements do elements[i](values, messages) end
  return new_value(messages)
end

--- A copy with variables set beforehand; a function among the values is called
--- each time. A name that is no variable of the prompt is `invalid`.
---@param values table<string, any>
---@return luge.llm.Prompt
function Prompt:partial(values)
  check.argument("partial", values, check.table)
  for name in pairs(values) do
    if not self.variables[name] then
      check.invalid("partial: the prompt has no variable '%s'; it takes %s", tostring(name),
        check.names(self.variables))
    end
  end
  return prompt.new(self.elements, self.variables, with_preset(self.preset or {}, values),
    self.source)
end

--- What tells it from other prompts; functions among its values do not.
function Prompt:_identity()
  local preset = {}
  for name, value in pairs(self.preset or {}) do
    if type(value) ~= "function" then preset[name] = value end
  end
  return { self.source, preset }
end

runnable.class("prompt", "prompt", Prompt)

function prompt.new(elements, variables, preset, source)
  local only, count = nil, 0
  for name in pairs(variables) do
    if not (preset and preset[name] ~= nil) then
      only, count = name, count + 1
    end
  end
  return runnable.new(Prompt, {
    elements = elements, variables = variables, preset = preset, source = source,
    only = count == 1 and only or nil, count = count,
  })
end

--- Makes a prompt of a template, for a user's message, or of a list.
function prompt.prompt(source)
  local elements, variables = compile(source)
  return prompt.new(elements, variables, nil, source)
end

--- The messages that a model is called with.
function prompt.messages(input)
  local metatable = getmetatable(input)
  if metatable == Value then return input.messages end
  if metatable == Message then return { input } end
  if type(input) == "string" then return { message.new { role = "user", content = input } } end
  if type(input) ~= "table" then
    check.invalid("a model's input is %s, takes a string, a prompt or { messages = {...} }",
      check.describe(input))
  end
  local is_one = input.role or #input == 2 and roles[input[1]]
  local list = input.messages or is_one and { input } or input
  if type(list) ~= "table" or #list == 0 then
    check.invalid("a model's input has no messages; takes a string, a prompt or %s",
      "{ messages = {...} }")
  end
  local messages = {}
  for i, item in ipairs(list) do
    messages[i] = prompt.message(item, ("messages[%d]"):format(i))
  end
  return messages
end

return prompt
