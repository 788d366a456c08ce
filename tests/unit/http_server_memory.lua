-- A server whose host may have little memory; see http_server_memory_test.c and
-- http_server_idle_test.c.
local http = require "luge.http"

local server = http.server { handler = function() return "hello" end, on_error = function() end }

server:route("POST", "/length", function(req) return tostring(#req:text()) end)

server:route("GET", "/large", function(req) return ("x"):rep(tonumber(req.query.n)) end)

server:route("GET", "/garbage", function(req)
  local t = {}
  for i = 1, tonumber(req.query.n) do t[i] = {} end
  return "done"
end)

server:route("GET", "/rss", function()
  collectgarbage()
  local file = io.open "/proc/self/statm"
  if not file then return "0" end -- not Linux
  local pages <const> = file:read("a"):match "^%d+ (%d+)"
  file:close()
  return tostring(tonumber(pages) * 4096)
end)

server:route("GET", "/quit", function()
  server:close(5)
  return "bye"
end)

do
  local ports <close> = assert(io.open((...), "w"))
  ports:write(server.port, "\n")
end
