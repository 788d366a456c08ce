-- Runs the command `luge` on a piece of code, from a test:
--
--   local run = dofile "tests/support/command.lua"
--   local text, status = run [[ error "x" ]]
--
-- `text` is all that it wrote, on either stream. Blocks.
local command = os.getenv "LUGE" or "luge"

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

---@param code string
---@param options? string of the command
---@param before? string shell commands: limits, say
---@return string text
---@return integer status of its exit; a signal's number plus 128
return function(code, options, before)
  local pipe <close> = io.popen(("%s%s %s -e %s 2>&1 </dev/null"):format(
    before or "", quote(command), options or "", quote('local luge = require "luge"\n' .. code)))
  local text = pipe:read "a"
  local _, how, status = pipe:close()
  return text, how == "signal" and status + 128 or status
end
