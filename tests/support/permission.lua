-- Scripts in a process of their own, with permissions; in a folder that is
-- removed afterwards.
local fs = require "luge.fs"
local process = require "luge.process"

local permission = {}

local LUGE <const> = assert(os.getenv "LUGE", "LUGE is the command under test")

---@class permission.Folder
---@field path string
local Folder = {}
Folder.__index = Folder

function Folder:write(name, text)
  fs.write(self.path .. "/" .. name, text, { sync = false })
  return self.path .. "/" .. name
end

function Folder:read(name)
  return fs.read(self.path .. "/" .. name)
end

function Folder:__close()
  self.temporary:close()
end

--- A new folder, by its real path, with a directory `in`, a file `in/a`, a
--- directory `out`, and a file `out/secret`.
function permission.folder()
  local temporary = fs.temp { directory = true }
  local path = process.run { "pwd", "-P", cwd = temporary.path, check = true }.stdout:sub(1, -2)
  local folder = setmetatable({ temporary = temporary, path = path }, Folder)
  fs.mkdir(path .. "/in")
  fs.mkdir(path .. "/out")
  folder:write("in/a", "a\n")
  folder:write("out/secret", "secret\n")
  return folder
end

--- Runs code with options of the command, in the folder; `env` is added to its
--- environment. What it prints is in `stdout`.
function Folder:run(options, code, env)
  local command = table.move(options, 1, #options, 2, { LUGE })
  command[#command + 1] = self:write("script.lua", code)
  command.cwd, command.env, command.timeout = self.path, env, 60
  return process.run(command)
end

--- What a script sees: `try(f, ...)` prints the result, or the kind, capability
--- and resource of the error.
permission.prelude = [[
  local fs = require "luge.fs"
  local function try(f, ...)
    local ok, result = pcall(f, ...)
    if ok then
      print("ok", type(result) == "string" and result:gsub("\n", "") or type(result))
    elseif type(result) == "table" then
      print(result.kind, result.capability or result.errno or result.message, result.resource)
    else
      print("error", (tostring(result):gsub("\n.*", "")))
    end
  end
]]

--- The same, with the prelude in front; returns the lines that it printed, and
--- fails if it did not end well.
function Folder:lines(options, code, env)
  local result = self:run(options, permission.prelude .. code, env)
  assert(result.code == 0, result.stderr)
  local lines = {}
  for line in result.stdout:gmatch "[^\n]+" do
    lines[#lines + 1] = (line:gsub(self.path:gsub("%p", "%%%0"), "~"))
  end
  return lines
end

return permission
