-- Finds names in code that luge does not have: `http.gett`, `luge.wait.fix`,
-- `stream:tkae(2)`. What there is, the annotations say, which are checked
-- against the running modules.
package.path = "tools/reference/?.lua;" .. package.path
local model = require "sources"()

local modules, methods = {}, {}

local function add_methods(class)
  for _, member in ipairs(class.members) do
    methods[member.name] = true
  end
end

for _, class in ipairs(model.classes) do
  if class.is_module then
    modules[class.name:match "[^.]+$"] = class
  end
  add_methods(class)
end

-- Lua's own, of strings and of files.
for name in pairs(string) do
  methods[name] = true
end
for _, name in ipairs { "read", "write", "lines", "close", "seek", "flush", "setvbuf" } do
  methods[name] = true
end

-- What follows `luge.` and is no member of a module: files, and what comes later.
local others = { h = true, pc = true, native = true, internal = true, graph = true,
  sandbox = true, mcp = true, trace = true }

-- Names that raise, and say that they are planned.
local planned = { ["http.websocket"] = true }

local function has(class, path)
  local parent = class.parents and model.classes[class.parents]
  return class.members.by_name[path] or model.classes[class.name .. "." .. path]
    or (parent and has(parent, path))
end

-- Whether the path ("wait.fixed", "http.get") is one of the module's.
local function is_known(class, path)
  local first, rest = path:match "^([%w_]+)%.?(.*)$"
  if class.name == "luge" and (others[first] or (modules[first] and rest == "")) then
    return true
  elseif class.name == "luge" and modules[first] and not has(class, first) then
    return is_known(modules[first], rest)
  end
  return has(class, first) and (rest == "" or has(class, path) or not has(class, first).kind)
end

local function check_line(text, report)
  for name, path in text:gmatch "%f[%w_.:\"'/]([%a_][%w_]*)%.([%a_][%w_.]*)" do
    local class = modules[name]
    if class and not planned[name .. "." .. path]
      and not is_known(class, (path:gsub("%.+$", ""))) then
      report(name .. "." .. path)
    end
  end
  for name in text:gsub('"[^"]*"', '""'):gmatch "[%w_%])}\"]:([%a_][%w_]*)%s*[({\"']" do
    if not methods[name] then
      report(":" .. name)
    end
  end
end

--- Appends a line to `list` for each name in `code`, a list of `{ text =, where =
--- }`, that does not exist.
return function(code, list)
  for _, piece in ipairs(code) do
    check_line(piece.text, function(name)
      list[#list + 1] = ("%s: there is no %s"):format(piece.where, name)
    end)
  end
end
