-- JSON Schemas as they are sent: an empty table of Lua is an object in JSON, but
-- `required = {}` is a list, and servers refuse it as anything else.

local json = require "luge.json"

local wire_schema = {}

-- What the value of a keyword is: a list, a list of schemas, schemas by name, or a
-- schema.
local kinds = {
  required = "list", enum = "list", examples = "list",
  allOf = "schemas", anyOf = "schemas", oneOf = "schemas", prefixItems = "schemas",
  properties = "named", patternProperties = "named", ["$defs"] = "named",
  definitions = "named", dependentSchemas = "named",
  items = "schema", contains = "schema", additionalProperties = "schema",
  propertyNames = "schema", unevaluatedItems = "schema", unevaluatedProperties = "schema",
  ["not"] = "schema", ["if"] = "schema", ["then"] = "schema", ["else"] = "schema",
}

local function each(schemas, into)
  for key, schema in pairs(schemas) do into[key] = wire_schema.of(schema) end
  return into
end

local convert = {
  list = function(list) return next(list) == nil and json.array() or list end,
  schemas = function(schemas) return each(schemas, json.array()) end,
  named = function(schemas) return each(schemas, json.object()) end,
  schema = function(schema) return wire_schema.of(schema) end,
}

--- A copy of a schema that json.schema has read.
function wire_schema.of(schema)
  if type(schema) ~= "table" then return schema end
  local copy = json.object()
  for name, value in pairs(schema) do
    local kind = type(value) == "table" and kinds[name]
    copy[name] = kind and convert[kind](value) or value
  end
  return copy
end

--- Whether a schema is of objects: providers take no other.
function wire_schema.is_of_objects(schema)
  return schema.type == "object" or schema.type == nil and type(schema.properties) == "table"
end

--- A schema of objects with one member, which fits `schema`. The definitions stay
--- where references find them.
function wire_schema.wrapped(schema, member)
  local inner = wire_schema.of(schema)
  local made = {
    type = "object", properties = { [member] = inner }, required = { member },
    additionalProperties = false, ["$defs"] = inner["$defs"], definitions = inner.definitions,
  }
  inner["$defs"], inner.definitions = nil, nil
  return made
end

return wire_schema
