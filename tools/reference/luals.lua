-- Writes the type files, one for each module, that lua-language-server reads.
local format = require "format"

local File = {}
File.__index = File

function File:add(text, ...)
  self[#self + 1] = select("#", ...) > 0 and text:format(...) or text
end

function File:doc(lines)
  for _, line in ipairs(lines) do
    self:add("---" .. (line ~= "" and " " or "") .. line)
  end
end

local function names_of(member)
  local names = {}
  for i, param in ipairs(member.params) do
    names[i] = param.name
  end
  return table.concat(names, ", ")
end

-- `sign` is what stands before the name: "." or ":".
function File:callable(owner, sign, member)
  self:doc(member.doc)
  if member.generic then
    self:add("---@generic %s", member.generic)
  end
  for _, param in ipairs(member.params) do
    local text = (param.doc or "") ~= "" and " " .. param.doc or ""
    self:add("---@param %s %s%s", format.parameter(param), param.type, text)
  end
  local returns, text = format.returns(member)
  if returns then
    self:add("---@return %s%s", returns, text and " # " .. text or "")
  end
  for _, overload in ipairs(member.overloads or {}) do
    self:add("---@overload %s", overload)
  end
  self:add("function %s%s%s(%s) end\n", owner, sign, member.name, names_of(member))
end

function File:fields(members)
  for _, member in ipairs(members) do
    if member.kind == "field" and member.type then
      local text = table.concat(member.doc, " ")
      self:add("---@field %s%s %s%s", member.name, member.optional and "?" or "", member.type,
        text ~= "" and " " .. text or "")
    end
  end
end

-- Tables of functions inside of a module, such as luge.wait.
function File:tables(owner, members)
  for _, member in ipairs(members) do
    if member.kind == "field" and not member.type then
      self:doc(member.doc)
      self:add("%s.%s = {}\n", owner, member.name)
    end
  end
end

function File:class(class, variable)
  if not class.is_module then
    self:doc(class.doc)
  end
  self:add("---@class %s%s", class.name, class.parents and ": " .. class.parents or "")
  for _, operator in ipairs(class.operators) do
    self:add("---@operator %s", operator)
  end
  self:fields(class.members)
  self:add("local %s = {}\n", variable)
  self:tables(variable, class.members)
  for _, member in ipairs(class.members) do
    if member.kind ~= "field" then
      self:callable(variable, member.kind == "method" and ":" or ".", member)
    end
  end
end

local function file_of(model, module)
  local self = setmetatable({}, File)
  self:add("---@meta %s", module.name)
  self:add "-- Made by scripts/reference from the annotations in lua/luge.\n"
  for _, alias in ipairs(model.aliases) do
    if alias.name:match "^(.*)%." == module.name then
      self:add("---@alias %s %s\n", alias.name, alias.type)
    end
  end
  for _, class in ipairs(format.classes_of(model, module.name)) do
    self:add "do"
    self:class(class, "class")
    self:add "end\n"
  end
  local variable = format.variable(module.name)
  self:class(module, variable)
  self:add("return %s", variable)
  return table.concat(self, "\n") .. "\n"
end

--- The files, by their paths: "luge/http.lua" for luge.http.
return function(model)
  local files = {}
  for _, module in ipairs(model.modules) do
    files[module.name:gsub("%.", "/") .. ".lua"] = file_of(model, module)
  end
  return files
end
