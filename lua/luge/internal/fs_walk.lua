-- `fs.walk`: a stack of directories, each with the sorted entries that are
-- still to be returned.
local native = require "luge.native.fs"
local is_error = require("luge.native.task").is_error
local stream = require "luge.internal.stream"

local function join(path, name)
  return path:sub(-1) == "/" and path .. name or path .. "/" .. name
end

-- A directory below may be gone by now, or be something else.
local function is_gone(err)
  return is_error(err, "io") and (err.errno == "ENOENT" or err.errno == "ENOTDIR")
end

local function read_level(path, depth)
  local names, types = native.list(path)
  local type_of = {}
  for i = 1, #names do
    type_of[names[i]] = types[i]
  end
  table.sort(names)
  return { path = path, names = names, types = type_of, at = 0, depth = depth }
end

local function enter(levels, path, depth)
  local ok, level = pcall(read_level, path, depth)
  if ok then
    levels[depth] = level
  elseif depth == 1 or not is_gone(level) then
    error(level, 0)
  end
end

-- The next entry. `pending` is a directory that was returned and not yet
-- entered: a step that was cancelled goes on with it.
local function step(levels, state)
  if state.pending then
    enter(levels, state.pending.path, state.pending.depth + 1)
    state.pending = nil
  end
  local level = levels[#levels]
  while level and level.at == #level.names do
    levels[#levels] = nil
    level = levels[#levels]
  end
  if not level then
    return nil
  end
  level.at = level.at + 1
  local name = level.names[level.at]
  local entry = {
    path = join(level.path, name),
    name = name,
    type = level.types[name],
    depth = level.depth,
  }
  if entry.type == "directory" then
    state.pending = { path = entry.path, depth = entry.depth }
  end
  return entry
end

return function(path)
  local levels, state = {}, {}
  enter(levels, path, 1)
  return stream.open(function()
    return step(levels, state)
  end)
end
