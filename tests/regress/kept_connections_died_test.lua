-- libcurl sends a request again when the kept connection dies under it, but five
-- times at most, which it counted over all requests of a handle, and handles are
-- used again: of the requests that met a dead connection, every sixth failed.
local http = require "luge.http"
local net = require "luge.net"
local test = require "luge.test"

test.it("sends a request again however many kept connections have died", function()
  local connections = 0
  local server = net.serve { handler = function(conn)
    connections = connections + 1
    conn:read_until "\r\n\r\n"
    conn:write "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
    conn:read_until "\r\n\r\n" -- and goes without an answer
  end }
  local client <close> = http.client {}
  for _ = 1, 20 do
    test.equal(client:get("http://127.0.0.1:" .. server.port).body, "x")
  end
  test.equal(connections, 20)
  test.equal(test.raises("network", client.post, client,
    "http://127.0.0.1:" .. server.port, { body = "y" }).code, "reset")
  server:close(0)
end)
