-- Two ends of a connection; the server's is closed with the other.
local net = require "luge.net"

--- `options` are those of `net.listen`.
return function(options)
  local server <close> = net.listen(options)
  local path = options and options.path
  local client = path and net.connect { path = path } or net.connect("127.0.0.1", server.port)
  return client, server:accept()
end
