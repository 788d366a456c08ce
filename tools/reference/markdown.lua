-- Writes the pages of docs/reference: one for each module, and an index.
local format = require "format"

local notice = "<!-- Made by scripts/reference from the annotations in lua/luge. -->\n"

local Page = {}
Page.__index = Page

function Page:add(text, ...)
  self[#self + 1] = select("#", ...) > 0 and text:format(...) or text
end

-- Lines of a comment: what is set in by two or more is code.
function Page:prose(lines)
  local in_code, blank = false, 0
  for _, line in ipairs(lines) do
    if line == "" then
      blank = blank + 1
    else
      local is_code = line:find "^  " ~= nil
      if in_code and not is_code then
        self:add "```"
      end
      for _ = 1, blank do
        self:add ""
      end
      if is_code and not in_code then
        self:add "```"
      end
      self:add(is_code and line:gsub("^    ", ""):gsub("^  ", "") or line)
      in_code, blank = is_code, 0
    end
  end
  if in_code then
    self:add "```"
  end
  self:add ""
end

function Page:item(name, kind, text)
  self:add("- `%s`%s%s", name, kind and kind ~= "any" and (": `%s`"):format(kind) or "",
    text ~= "" and ": " .. text or "")
end

local function has_types(params)
  for _, param in ipairs(params) do
    if param.type ~= "any" or (param.doc or "") ~= "" then
      return true
    end
  end
  return false
end

local function call_of(label, member)
  local returns, text = format.returns(member)
  return ("%s(%s)%s"):format(label, format.parameters(member.params),
    returns and " -> " .. returns or ""), text
end

-- `name` is what it is called by, `label` the variable that it is called on.
function Page:callable(level, name, label, member)
  self:add("%s %s\n", level, name)
  self:add "```"
  local call, result = call_of(label, member)
  for _, overload in ipairs(member.overloads or {}) do
    self:add(overload:gsub("^fun", label))
  end
  if #(member.overloads or {}) == 0 then
    self:add(call)
  end
  self:add "```\n"
  self:prose(member.doc)
  if has_types(member.params) then
    for _, param in ipairs(member.params) do
      if param.name ~= "..." or param.type ~= "any" or (param.doc or "") ~= "" then
        self:item(format.parameter(param), param.type, param.doc or "")
      end
    end
    self:add ""
  end
  if result then
    self:add("Returns: %s\n", result)
  end
end

function Page:fields(members)
  local any = false
  for _, member in ipairs(members) do
    if member.kind == "field" then
      self:item(member.name .. (member.optional and "?" or ""), member.type,
        table.concat(member.doc, " "))
      any = true
    end
  end
  if any then
    self:add ""
  end
end

function Page:class(class)
  self:add("## %s\n", class.name)
  self:prose(class.doc)
  if class.parents then
    self:add("Has all that `%s` has.\n", class.parents)
  end
  self:fields(class.members)
  for _, operator in ipairs(class.operators) do
    self:add("Operator: `%s`\n", operator)
  end
  local variable = class.name:match("[^.]+$"):lower()
  for _, member in ipairs(class.members) do
    if member.kind ~= "field" then
      local sign = member.kind == "method" and ":" or "."
      self:callable("###", class.name .. sign .. member.name, variable .. sign .. member.name,
        member)
    end
  end
end

function Page:text()
  local text = table.concat(self, "\n"):gsub("\n\n\n+", "\n\n"):gsub("\n*$", "\n")
  return text
end

local function page(model, module)
  local self = setmetatable({}, Page)
  local variable = format.variable(module.name)
  self:add("# %s\n\n%s", module.name, notice)
  self:prose(module.doc)
  self:add("```lua\nlocal %s = require %q\n```\n", variable, module.name)
  if module.parents then
    self:add("Has all that `%s` has.\n", module.parents)
  end
  self:fields(module.members)
  for _, member in ipairs(module.members) do
    if member.kind ~= "field" then
      self:callable("##", module.name .. "." .. member.name, variable .. "." .. member.name, member)
    end
  end
  for _, class in ipairs(format.classes_of(model, module.name)) do
    self:class(class)
  end
  return self:text()
end

local function index(model)
  local self = setmetatable({}, Page)
  self:add("# Reference\n\n%s", notice)
  self:add "Every public name of luge. `luge help NAME` prints an entry in the terminal.\n"
  for _, module in ipairs(model.modules) do
    self:add("## [%s](%s.md)\n", module.name, module.name)
    self:add("%s\n", format.summary(module.doc))
    local names = {}
    for _, member in ipairs(module.members) do
      if member.kind ~= "field" then
        names[#names + 1] = ("`%s`"):format(member.name)
      end
    end
    self:add("%s\n", table.concat(names, ", "))
  end
  return self:text()
end

--- The pages, by the names of their files.
return function(model)
  local pages = { ["README.md"] = index(model) }
  for _, module in ipairs(model.modules) do
    pages[module.name .. ".md"] = page(model, module)
  end
  return pages
end
