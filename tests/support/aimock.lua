-- Starts the model server that others wrote, as scripts/setup installs it, on
-- a port that the system gives.
local luge = require "luge"

local aimock = {}

local program = os.getenv "LUGE_LLMOCK"
  or (os.getenv "HOME" or "") .. "/.cache/luge/test-tools/bin/llmock"

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

local function shell(command)
  local pipe <close> = io.popen(command)
  return pipe:read("a")
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read("a") or ""
end

--- Whether it is installed.
function aimock.is_installed()
  local file <close> = io.open(program, "rb")
  return file ~= nil
end

-- The address, once the server says that it listens.
local function wait_for_url(log)
  for _ = 1, 400 do
    local url = read(log):match("listening on (http://[%w%.:]+)")
    if url then return url end
    luge.sleep(0.05)
  end
  error("the model server did not start: " .. read(log))
end

--- `url`, and `close()`. `fixtures` is a folder.
function aimock.start(fixtures)
  local log = os.tmpname()
  local pid = shell(("%s -p 0 -f %s >%s 2>&1 </dev/null & echo $!"):format(
    quote(program), quote(fixtures), quote(log))):match("%d+")
  local function close()
    shell("kill " .. pid .. " 2>&1")
    os.remove(log)
  end
  local ok, url = pcall(wait_for_url, log)
  if not ok then
    close()
    error(url, 0)
  end
  return { url = url, close = close }
end

return aimock
