-- Writes docs/reference and types from the annotations; run by scripts/reference
-- in the root of the tree. With --check it changes nothing, and says what differs.
package.path = "tools/reference/?.lua;" .. package.path

local fs = require "luge.fs"
local check = require "check"
local model = require "sources"()

local problems = check(model)

-- What is made, by its path.
local made = {}
for name, text in pairs(require "markdown"(model)) do
  made["docs/reference/" .. name] = text
end
for name, text in pairs(require "luals"(model)) do
  made["types/" .. name] = text
end

local function old_files()
  local list = {}
  for _, directory in ipairs { "docs/reference", "types" } do
    if fs.exists(directory) then
      for entry in fs.walk(directory) do
        list[#list + 1] = entry.type == "file" and entry.path or nil
      end
    end
  end
  return list
end

local function differences()
  for path, text in pairs(made) do
    if not fs.exists(path) or fs.read(path) ~= text then
      problems[#problems + 1] = path .. " is not up to date: run scripts/reference"
    end
  end
  for _, path in ipairs(old_files()) do
    if not made[path] then
      problems[#problems + 1] = path .. " is of no module: run scripts/reference"
    end
  end
end

local function write()
  for _, path in ipairs(old_files()) do
    if not made[path] then
      fs.remove(path)
    end
  end
  for path, text in pairs(made) do
    fs.mkdir(path:match "^(.*)/", { parents = true })
    fs.write(path, text)
  end
end

if ... == "--check" then
  differences()
else
  write()
end
for _, problem in ipairs(problems) do
  io.stderr:write("scripts/reference: ", problem, "\n")
end
os.exit(#problems == 0 and 0 or 1)
