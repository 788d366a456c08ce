-- Compares what the annotations say with the modules that run: every public
-- name has an annotation, every annotation a name, parameters have the names that
-- the functions give them, and types are declared.
local format = require "format"
local samples = require "samples"

local function is_public(name)
  return type(name) == "string" and not name:find "^_"
end

local function is_callable(value)
  local metatable = getmetatable(value)
  return type(value) == "function" or (type(metatable) == "table" and metatable.__call ~= nil)
end

-- Members of the class and of those that it inherits from.
local function find_member(model, class, name)
  while class do
    local member = class.members.by_name[name]
    if member then
      return member
    end
    class = class.parents and model.classes[class.parents]
  end
  return nil
end

local Check = {}
Check.__index = Check

function Check:report(text, ...)
  self.problems[#self.problems + 1] = text:format(...)
end

-- Parameters.

local function upvalues(fn)
  local list = {}
  for i = 1, 255 do
    local name, value = debug.getupvalue(fn, i)
    if not name then
      return list
    end
    list[name] = value
  end
end

-- What luge.init makes of a function whose module is loaded later, and what
-- a Runnable's method is behind the check of its `self`.
local function resolved(fn)
  local found = debug.getinfo(fn, "S").what == "Lua" and upvalues(fn) or {}
  if type(found.method) == "function" then
    return resolved(found.method)
  end
  if type(found.module) == "string" and found.load_and_call then
    local loaded = require("luge." .. found.module)
    return found.key and loaded[found.key] or loaded
  end
  return fn
end

local function real_parameters(fn)
  local info = debug.getinfo(fn, "uS")
  if info.what ~= "Lua" or (info.nparams == 0 and info.isvararg) then
    return nil -- C, or a function that hands everything on
  end
  local names = {}
  for i = 1, info.nparams do
    names[i] = debug.getlocal(fn, i)
  end
  if info.isvararg then
    names[#names + 1] = "..."
  end
  return names
end

function Check:parameters(label, member, fn)
  local real = type(fn) == "function" and real_parameters(resolved(fn))
  if not real or not member.params then
    return
  end
  if member.kind == "method" and real[1] then
    table.remove(real, 1)
  end
  local told = {}
  for i, param in ipairs(member.params) do
    told[i] = param.name
  end
  local is, says = table.concat(real, ", "), table.concat(told, ", ")
  if #member.overloads == 0 and is ~= says then
    self:report("%s takes (%s); its annotation says (%s)", label, is, says)
  end
end

-- Modules.

function Check:table(class, at, prefix)
  for name, value in pairs(at) do
    if is_public(name) then
      local member = find_member(self.model, class, prefix .. name)
      if not member then
        self:report("%s.%s%s has no annotation", class.name, prefix, name)
      elseif member.kind == "field" and type(value) == "table" and not member.type then
        self:table(class, value, prefix .. name .. ".")
      end
    end
  end
end

local function value_at(at, path)
  for name in path:gmatch "[^.]+" do
    at = type(at) == "table" and at[name] or nil
  end
  return at
end

function Check:module(class)
  local module = require(class.name)
  self:table(class, module, "")
  for _, member in ipairs(class.members) do
    local value = value_at(module, member.name)
    local label = class.name .. "." .. member.name
    if value == nil or (member.kind ~= "field" and not is_callable(value)) then
      self:report("%s is annotated, but %s", label, value == nil and "not there" or "no function")
    elseif member.kind ~= "field" then
      self:parameters(label, member, value)
    end
  end
end

-- Classes.

-- The tables that an object's methods are looked up in.
local function method_tables(object, class_name)
  local list, metatable = {}, getmetatable(object)
  while type(metatable) == "table" and metatable.__index do
    local index = metatable.__index
    if type(index) == "function" then
      index = upvalues(index)[class_name:match "[^.]+$"]
    end
    list[#list + 1] = index
    metatable = index and getmetatable(index)
  end
  return list
end

function Check:methods(class, object)
  for _, methods in ipairs(method_tables(object, class.name)) do
    for name, value in pairs(methods) do
      if is_public(name) and is_callable(value) and not find_member(self.model, class, name) then
        self:report("%s:%s has no annotation", class.name, name)
      end
    end
  end
  for _, member in ipairs(class.members) do
    if member.kind ~= "field" then
      local label, value = class.name .. ":" .. member.name, object[member.name]
      if not is_callable(value) then
        self:report("%s is annotated, but not there", label)
      else
        self:parameters(label, member, value)
      end
    end
  end
end

local function has_methods(class)
  for _, member in ipairs(class.members) do
    if member.kind ~= "field" then
      return true
    end
  end
  return false
end

function Check:class(class)
  local sample = samples[class.name]
  if sample then
    sample(function(object) self:methods(class, object) end)
  elseif has_methods(class) then
    self:report("%s has methods, and no sample in tools/reference/samples.lua", class.name)
  end
end

-- Types.

-- Every type of luge that a text names is declared.
function Check:type(label, text)
  for name in text:gmatch "luge%.[%w_.]*[%w_]" do
    if not self.model.classes[name] and not self.aliases[name] then
      self:report("%s is said to be a %s, which is not declared", label, name)
    end
  end
end

function Check:types(class)
  self:type(class.name, class.parents or "")
  for _, member in ipairs(class.members) do
    local label = class.name .. "." .. member.name
    self:type(label, member.type or "")
    self:type(label, format.returns(member) or "")
    for _, param in ipairs(member.params or {}) do
      self:type(label, param.type)
    end
  end
end

function Check:all()
  for _, alias in ipairs(self.model.aliases) do
    self.aliases[alias.name] = true
  end
  for _, class in ipairs(self.model.classes) do
    self:types(class)
    if class.is_module then
      self:module(class)
    elseif not class.is_internal then
      self:class(class)
    end
  end
  for name in pairs(samples) do
    if not self.model.classes[name] then
      self:report("%s has a sample, and no annotation", name)
    end
  end
  table.sort(self.problems)
  return self.problems
end

--- The list of problems: lines of text.
return function(model)
  return setmetatable({ model = model, problems = {}, aliases = {} }, Check):all()
end
