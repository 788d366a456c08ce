-- The modules as they are in the tree: public ones first, then what they are
-- made of, which documents their classes.
local annotations = require "annotations"
local fs = require "luge.fs"

local function module_name(file)
  local name = file:match "^(.*)%.lua$"
  return name == "init" and "luge" or name and "luge." .. name
end

local function files()
  local list = {}
  for _, file in ipairs(fs.list "lua/luge") do
    list[#list + 1] = module_name(file)
      and { path = "lua/luge/" .. file, module = module_name(file) }
  end
  for entry in fs.walk "lua/luge/internal" do
    if entry.name:find "%.lua$" then
      list[#list + 1] = { path = entry.path }
    end
  end
  return list
end

--- Reads all annotations; see annotations.lua.
return function()
  return annotations.read(files())
end
