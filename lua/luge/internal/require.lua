-- `require` as Lua's own, except that a module may wait at its top level: Lua's
-- calls the loader from C, where it could not. A second task that requires a
-- module while a first one loads it waits for the first.
local package, error, type, setmetatable = package, error, type, setmetatable
local loaded, concat = package.loaded, table.concat

-- name -> { task = the loading task or false, done = an event, once needed }
local loading = {}

local function current_task()
  local tasks = loaded["luge.native.task"]
  return tasks and tasks.current_or_nil() or false
end

local function search(name)
  local searchers = package.searchers
  if type(searchers) ~= "table" then
    error("'package.searchers' must be a table", 0)
  end
  local reasons = {}
  for i = 1, #searchers do
    local loader, data = searchers[i](name)
    if type(loader) == "function" then
      return loader, data
    elseif type(loader) == "string" then
      reasons[#reasons + 1] = "\n\t" .. loader:gsub("^\n\t", "")
    end
  end
  error(("module '%s' not found:%s"):format(name, concat(reasons)), 4)
end

local function wait_for(name, entry)
  if entry.task == current_task() then
    error(("module '%s' requires itself, directly or through others"):format(name), 3)
  end
  entry.done = entry.done or require("luge.native.sync").event()
  entry.done:wait()
end

local function finished(entry)
  loading[entry.name] = nil
  if entry.done then entry.done:set() end
end

local entries = { __close = finished }

local function load(name)
  local loader, data = search(name)
  local entry <close> = setmetatable({ name = name, task = current_task() }, entries)
  loading[name] = entry
  local value = loader(name, data)
  if value ~= nil then
    loaded[name] = value
  elseif loaded[name] == nil then
    loaded[name] = true
  end
  return loaded[name], data
end

return function(name)
  if type(name) == "number" then name = tostring(name) end
  if type(name) ~= "string" then
    error(("bad argument #1 to 'require' (string expected, got %s)"):format(type(name)), 2)
  end
  while loaded[name] == nil do
    local entry = loading[name]
    if not entry then return load(name) end
    wait_for(name, entry)
  end
  return loaded[name]
end
