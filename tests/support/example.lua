-- Runs an example as its reader would, but with nobody at the terminal and on
-- the demo model, and compares what it prints with what it says it prints:
--
--   luge tests/support/example.lua FILE
--
-- A block of comment at its end that begins with "-- Prints:" holds the lines
-- of standard output, three characters in; "..." is any text. Without the block
-- the exit status is all that counts.
local fs = require "luge.fs"
local process = require "luge.process"
local is_expected = dofile "tests/support/expect.lua"

local function expectation(text)
  local block = text:match "\n%-%- Prints:\n(.*)$"
  if not block then
    return nil
  end
  local lines = {}
  for line in block:gmatch "([^\n]*)\n" do
    lines[#lines + 1] = assert(line:match "^%-%-   (.*)$" or line:match "^%-%-()$" and "",
      "not a line of the output: " .. line)
  end
  return table.concat(lines, "\n")
end

local path = ...
local result = process.run {
  os.getenv "LUGE", path,
  env = { LUGE_MODEL = false, OPENAI_API_KEY = false, LUGE_LOG = false },
}
io.stderr:write(result.stderr)
local expected = expectation(fs.read(path))
if result.code ~= 0 then
  error(("%s ended with %s, after printing\n%s"):format(path, result.code or result.signal,
    result.stdout), 0)
elseif expected and not is_expected(result.stdout, expected) then
  error(("%s says that it prints\n%s\nbut it printed\n%s"):format(path, expected,
    result.stdout), 0)
end
