-- Agents: a model that calls tools until it has an answer.

local json = require "luge.json"
local tasks = require "luge.native.task"
local agent_tools = require "luge.internal.llm.agent_tools"
local check = require "luge.internal.chain.check"
local failure = require "luge.internal.llm.failure"
local message = require "luge.internal.llm.message"
local model = require "luge.internal.llm.model"
local pack = require "luge.internal.chain.pack"
local parser = require "luge.internal.llm.json_parser"
local producer = require "luge.internal.chain.producer"
local prompt = require "luge.internal.llm.prompt"
local runnable = require "luge.internal.chain.runnable"
local usage = require "luge.internal.llm.usage"
local wire_schema = require "luge.internal.llm.wire_schema"

--- What a run of an agent gives.
---@class luge.llm.Result
---@field output any a text, or with `output` the table that was checked
---@field messages luge.llm.Message[] all of them; they may be the input of the next run
---@field usage luge.llm.Usage of all turns, and of the models that tools call
---@field turns integer calls of models
---@field agent luge.llm.Agent the one that answered, after handoffs; from a cache, its name

--- What `llm.agent` makes.
---@class luge.llm.Agent: luge.Runnable
local Agent = {}

-- How often an answer that does not fit the schema is asked for again.
local REPAIRS = 2

local function is_agent(value)
  return getmetatable(value) == Agent._metatable
end

-- Whether the format has a place for this schema of outputs.
local function has_place(base, output)
  return base.format.structured and wire_schema.is_of_objects(output)
end

