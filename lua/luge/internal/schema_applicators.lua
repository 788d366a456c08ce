--- The keywords of JSON Schema that apply subschemas: to members and items,
--- and to the same value. Requiring this adds them to `checks.keywords`.
--
-- https://json-schema.org/draft/2020-12/json-schema-core, section 10

local checks = require "luge.internal.schema_checks"
local regex = require "luge.internal.regex"
local values = require "luge.internal.schema_values"

local define, run, below, failure = checks.define, checks.run, checks.below, checks.failure

-- Strings -------------------------------------------------------------------

local function compile_pattern(compiler, pattern, location)
  if type(pattern) ~= "string" then
    compiler:refuse(location, pattern, "a regular expression")
  end
  local matches, message = regex(pattern)
  if not matches then
    compiler:fail(location, message)
  end
  return matches
end

define("string", "pattern", function(compiler, argument, location)
  local matches = compile_pattern(compiler, argument, location)
  local expected = "a string that matches " .. argument
  return function(value, at)
    if not matches(value) then
      return failure(at, expected, value)
    end
  end
end)

-- Arrays --------------------------------------------------------------------

define("array", "uniqueItems", function(compiler, argument, location)
  if type(argument) ~= "boolean" then
    compiler:refuse(location, argument, "a boolean")
  end
  return argument and function(value, at)
    local seen = {}
    for i = 1, #value do
      local key = values.key(value[i])
      if seen[key] then
        return failure(below(at, i - 1), ("an item unlike item %d"):format(seen[key]), value[i])
      end
      seen[key] = i - 1
    end
  end
end)

