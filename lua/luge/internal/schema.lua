--- JSON Schema, draft 2020-12: what is behind `json.schema`.
--
-- A schema is compiled once, each subschema to a node: for each type of value
-- a list of checks, functions of a value and its place that return a failure
-- or nil. Nodes may form cycles ($ref), but none reaches itself without a step
-- into the value, so every check ends.
--
-- https://json-schema.org/draft/2020-12/json-schema-core

local luge = require "luge"
local own = require("luge.internal.check").own
local checks = require "luge.internal.schema_applicators"
local values = require "luge.internal.schema_values"

---@class luge.internal.schema.Compiler
---@field root table|boolean the schema
---@field nodes table<table, table> by their subschema
---@field order table[] the same nodes, as they were met
local Compiler = {}
Compiler.__index = Compiler

--- Raises `invalid` about a place in the schema.
---@param location string a JSON Pointer
---@param message string
function Compiler.fail(_, location, message)
  local place = location == "" and "the schema" or location .. " in the schema"
  error(luge.error { kind = "invalid", message = ("json.schema: %s %s"):format(place, message),
    path = location })
end

--- Raises `invalid`: what a keyword got, and what it takes.
---@param location string
---@param got any
---@param takes string
function Compiler:refuse(location, got, takes)
  self:fail(location, ("is %s, takes %s"):format(values.show(got), takes))
end

--- The node of a subschema.
---@param schema any
---@param location string
---@return table node
function Compiler:compile(schema, location)
  local node = self.nodes[schema]
  if node then
    return node
  elseif type(schema) == "boolean" then
    return checks.boolean(schema)
  elseif type(schema) ~= "table" or values.kind(schema) ~= "object" then
    self:refuse(location, schema, "a schema: an object or a boolean")
  end
  node = { location = location, same_value = {} }
  self.nodes[schema] = node
  table.insert(self.order, node)
  self:check_names(schema, location)
  for _, keyword in ipairs(checks.keywords) do
    local argument = schema[keyword.name]
    if argument ~= nil then
      local place = values.below(location, keyword.name)
      local check = keyword.compile(self, argument, place, schema, node)
      if check then
        local list = node[keyword.kind] or {}
        node[keyword.kind] = list
        list[#list + 1] = check
      end
    end
  end
  return node
end

--- The node of a subschema that is applied to the same value as `node`.
---@param node table
---@param schema any
---@param location string
---@return table node
function Compiler:compile_same(node, schema, location)
  local other = self:compile(schema, location)
  table.insert(node.same_value, other)
  return other
end

-- Keywords of this and older drafts, and of OpenAPI, that are not supported.
-- They are refused, because to ignore one would be to accept what it forbids.
local unsupported = {}
for name in ([[unevaluatedItems unevaluatedProperties $dynamicRef $recursiveRef additionalItems
    dependencies divisibleBy disallow extends nullable]]):gmatch "%S+" do
  unsupported[name] = true
end

-- Other names that no keyword has are annotations, as the draft wants it.
function Compiler:check_names(schema, location)
  for name in next, schema do
    if unsupported[name] then
      self:fail(values.below(location, name), "is a keyword that is not supported")
    end
  end
  if location ~= "" and type(schema["$id"]) == "string" then
    self:fail(values.below(location, "$id"), "is an identifier below the root: not supported")
  end
end

-- What a JSON Pointer leads to from the root; nil if to nothing.
function Compiler:follow(pointer)
  local target = self.root
  for token in pointer:gmatch "/([^/]*)" do
    if type(target) ~= "table" then
      return nil
    end
    token = token:gsub("~1", "/"):gsub("~0", "~")
    local index = values.kind(target) == "array" and token:match "^%d+$"
    target = target[index and math.tointeger(tonumber(index)) + 1 or token]
  end
  return target
end

-- Keywords whose values are data, in which an $anchor means nothing.
local data = { const = true, enum = true, default = true, examples = true }

local function find_anchor(schema, name, seen)
  if type(schema) ~= "table" or seen[schema] then
    return nil
  end
  seen[schema] = true
  if schema["$anchor"] == name then
    return schema
  end
  for key, part in next, schema do
    local found = not data[key] and find_anchor(part, name, seen)
    if found then
      return found
    end
  end
end

--- The subschema that a reference leads to, and its location.
---@param ref string
---@param location string of the reference
---@return any schema
---@return string location
function Compiler:resolve(ref, location)
  local base, fragment = ref:match "^([^#]*)#?(.*)$"
  local id = type(self.root) == "table" and self.root["$id"]
  if base ~= "" and (type(id) ~= "string" or base ~= id:gsub("#$", "")) then
    self:fail(location, ("refers to %s, takes references within the schema"):format(
      values.show(ref)))
  end
  fragment = fragment:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end)
  local is_pointer = fragment == "" or fragment:sub(1, 1) == "/"
  local target
  if is_pointer then
    target = self:follow(fragment)
  else
    target = find_anchor(self.root, fragment, {})
  end
  if target == nil then
    self:fail(location, ("refers to %s, which is not there"):format(values.show(ref)))
  end
  return target, is_pointer and fragment or location
end

-- Refuses nodes that apply themselves to the same value, for ever.
local function check_cycles(compiler, node, state)
  if state[node] == "done" then
    return
  elseif state[node] == "open" then
    compiler:fail(node.location, "refers to itself without a step into the value")
  end
  state[node] = "open"
  for _, other in ipairs(node.same_value) do
    check_cycles(compiler, other, state)
  end
  state[node] = "done"
end

---@class luge.json.Schema
local Schema = {}
Schema.__index = Schema
Schema.__name = "json.schema"

--- Checks a value. Raises `schema`: `path`, a JSON Pointer to what does not
--- fit; `expected`, what would; `value`, what is there.
---@generic T
---@param value T
---@return T value
function Schema:check(value)
  own(self, Schema, "schema", "check")
  local failure = checks.run(self.node, value, checks.ROOT)
  if not failure then
    return value
  end
  local path = values.pointer(failure.at)
  error(luge.error {
    kind = "schema",
    message = ("%s: expected %s, got %s"):format(path == "" and "the value" or path,
      failure.expected, values.show(failure.value)),
    path = path,
    expected = failure.expected,
    value = failure.value,
  })
end

--- Compiles a schema.
---@param schema table|boolean
---@return luge.json.Schema
return function(schema)
  local compiler = setmetatable({ root = schema, nodes = {}, order = {} }, Compiler)
  local node = compiler:compile(schema, "")
  local state = {}
  for _, other in ipairs(compiler.order) do
    check_cycles(compiler, other, state)
  end
  return setmetatable({ node = node }, Schema)
end
