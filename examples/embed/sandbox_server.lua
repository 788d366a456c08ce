-- The server of sandbox_server.c, which offers `run_script(text)`: it waits
-- until the script has ended, in a host of its own, and returns its result as
-- JSON, or raises what went wrong.

local luge = require "luge"
local http = require "luge.http"

local port = tonumber((...))

local server = http.server {
  port = port,
  max_body = 65536,
  max_connections = 32,
  handler = function(request)
    local ok, answer = pcall(luge.timeout, 1, run_script, request:text())
    return { status = ok and 200 or 422, body = tostring(answer) .. "\n" }
  end,
}

if port then
  print("Listening on " .. server.url)
else
  local scripts = {
    "return { answer = 6 * 7 }",
    "while true do pcall(error) end",
    "require 'luge'.sleep(60)",
    "return ('x'):rep(1 << 30)",
    "return require 'luge.fs'.read '/etc/passwd'",
    "return return",
  }
  local answers = luge.map(scripts, function(script)
    return http.post(server.url, { body = script }):text()
  end)
  for i, script in ipairs(scripts) do
    io.write(script, "\n  ", answers[i])
  end
  server:close()
end