define("array", "prefixItems", function(compiler, argument, location)
  local nodes = checks.compile_list(compiler, argument, location)
  return function(value, at)
    for i = 1, math.min(#nodes, #value) do
      local failed = run(nodes[i], value[i], below(at, i - 1))
      if failed then
        return failed
      end
    end
  end
end)

define("array", "items", function(compiler, argument, location, schema)
  local node = compiler:compile(argument, location)
  local prefix = type(schema.prefixItems) == "table" and #schema.prefixItems or 0
  return function(value, at)
    for i = prefix + 1, #value do
      local failed = run(node, value[i], below(at, i - 1))
      if failed then
        return failed
      end
    end
  end
end)

define("array", "contains", function(compiler, argument, location, schema)
  local node = compiler:compile(argument, location)
  local least = schema.minContains or 1
  local most = schema.maxContains or math.huge
  local expected = "an array with "
    .. (most == math.huge and "at least " .. least or least .. " to " .. most)
    .. " items of a kind"
  return function(value, at)
    local count = 0
    for i = 1, #value do
      count = count + (run(node, value[i], below(at, i - 1)) and 0 or 1)
    end
    if count < least or count > most then
      return failure(at, expected, value)
    end
  end
end)

-- Parts of `contains`, and of no effect without it.
for _, name in ipairs { "minContains", "maxContains" } do
  define("array", name, function(compiler, argument, location)
    checks.check_count(compiler, argument, location)
  end)
end

-- Objects -------------------------------------------------------------------

local function missing(names, value, at)
  for _, name in ipairs(names) do
    if rawget(value, name) == nil then
      return failure(at, ("an object with the property %s"):format(values.show(name)), value)
    end
  end
end

define("object", "required", function(compiler, argument, location)
  checks.check_strings(compiler, argument, location)
  return function(value, at)
    return missing(argument, value, at)
  end
end)

define("object", "dependentRequired", function(compiler, argument, location)
  local names = checks.sorted_names(compiler, argument, location)
  for _, name in ipairs(names) do
    checks.check_strings(compiler, argument[name], values.below(location, name))
  end
  return function(value, at)
    for _, name in ipairs(names) do
      local failed = rawget(value, name) ~= nil and missing(argument[name], value, at)
      if failed then
        return failed
      end
    end
  end
end)

-- The subschemas of an object, in the order of their names: { name, node }.
local function compile_members(compiler, argument, location, node)
  local list = {}
  for i, name in ipairs(checks.sorted_names(compiler, argument, location)) do
    local place = values.below(location, name)
    list[i] = { name, node and compiler:compile_same(node, argument[name], place)
      or compiler:compile(argument[name], place) }
  end
  return list
end

define("object", "properties", function(compiler, argument, location)
  local list = compile_members(compiler, argument, location)
  return function(value, at)
    for _, member in ipairs(list) do
      local name = member[1]
      local part = rawget(value, name)
      local failed = part ~= nil and run(member[2], part, below(at, name))
      if failed then
        return failed
      end
    end
  end
end)

define("object", "dependentSchemas", function(compiler, argument, location, _, node)
  local list = compile_members(compiler, argument, location, node)
  return function(value, at)
    for _, member in ipairs(list) do
      local failed = rawget(value, member[1]) ~= nil and run(member[2], value, at)
      if failed then
        return failed
      end
    end
  end
end)

-- The names in an object for which `wanted` holds, in order, so that the same
-- value always fails in the same way.
local function names_in(value, wanted)
  local names = {}
  for name in next, value do
    if wanted(tostring(name)) then
      names[#names + 1] = name
    end
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

local function run_names(node, names, value, at)
  for _, name in ipairs(names) do
    local failed = run(node, value[name], below(at, name))
    if failed then
      return failed
    end
  end
end

define("object", "patternProperties", function(compiler, argument, location)
  local list = compile_members(compiler, argument, location)
  for _, member in ipairs(list) do
    member[1] = compile_pattern(compiler, member[1], values.below(location, member[1]))
  end
  return function(value, at)
    for _, member in ipairs(list) do
      local failed = run_names(member[2], names_in(value, member[1]), value, at)
      if failed then
        return failed
      end
    end
  end
end)

define("object", "additionalProperties", function(compiler, argument, location, schema)
  local node = compiler:compile(argument, location)
  local known = type(schema.properties) == "table" and schema.properties or {}
  local patterns = {}
  local given = schema.patternProperties
  for pattern in next, type(given) == "table" and given or {} do
    patterns[#patterns + 1] = compile_pattern(compiler, pattern, location)
  end
  local function is_additional(name)
    for _, matches in ipairs(patterns) do
      if matches(name) then
        return false
      end
    end
    return rawget(known, name) == nil
  end
  return function(value, at)
    return run_names(node, names_in(value, is_additional), value, at)
  end
end)

define("object", "propertyNames", function(compiler, argument, location)
  local node = compiler:compile(argument, location)
  return function(value, at)
    for _, name in ipairs(names_in(value, function() return true end)) do
      local failed = run(node, tostring(name), below(at, name))
      if failed then
        return failure(failed.at, "a property name that is " .. failed.expected, name)
      end
    end
  end
end)

-- The same value ------------------------------------------------------------

-- These are applied last: a failure of the schema's own keywords says more.

define("last", "$ref", function(compiler, argument, location, _, node)
  if type(argument) ~= "string" then
    compiler:refuse(location, argument, "a reference")
  end
  local target = compiler:compile_same(node, compiler:resolve(argument, location))
  return function(value, at)
    return run(target, value, at)
  end
end)

define("last", "allOf", function(compiler, argument, location, _, node)
  local nodes = checks.compile_list(compiler, argument, location, node)
  return function(value, at)
    for _, part in ipairs(nodes) do
      local failed = run(part, value, at)
      if failed then
        return failed
      end
    end
  end
end)

-- One failure for all alternatives: that of the only one which got further
-- into the value than its type, if there is one; else what each expects.
local function no_alternative(failures, value, at)
  local deep
  for _, failed in ipairs(failures) do
    if failed.at.depth > at.depth then
      if deep then
        deep = nil
        break
      end
      deep = failed
    end
  end
  if deep then
    return deep
  end
  local expected = {}
  for i, failed in ipairs(failures) do
    local place = values.pointer(failed.at):sub(#values.pointer(at) + 1)
    expected[i] = failed.expected .. (place == "" and "" or " at " .. place)
  end
  return failure(at, table.concat(expected, ", or "), value)
end

-- Which of the nodes the value fits, and how it fails the others.
local function try_all(nodes, value, at, enough)
  local fitting, failures = {}, {}
  for i, node in ipairs(nodes) do
    local failed = run(node, value, at)
    if failed then
      failures[#failures + 1] = failed
    else
      fitting[#fitting + 1] = i
      if #fitting == enough then
        break
      end
    end
  end
  return fitting, failures
end

define("last", "anyOf", function(compiler, argument, location, _, node)
  local nodes = checks.compile_list(compiler, argument, location, node)
  return function(value, at)
    local fitting, failures = try_all(nodes, value, at, 1)
    return #fitting == 0 and no_alternative(failures, value, at) or nil
  end
end)

define("last", "oneOf", function(compiler, argument, location, _, node)
  local nodes = checks.compile_list(compiler, argument, location, node)
  return function(value, at)
    local fitting, failures = try_all(nodes, value, at, 2)
    if #fitting == 2 then
      return failure(at, ("a value that fits one alternative only, not %d and %d"):format(
        fitting[1], fitting[2]), value)
    end
    return #fitting == 0 and no_alternative(failures, value, at) or nil
  end
end)

define("last", "not", function(compiler, argument, location, _, node)
  local other = compiler:compile_same(node, argument, location)
  local expected = "a value that does not fit " .. values.show(argument)
  return function(value, at)
    if not run(other, value, at) then
      return failure(at, expected, value)
    end
  end
end)

define("last", "if", function(compiler, argument, location, schema, node)
  local condition = compiler:compile_same(node, argument, location)
  local parent = location:sub(1, -#"/if" - 1)
  local function branch(name)
    return schema[name] ~= nil
      and compiler:compile_same(node, schema[name], values.below(parent, name))
  end
  local yes, no = branch "then", branch "else"
  return function(value, at)
    local chosen = yes
    if run(condition, value, at) then
      chosen = no
    end
    return chosen and run(chosen, value, at) or nil
  end
end)

-- Only to be referred to, but they must be schemas.
for _, name in ipairs { "$defs", "definitions" } do
  define("any", name, function(compiler, argument, location)
    compile_members(compiler, argument, location)
  end)
end

return checks
