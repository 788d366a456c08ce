-- Reads the LuaCATS annotations of luge's modules into a table of what is
-- public:
--
--   modules   list of { name =, doc =, members = }, "luge" first
--   classes   name -> class; and a list in the order of their declarations
--
-- A class is { name =, doc =, module =, parents =, members =, operators = };
-- a member is { name =, doc =, kind = "function"|"method"|"field", type =,
-- params =, returns =, where = }. A member's `doc` is a list of lines.
local block_of = require "block"
local types = require "types"

local annotations = {}

local function new_members()
  return { by_name = {} }
end

-- The first declaration counts: public modules are read before internal ones.
local function add(members, member)
  local known = members.by_name[member.name]
  if not known then
    members.by_name[member.name] = member
    members[#members + 1] = member
  end
  return known or member
end

-- What a block stands before.

local function params_of(text)
  local list = {}
  for name in text:gmatch "[%w_.]+" do
    list[#list + 1] = name
  end
  return list
end

-- owner, separator, name, parameters (nil: a value is assigned).
local function statement(line)
  local owner, separator, name, params =
    line:match "^%s*function%s+([%w_.]-)([.:])([%w_]+)%s*(%b())"
  if owner then
    return owner, separator, name, params_of(params)
  end
  name, params = line:match "^%s*local function%s+([%w_]+)%s*(%b())"
  if name then
    return nil, "local", name, params_of(params)
  end
  owner, name = line:match "^%s*([%w_.]-)%.([%w_]+)%s*="
  return owner, ".", name
end

local Reader = {}
Reader.__index = Reader

function Reader:class(name)
  local classes = self.model.classes
  if not classes[name] then
    classes[name] = { name = name, doc = {}, operators = {}, members = new_members(),
      file = self.path, module = self.module }
    classes[#classes + 1] = classes[name]
  end
  return classes[name]
end

function Reader:declare_class(declared)
  local class = self:class(declared.name)
  if #class.doc == 0 then
    class.doc = declared.doc
  end
  class.parents = class.parents or declared.parents
  table.move(declared.operators, 1, #declared.operators, #class.operators + 1, class.operators)
  for _, field in ipairs(declared.fields) do
    local is_function = field.type:find "^fun%("
    local member = { name = field.name, doc = field.doc, type = field.type, where = self:where(),
      optional = field.optional, kind = "field", overloads = {} }
    if is_function then
      member.params, member.returns = types.signature(field.type)
      member.kind = "function"
      if member.params[1] and member.params[1].name == "self" then
        table.remove(member.params, 1)
        member.kind = "method"
      end
    end
    add(class.members, member)
  end
end

function Reader:where()
  return ("%s:%d"):format(self.path, self.line)
end

-- The parameters as the annotations have them; where these say nothing, as the
-- function itself has them.
local function parameters(block, real)
  if #block.params > 0 or not real then
    return block.params
  end
  local list = {}
  for i, name in ipairs(real) do
    list[i] = { name = name, type = "any", doc = "" }
  end
  return list
end

local function described(block, name, kind, real)
  local member = { name = name, doc = block.doc, kind = kind, real = real,
    overloads = block.overloads, generic = block.generic }
  local params, returns
  if block.type then
    member.type = block.type
    params, returns = types.signature(block.type)
  end
  if params then
    member.params, member.returns = params, returns
  elseif real or #block.params > 0 or block.returns then
    member.params, member.returns = parameters(block, real), block.returns
  elseif #block.overloads > 0 then
    member.params = {}
  else
    member.kind = "field"
  end
  return member
end

-- The class or module that a variable of the file stands for.
function Reader:owner_of(variable)
  local name, rest = variable:match "^([%w_]+)%.?(.*)$"
  local class = self.variables[name]
  return class, rest ~= "" and rest .. "." or ""
end

function Reader:declare_member(block, line)
  local owner, separator, name, real = statement(line)
  if separator == "local" then
    self.functions[name] = described(block, name, "function", real)
    return
  end
  local class_name, prefix
  if owner and name then
    class_name, prefix = self:owner_of(owner)
  end
  if not class_name or name:find "^_" then
    return
  end
  local is_method = separator == ":"
  local member = described(block, prefix .. name, is_method and "method" or "function", real)
  local params = member.params
  if params and params[1] and params[1].name == "self" then
    table.remove(params, 1)
    member.kind = "method"
  end
  member.where = self:where()
  add(self:class(class_name).members, member)
end

function Reader:flush(lines, line)
  local block = block_of.read(lines, self:where())
  if block.class then
    self:declare_class(block.class)
    local variable = line:match "^%s*local%s+([%w_]+)"
    if variable then
      self.variables[variable] = block.class.name
    end
  elseif block.alias then
    self.model.aliases[#self.model.aliases + 1] = block.alias
  elseif line:find "%S" and (#block.doc > 0 or block.type or #block.params > 0) then
    self:declare_member(block, line)
  end
end

local function is_prose(lines)
  for _, line in ipairs(lines) do
    if line:find "^%s*%-%-%- ?@" then
      return false
    end
  end
  return true
end

function Reader:read(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    self.line = self.line + 1
    local is_doc = line:find "^%s*%-%-%-" and not line:find "^%s*%-%-%-%-"
    local is_more = not is_doc and self.header and #lines > 0 and line:find "^%-%-"
    if is_doc then
      lines[#lines + 1] = line
    elseif is_more then
      lines[#lines + 1] = "-" .. line
    elseif #lines > 0 then
      if self.header and is_prose(lines) then
        self.model.headers[self.module] = block_of.text(lines)
      else
        self:flush(lines, line)
      end
      lines = {}
    end
    if line:find "%S" and not line:find "^%-%-" then
      self.header = false
    end
  end
end

-- The module that a class of an internal file belongs to.
local function module_of(name, modules)
  local best = "luge"
  for module in pairs(modules) do
    if name:sub(1, #module + 1) == module .. "." and #module > #best then
      best = module
    end
  end
  return best
end

-- `http.server` is the function that its file returns.
local function add_server(model, functions)
  local server = functions["lua/luge/internal/http_server.lua"].server
  server.where = "lua/luge/internal/http_server.lua"
  add(model.classes["luge.http"].members, server)
end

-- What takes no `self` is a function of its own only where nothing but such
-- functions is; elsewhere it is a field that holds one: an option, say.
local function settle_fields(class)
  local is_table_of_functions = true
  for _, member in ipairs(class.members) do
    is_table_of_functions = is_table_of_functions and member.kind == "function"
  end
  for _, member in ipairs(class.members) do
    if member.kind == "function" and not class.is_module and not is_table_of_functions then
      member.kind, member.params = "field", nil
    end
  end
end

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

--- Reads the files: a list of `{ path =, module = name or nil }`, the public
--- modules first.
function annotations.read(files)
  local model = { classes = {}, aliases = {}, headers = {}, modules = {} }
  local is_module, functions = {}, {}
  for _, file in ipairs(files) do
    if file.module then
      is_module[file.module] = true
    end
    local reader = setmetatable({ model = model, path = file.path, module = file.module, line = 0,
      variables = {}, functions = {}, header = file.module ~= nil }, Reader)
    reader:read(read_file(file.path))
    functions[file.path] = reader.functions
  end
  add_server(model, functions)
  for _, class in ipairs(model.classes) do
    class.module = class.module or module_of(class.name, is_module)
    class.is_module = is_module[class.name] == true
    class.is_internal = class.name:find "^luge%.internal" ~= nil
    settle_fields(class)
    if class.is_module then
      class.doc = model.headers[class.name] or class.doc
      model.modules[#model.modules + 1] = class
    end
  end
  table.sort(model.modules, function(a, b) return a.name < b.name end)
  return model
end

return annotations
