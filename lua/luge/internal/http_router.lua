-- Routes: which handler answers a method and a path. A path of a route is
-- literal, but for segments `:name`, which take any one that is not empty, and a
-- last segment `*name`, which takes the rest. Literal paths win over others, else
-- the route that was added first.

local target = require "luge.internal.http_target"
local errors = require "luge.native.task"

local Router = {}
Router.__index = Router

local function invalid(...)
  error(errors.error { kind = "invalid", message = string.format(...) }, 0)
end

local function segments_of(path)
  local list = {}
  for segment in path:gmatch "/([^/]*)" do
    list[#list + 1] = segment
  end
  return list
end

-- Segments of a pattern: a string is literal, a table a parameter.
local function compile(path)
  local pattern, literal, names = segments_of(path), true, {}
  for i, segment in ipairs(pattern) do
    local sign, name = segment:match "^([:*])(.*)$"
    if sign then
      if name == "" then
        invalid("route: parameter %d of %q has no name", i, path)
      elseif names[name] then
        invalid("route: parameter '%s' is twice in %q", name, path)
      end
      names[name] = true
      if sign == "*" and i < #pattern then
        invalid("route: '*%s' in %q is not the last segment", name, path)
      end
      pattern[i], literal = { name = name, rest = sign == "*" }, false
    end
  end
  return pattern, literal
end

local function match_pattern(pattern, segments)
  local params = {}
  for i, want in ipairs(pattern) do
    local have = segments[i]
    if type(want) == "table" and want.rest then
      have = table.concat(segments, "/", i)
    elseif have == nil then
      return nil
    end
    have = target.decode(have)
    if type(want) == "table" then
      params[want.name] = have
      if want.rest then return params end
      if have == "" then return nil end
    elseif have ~= want then
      return nil
    end
  end
  return #segments == #pattern and params or nil
end

function Router:add(method, path, handler)
  if type(method) ~= "string" or not method:find "^[%u%*-]+$" then
    invalid("route: method is %s, takes an upper-case method or \"*\"",
      type(method) == "string" and ("%q"):format(method) or type(method))
  end
  if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
    invalid("route: path is %s, takes a string that begins with \"/\"",
      type(path) == "string" and ("%q"):format(path) or type(path))
  end
  local pattern, literal = compile(path)
  local route = self.by_path[path]
  if not route then
    route = { pattern = pattern, literal = literal, methods = {} }
    self.by_path[path] = route
    table.insert(self.list, route)
  end
  if route.methods[method] then
    invalid("route: %s %s is there already", method, path)
  end
  route.methods[method] = handler
end

local function handler_for(route, method)
  local methods = route.methods
  return methods[method] or (method == "HEAD" and methods.GET) or methods["*"]
end

local function add_allowed(allowed, route)
  for method in pairs(route.methods) do
    allowed[method] = true
    if method == "GET" then allowed.HEAD = true end
  end
end

local function literal_first(list, segments, literal, visit)
  for _, route in ipairs(list) do
    if route.literal == literal then
      local params = match_pattern(route.pattern, segments)
      if params and visit(route, params) then return true end
    end
  end
end

---Finds the handler for a path that is still encoded.
---@return function? handler
---@return table|string[]|nil # the parameters; or, if the path is known but the
---method is not, the methods that are
function Router:find(method, path)
  local route = self.by_path[path]
  local handler = route and route.literal and handler_for(route, method)
  if handler then return handler, {} end
  if not self.list[1] then return nil end
  local allowed, found, found_params = {}, nil, nil
  local function visit(candidate, params)
    found, found_params = handler_for(candidate, method), params
    if not found then add_allowed(allowed, candidate) end
    return found
  end
  local segments = segments_of(path)
  if literal_first(self.list, segments, true, visit)
    or literal_first(self.list, segments, false, visit) then
    return found, found_params
  end
  if next(allowed) == nil then return nil end
  local names = {}
  for name in pairs(allowed) do names[#names + 1] = name end
  table.sort(names)
  return nil, names
end

local function new() return setmetatable({ by_path = {}, list = {} }, Router) end

return { new = new }
