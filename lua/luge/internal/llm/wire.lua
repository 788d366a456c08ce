-- What several providers' formats write and read in the same way.

local json = require "luge.json"

local null = json.null

local wire = {}

--- A member of an answer; nil for null and "", which some servers send in the
--- place of nothing.
function wire.present(value)
  if value ~= null and value ~= "" then return value end
end

--- Tools in the format of OpenAI, which others have taken over.
function wire.function_tools(tools)
  local list = json.array()
  for i, tool in ipairs(tools) do
    list[i] = { type = "function", ["function"] = {
      name = tool.name, description = tool.description, parameters = tool.parameters,
    } }
  end
  return list
end

--- The headers that carry a key, if there is one.
function wire.bearer(key)
  return { ["Authorization"] = key and "Bearer " .. key }
end

return wire
