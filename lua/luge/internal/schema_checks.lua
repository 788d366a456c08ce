--- The keywords of JSON Schema: how each is compiled, and what it checks.
--
-- https://json-schema.org/draft/2020-12/json-schema-validation

local values = require "luge.internal.schema_values"

local checks = {}

--- The place of the value that is checked. Others are `below` it.
checks.ROOT = { depth = 0 }

local MAX_DEPTH = 10000 -- of json.decode, and a bound for tables with cycles

local function below(at, step)
  return { parent = at, step = step, depth = at.depth + 1 }
end

local function failure(at, expected, value)
  return { at = at, expected = expected, value = value }
end

local function run_list(list, value, at)
  for i = 1, #list do
    local failed = list[i](value, at)
    if failed then
      return failed
    end
  end
end

--- Applies a node to a value: the first failure, or nil.
---@param node table
---@param value any
---@param at table
---@return table?
local function run(node, value, at)
  local kind = values.kind(value)
  if not kind or at.depth > MAX_DEPTH then
    return failure(at, kind and "at most 10000 levels" or "a JSON value", value)
  end
  return (node.any and run_list(node.any, value, at))
    or (node[kind] and run_list(node[kind], value, at))
    or (node.last and run_list(node.last, value, at))
end
checks.run = run

--- The node of the schemas `true` and `false`.
---@param accepts boolean
function checks.boolean(accepts)
  local node = { same_value = {} }
  if not accepts then
    node.any = { function(value, at) return failure(at, "no value here", value) end }
  end
  return node
end

--- In the order in which they are applied: { kind=, name=, compile= }. The
--- checks of `any` are applied first, then those of the value's type, then
--- `last`.
checks.keywords = {}

-- `compile(compiler, argument, location, schema, node)` returns a check or
-- nothing.
local function define(kind, name, compile)
  table.insert(checks.keywords, { kind = kind, name = name, compile = compile })
end
checks.define = define

local function check_list(compiler, argument, location, takes)
  local is_list = type(argument) == "table" and
    (values.kind(argument) == "array" or next(argument) == nil)
  if not is_list then
    compiler:refuse(location, argument, takes)
  end
end

local function check_strings(compiler, argument, location)
  check_list(compiler, argument, location, "a list of strings")
  for _, item in ipairs(argument) do
    if type(item) ~= "string" then
      compiler:refuse(location, argument, "a list of strings")
    end
  end
end
checks.check_strings = check_strings

--- The names of an object that is to hold subschemas, in order.
local function sorted_names(compiler, argument, location)
  if type(argument) ~= "table" or values.kind(argument) ~= "object" then
    compiler:refuse(location, argument, "an object of schemas")
  end
  local names = {}
  for name in next, argument do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end
checks.sorted_names = sorted_names

local function check_number(compiler, argument, location)
  if type(argument) ~= "number" then
    compiler:refuse(location, argument, "a number")
  end
end

local function check_count(compiler, argument, location)
  local count = type(argument) == "number" and math.tointeger(argument)
  if not count or count < 0 then
    compiler:refuse(location, argument, "an integer, 0 or more")
  end
  return count
end
checks.check_count = check_count

--- The nodes of a list of subschemas.
local function compile_list(compiler, argument, location, node)
  check_list(compiler, argument, location, "a list of schemas")
  if #argument == 0 then
    compiler:refuse(location, argument, "a list of schemas, not empty")
  end
  local nodes = {}
  for i, schema in ipairs(argument) do
    local place = values.below(location, i - 1)
    nodes[i] = node and compiler:compile_same(node, schema, place)
      or compiler:compile(schema, place)
  end
  return nodes
end
checks.compile_list = compile_list

-- Any value -----------------------------------------------------------------

local function is_integer(value)
  return type(value) == "number" and (math.type(value) == "integer" or value % 1 == 0)
end

local articles = {
  null = "null", boolean = "a boolean", number = "a number", string = "a string",
  array = "an array", object = "an object", integer = "an integer",
}

define("any", "type", function(compiler, argument, location)
  local takes = "a type or a list of types"
  local types = argument
  if type(argument) == "string" then
    types = { argument }
  else
    check_list(compiler, argument, location, takes)
  end
  local allowed, expected = {}, {}
  for i, name in ipairs(types) do
    if not articles[name] then
      compiler:refuse(location, argument, takes)
    end
    allowed[name] = true
    expected[i] = articles[name]
  end
  if #expected == 0 then
    compiler:refuse(location, argument, takes)
  end
  expected = table.concat(expected, " or ")
  return function(value, at)
    if not allowed[values.kind(value)] and not (allowed.integer and is_integer(value)) then
      return failure(at, expected, value)
    end
  end
end)

define("any", "const", function(_, argument)
  local expected = values.show(argument)
  return function(value, at)
    if not values.same(value, argument) then
      return failure(at, expected, value)
    end
  end
end)

define("any", "enum", function(compiler, argument, location)
  check_list(compiler, argument, location, "a list of values")
  local shown = {}
  for i, item in ipairs(argument) do
    shown[i] = i <= 20 and values.show(item) or i == 21 and "..." or nil
  end
  local expected = "one of " .. table.concat(shown, ", ")
  return function(value, at)
    for _, item in ipairs(argument) do
      if values.same(value, item) then
        return nil
      end
    end
    return failure(at, expected, value)
  end
end)

-- Numbers -------------------------------------------------------------------

local function bound(name, fits, expected)
  define("number", name, function(compiler, argument, location)
    check_number(compiler, argument, location)
    local text = expected:format(values.show(argument))
    return function(value, at)
      if not fits(value, argument) then
        return failure(at, text, value)
      end
    end
  end)
end

bound("minimum", function(value, limit) return value >= limit end, "a number, at least %s")
bound("maximum", function(value, limit) return value <= limit end, "a number, at most %s")
bound("exclusiveMinimum", function(value, limit) return value > limit end, "a number above %s")
bound("exclusiveMaximum", function(value, limit) return value < limit end, "a number below %s")

define("number", "multipleOf", function(compiler, argument, location)
  if type(argument) ~= "number" or argument <= 0 then
    compiler:refuse(location, argument, "a number above 0")
  end
  local expected = "a multiple of " .. values.show(argument)
  return function(value, at)
    if not values.is_multiple(value, argument) then
      return failure(at, expected, value)
    end
  end
end)

-- Sizes of strings, arrays, objects -----------------------------------------

local function size(kind, name, measure, fits, expected)
  define(kind, name, function(compiler, argument, location)
    local limit = check_count(compiler, argument, location)
    local text = expected:format(limit)
    return function(value, at)
      if not fits(measure(value), limit) then
        return failure(at, text, value)
      end
    end
  end)
end

local function at_least(count, limit)
  return count >= limit
end

local function at_most(count, limit)
  return count <= limit
end

local function characters(value)
  return utf8.len(value) or #value
end

local function items(value)
  return #value
end

local function members(value)
  local count = 0
  for _ in next, value do
    count = count + 1
  end
  return count
end

size("string", "minLength", characters, at_least, "a string of at least %d characters")
size("string", "maxLength", characters, at_most, "a string of at most %d characters")
size("array", "minItems", items, at_least, "an array of at least %d items")
size("array", "maxItems", items, at_most, "an array of at most %d items")
size("object", "minProperties", members, at_least, "an object of at least %d properties")
size("object", "maxProperties", members, at_most, "an object of at most %d properties")

checks.below = below
checks.failure = failure
return checks
