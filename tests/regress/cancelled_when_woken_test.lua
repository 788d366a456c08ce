-- A cancellation that came when a task was woken, but had not run yet, was lost
-- if what had come was not enough and the task waited on: a stream that only
-- drips, comments of Server-Sent Events or bytes of one line, could not be left.
local luge = require "luge"
local http = require "luge.http"
local net = require "luge.net"
local test = require "luge.test"

local HEAD <const> = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

for way, drop in pairs { events = ":\n", lines = "." } do
  test.it("leaves the " .. way .. " of a stream that drips", function()
    local drip, leave = luge.event(), luge.event()
    local server = net.serve { handler = function(conn)
      conn:read_until "\r\n\r\n"
      conn:write(HEAD)
      drip:wait()
      conn:write(drop)
      leave:wait()
    end }
    local reader = luge.spawn(function()
      local response <close> = http.get("http://127.0.0.1:" .. server.port, { stream = true })
      for _ in response[way](response) do end
    end)
    repeat luge.sleep(0) until reader:waiting_for() == "more of an HTTP response"
    drip:set()
    repeat luge.sleep(0) until reader:status() ~= "waiting"
    test.equal(reader:status(), "ready")
    reader:cancel()
    test.raises("cancelled", luge.await, reader)
    leave:set()
    server:close(0)
  end)
end
