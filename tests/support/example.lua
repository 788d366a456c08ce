-- Runs an example as its reader would, but with nobody at the terminal and on
-- the demo model, and compares what it prints with what it says it prints:
--
--   luge tests/support/example.lua FILE
--
-- The comment at its end has lines of standard output, three characters in,
-- behind "-- Prints:"; "..." is any text. Before it there may be lines of standard
-- input, behind "-- Given:".
local fs = require "luge.fs"
local process = require "luge.process"
local is_expected = dofile "tests/support/expect.lua"

-- The lines of comment behind a mark; nil if it is not there.
local function lines_behind(text, mark)
  local block = text:match("\n%-%- " .. mark .. ":\n(.*)$")
  if not block then
    return nil
  end
  local lines = {}
  for line in block:gmatch "([^\n]*)\n" do
    local shown = line:match "^%-%-   (.*)$" or line == "--" and ""
    if not shown then
      break
    end
    lines[#lines + 1] = shown
  end
  return table.concat(lines, "\n") .. "\n"
end

local path = ...
local text = fs.read(path)
local result = process.run {
  os.getenv "LUGE", path, input = lines_behind(text, "Given"),
  env = { LUGE_MODEL = false, OPENAI_API_KEY = false, LUGE_LOG = false },
}
io.stderr:write(result.stderr)
local expected = lines_behind(text, "Prints")
if result.code ~= 0 then
  error(("%s ended with %s, after printing\n%s"):format(path, result.code or result.signal,
    result.stdout), 0)
elseif not expected then
  error(path .. " does not say what it prints: see tests/support/example.lua", 0)
elseif not is_expected(result.stdout, expected) then
  error(("%s says that it prints\n%s\nbut it printed\n%s"):format(path, expected,
    result.stdout), 0)
end
