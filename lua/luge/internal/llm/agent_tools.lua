-- The tools of an agent: its own, other agents, and those that hand over; and
-- what the model is told of a call.

local json = require "luge.json"
local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"
local message = require "luge.internal.llm.message"
local runnable = require "luge.internal.chain.runnable"
local tool = require "luge.internal.llm.tool"

local agent_tools = {}

-- At most so many bytes of a result are sent to the model.
local MAX_RESULT = 256 * 1024

local INPUT = {
  type = "object", required = { "input" },
  properties = { input = { type = "string", description = "What to do, in words." } },
}

-- An agent as a tool: it is told what to do, and its output is the result.
local function agent_as_tool(agent)
  return tool.tool {
    name = agent.name, parameters = INPUT,
    description = agent.description or ("Asks the agent %s."):format(agent.name),
    run = function(arguments) return agent:run(arguments.input).output end,
  }
end

local function handoff_tool(agent)
  return {
    name = "transfer_to_" .. agent.name, target = agent,
    description = agent.description
      or ("Hands the conversation over to the agent %s."):format(agent.name),
    parameters = { type = "object", properties = json.object() },
  }
end

local function add(set, one)
  if set.by_name[one.name] then
    check.invalid("llm.agent: there are two tools with the name '%s'", one.name)
  end
  set.by_name[one.name] = one
  set.list[#set.list + 1] = one
end

--- The set of an agent's tools: `list`, for the model, and `by_name`.
function agent_tools.set(tools, handoffs, is_agent)
  local set = { list = {}, by_name = {} }
  for i, one in ipairs(tools or {}) do
    if is_agent(one) then
      if not one.name then check.invalid("llm.agent: tool %d is an agent without a name", i) end
      one = agent_as_tool(one)
    elseif not tool.is(one) then
      check.invalid("llm.agent: tool %d is %s, takes what llm.tool makes, or an agent", i,
        check.describe(one))
    end
    add(set, one)
  end
  for i, agent in ipairs(handoffs or {}) do
    if not (is_agent(agent) and agent.name) then
      check.invalid("llm.agent: handoff %d is no agent with a name", i)
    end
    add(set, handoff_tool(agent))
  end
  return set
end

local function cut(text)
  if #text <= MAX_RESULT then return text end
  local stop = utf8.offset(text, 0, MAX_RESULT + 1) or MAX_RESULT + 1
  return ("%s\n[The result was cut: it has %d bytes.]"):format(text:sub(1, stop - 1), #text)
end

-- A result as text; false and what is wrong if it has none.
local function text_of(output)
  if type(output) == "string" and utf8.len(output) then return cut(output) end
  if output == nil then return "null" end
  local ok, text = pcall(json.encode, output)
  if ok then return cut(text) end
  return false, "The tool's result cannot be written as JSON: "
    .. (type(text) == "table" and text.message or tostring(text))
end

local function answer(call, text, is_error)
  return message.new {
    role = "tool", tool_call_id = call.id, name = call.name, content = text,
    is_error = is_error or nil,
  }
end

agent_tools.answer = answer

local function describe_error(err)
  return "Error: " .. (type(err) == "table" and err.message or tostring(err))
end

-- Runs it and says what the model is told, and whether that is an error.
local function run(one, call, current)
  local ok, output = pcall(runnable.call, one, call, current)
  if not ok then
    -- Raises if this task itself was cancelled, and not only the tool.
    if tasks.is_error(output, "cancelled") then tasks.sleep(0) end
    return describe_error(output), true, output
  end
  local text, problem = text_of(output)
  if text then return text, false, output end
  return problem, true, output
end

local function no_tool(set, call)
  local names = check.names(set.by_name)
  return ("There is no tool '%s'; there %s"):format(tostring(call.name),
    names == "" and "are none" or "are: " .. names)
end

--- What the model is told of a call, as a Message, and the tool's output or
--- error. Never raises but for a cancellation, or an error of `approve`.
function agent_tools.execute(set, call, approve, current)
  local one = set.by_name[call.name]
  if not one then return answer(call, no_tool(set, call), true) end
  if one.target then return answer(call, "Transferred to " .. one.target.name .. ".") end
  if approve then
    -- A call that could not run needs no approval.
    local fits, err = pcall(tool.arguments, one, call)
    if not fits then return answer(call, describe_error(err), true), err end
    local yes, reason = approve(call)
    if not yes then
      local why = reason and ": " .. tool.in_words(reason) or "."
      return answer(call, "The call was not approved" .. why, true)
    end
  end
  local text, is_error, output = run(one, call, current)
  return answer(call, text, is_error), output
end

return agent_tools