-- The model with the tools, and with the schema if its format takes one.
local function asking(base, set, output)
  local options = { tools = #set.list > 0 and set.list or nil }
  if output and has_place(base, output) then
    options.response_format = base.format.structured(wire_schema.of(output), "answer")
  end
  return next(options) and base:bind(options) or base
end

-- Makes the agent's tools, and its model with them. This is done again in each
-- turn: agents that hand over to each other are put into each other's lists
-- only after both were made.
local function equip(self)
  local handoffs = self.handoffs or {}
  if self.equipped_with == #handoffs then return end
  self.set = agent_tools.set(self.tools, handoffs, is_agent)
  self.asks = asking(self.base, self.set, self.output)
  self.equipped_with = #handoffs
end

-- A run: the agent that speaks, the conversation, and what it came to.
local Run = {}
Run.__index = Run

local function new_run(agent, input, current, emit)
  local given = prompt.messages(input)
  return setmetatable({
    agent = agent, messages = table.move(given, 1, #given, 1, {}), turns = 0, repairs = 0,
    limit = agent.max_turns, current = current, emit = emit,
  }, Run)
end

local function tell(self, event)
  if self.emit then self.emit(event) end
end

local function add(self, item)
  self.messages[#self.messages + 1] = item
end

-- The conversation as the agent's model sees it.
local function asked(self)
  local instructions = self.agent.instructions
  if not instructions then return self.messages end
  local messages = { message.new { role = "system", content = instructions } }
  return table.move(self.messages, 1, #self.messages, 2, messages)
end

local function tell_delta(self, delta)
  if delta.content ~= "" then tell(self, { type = "text", text = delta.content }) end
  if delta.reasoning then tell(self, { type = "reasoning", text = delta.reasoning }) end
end

local function ask(self, input)
  local asks = self.agent.asks
  if not self.emit then return runnable.call(asks, input, self.current) end
  local pull, close = runnable.open(asks, input, self.current)
  local _ <close> = producer.closing(close)
  local sum = message.sum()
  for delta in pull do
    sum:push(delta)
    tell_delta(self, delta)
  end
  return sum:message()
end

local function take_turn(self)
  if self.turns >= self.limit then
    error(tasks.error { kind = "limit", what = "turns", limit = self.limit,
      messages = self.messages,
      message = ("the agent has not come to an answer in %d turns"):format(self.limit) })
  end
  self.turns = self.turns + 1
  equip(self.agent)
  local answer = ask(self, { messages = asked(self) })
  add(self, answer)
  return answer
end

-- Runs a call, in a task of its own, and emits its events.
local function execute(self, call, is_refused)
  local agent = self.agent
  tell(self, { type = "tool_call", call = call, agent = agent.name })
  local told, output
  if is_refused then
    told = agent_tools.answer(call, "The conversation goes to one agent only.", true)
  else
    told, output = agent_tools.execute(agent.set, call, agent.approve, self.current)
  end
  tell(self, { type = "tool_result", call = call, output = output, content = told.content,
    is_error = told.is_error or false })
  return told
end

-- The first call that hands over; further ones are answered that one is enough.
local function find_handoff(self, calls)
  for i, call in ipairs(calls) do
    local one = self.agent.set.by_name[call.name]
    if one and one.target then return one.target, i end
  end
end

local function run_calls(self, calls)
  local target, chosen = find_handoff(self, calls)
  local results, started = {}, {}
  tasks.scope(function()
    for i, call in ipairs(calls) do
      local one = self.agent.set.by_name[call.name]
      started[i] = tasks.spawn(execute, self, call, one and one.target and i ~= chosen)
    end
    for i = 1, #calls do results[i] = tasks.await(started[i]) end
  end)
  for i = 1, #calls do add(self, results[i]) end
  if target then
    tell(self, { type = "handoff", from = self.agent.name, to = target.name })
    self.agent = target
  end
end

-- The output of an answer without calls: its text, or the checked value.
local function output_of(self, answer)
  local agent = self.agent
  if not agent.parser then return true, message.text(answer) end
  failure.check_usable(agent.asks, answer)
  local ok, value = pcall(agent.parser._invoke, agent.parser, answer)
  if ok then return true, value end
  local can_mend = tasks.is_error(value, "parse") or tasks.is_error(value, "schema")
  if not can_mend or self.repairs >= REPAIRS then error(value, 0) end
  self.repairs = self.repairs + 1
  add(self, message.new { role = "user", content = ("That is not usable: %s. Answer again, "
    .. "with nothing but JSON that fits the schema %s."):format(value.message,
    json.encode(agent.output, { sort_keys = true })) })
  return false
end

local Result = { __name = "luge.AgentResult" }

function Result.__tostring(self)
  return type(self.output) == "string" and self.output or json.encode(self.output)
end

Result.__text = Result.__tostring

-- For caches and checkpoints: of the agent, its name is kept.
function Result.__pack(self)
  local agent = self.agent
  if type(agent) == "table" then agent = agent.name end
  return "agent_result", { output = self.output, messages = self.messages,
    usage = self.usage, turns = self.turns, agent = agent }
end

pack.register("agent_result", function(fields) return setmetatable(fields, Result) end)

local function take_turns(self)
  while true do
    local answer = take_turn(self)
    local calls = answer.tool_calls
    if calls and #calls > 0 then
      run_calls(self, calls)
    else
      local done, output = output_of(self, answer)
      if done then return output end
    end
  end
end

-- Its usage is that of all turns, and of the models that tools call.
local function complete(self)
  local used, output = usage.usage(take_turns, self)
  return setmetatable({
    output = output, messages = self.messages, usage = used, turns = self.turns,
    agent = self.agent,
  }, Result)
end

-- As a Runnable: whole, or the events of a run, whose last has the result.

function Agent:_invoke(input, current)
  return complete(new_run(self, input, current))
end

local function join_events()
  local last
  return function(event) last = event end, function()
    return last.type == "done" and last.result or nil
  end
end

function Agent:_open(input, current)
  local pull, close = producer.open(function(emit)
    local result = complete(new_run(self, input, current, emit))
    emit { type = "done", output = result.output, messages = result.messages,
      usage = result.usage, turns = result.turns, agent = result.agent, result = result }
  end)
  return pull, close, join_events
end

--- Runs the agent: `{ output, messages, usage, turns, agent }`. Waits. Raises
--- what its model raises, and `limit` for more than `max_turns`.
---@param input any a string, a prompt's value, a Message, or `{ messages = {...} }`
---@param options? luge.chain.Config
---@return luge.llm.Result
function Agent:run(input, options)
  runnable.check_self(self, "run")
  return self:invoke(input, options)
end

--- What tells its answers from those of others.
function Agent:_identity()
  return { self.asks:_identity(), self.instructions or false, self.output or false }
end

runnable.class("agent", "agent", Agent)

local known = {
  name = function(value)
    local ok = type(value) == "string" and #value <= 48 and value:match("^[%w_-]+$")
    return not ok and "up to 48 letters, digits, - and _" or nil
  end,
  description = check.string, instructions = check.string,
  model = function(value)
    if type(value) ~= "string" and not model.is(value) then
      return "what llm.model makes, or a name for it"
    end
  end,
  tools = check.plain_list, handoffs = check.plain_list, max_turns = check.count,
  output = check.table, approve = check.callable,
}

-- What the model is told first; also the schema, if its format takes none.
local function instructions_of(fields, base)
  local said = fields.instructions
  if fields.output == nil or has_place(base, fields.output) then return said end
  local rule = "Give the answer as nothing but JSON that fits the schema "
    .. json.encode(fields.output, { sort_keys = true }) .. "."
  return said and said .. "\n\n" .. rule or rule
end

return function(fields)
  check.options("llm.agent", fields, known)
  local base = fields.model
  if type(base) ~= "table" then base = model.model(base) end
  local self = {}
  for name, value in pairs(fields) do self[name] = value end
  self.base = base
  self.instructions = instructions_of(fields, base)
  equip(self)
  self.parser = fields.output and parser(fields.output)
  self.max_turns = fields.max_turns or 10
  self._name = fields.name
  return runnable.new(Agent, self)
end
