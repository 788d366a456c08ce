-- What the pages and the type files have in common: signatures, and who belongs
-- to which module.
local format = {}

--- "name?" for what may be left out.
function format.parameter(param)
  return param.name .. (param.optional and "?" or "")
end

function format.parameters(params)
  local names = {}
  for i, param in ipairs(params) do
    names[i] = format.parameter(param)
  end
  return table.concat(names, ", ")
end

--- What a member returns, as text, or nil; and what is said about it.
function format.returns(member)
  local returns = member.returns
  if type(returns) == "string" then
    local kind, text = returns:match "^(.-)%s*#%s*(.*)$"
    return kind or returns, text
  elseif not returns then
    return nil
  end
  local kinds, texts = {}, {}
  for i, result in ipairs(returns) do
    kinds[i] = result.type
    texts[#texts + 1] = result.doc ~= "" and result.doc or nil
  end
  return table.concat(kinds, ", "), texts[1] and table.concat(texts, "; ")
end

--- The variable that a module is usually kept in.
function format.variable(module)
  return module:match "[^.]+$"
end

--- The classes of a module that are public, in the order of their declaration.
function format.classes_of(model, module)
  local list = {}
  for _, class in ipairs(model.classes) do
    if class.module == module and not class.is_module and not class.is_internal then
      list[#list + 1] = class
    end
  end
  return list
end

--- The first sentence of a text in lines.
function format.summary(lines)
  local text = table.concat(lines, " "):gsub("%s+", " ")
  return text:match "^(.-%.)%s" or text
end

return format
