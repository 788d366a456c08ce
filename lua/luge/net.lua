--- Connections over TCP and UNIX sockets, as client and server, and look-ups of
--- names. Without TLS as yet: for HTTPS see `luge.http`.
--
-- A connection is read in pieces, lines, or exact numbers of bytes. Everything
-- that waits ends at once when its task is cancelled; for a time limit put
-- `luge.timeout` around it.

local native = require "luge.native.net"
local check = require "luge.internal.check"
local connections = require "luge.internal.net_connection"
local servers = require "luge.internal.net_server"

---@class luge.net
local net = {}

local KEEPALIVE <const> = 60

local function is_port(value)
  return math.type(value) == "integer" and value >= 0 and value <= 65535
end

local function check_port(name, value)
  if not is_port(value) then
    check.fail("bad port for '%s': got %s, takes an integer from 0 to 65535", name,
      check.describe(value))
  end
end

-- Seconds until the first probe, a whole number; 0: none.
local function keepalive_of(name, value)
  if value == nil or value == false then
    return 0
  elseif value == true then
    return KEEPALIVE
  elseif math.type(value) == "integer" and value >= 1 and value <= 32767 then
    return value
  end
  return check.fail("bad option 'keepalive' for '%s': got %s, takes true, false or seconds",
    name, check.describe(value))
end

---@class luge.net.ConnectOptions
---@field host? string a name or an address
---@field port? integer
---@field path? string a UNIX socket instead; "@name": in Linux' abstract namespace
---@field nodelay? boolean small pieces are sent at once; default true
---@field keepalive? boolean|integer probes after so many seconds without a sign; true: 60

local connect_known = {
  host = "string", port = true, path = "string", nodelay = "boolean", keepalive = true,
}

local function connect_options(host, port, options)
  if type(host) == "table" then
    return check.options("connect", host, connect_known)
  end
  local all = { host = check.argument("connect", 1, host, "string"), port = port }
  for name, value in next, check.options("connect", options, connect_known) do
    if name == "host" or name == "port" or name == "path" then
      check.fail("'connect' with a host takes no option '%s'", name)
    end
    all[name] = value
  end
  return all
end

--- Connects: `net.connect("example.org", 80)`, `net.connect { path = "/run/x" }`.
--- Waits. Several addresses of a name are tried one after the other, a quarter of
--- a second apart, until one answers (RFC 8305).
---
--- Raises `network` with `code` "dns" or "connect" (then `errno` too), `limit`
--- if there are no descriptors left, and `permission`.
---@param host string|luge.net.ConnectOptions
---@param port? integer
---@param options? luge.net.ConnectOptions
---@return luge.net.Connection
function net.connect(host, port, options)
  local o = connect_options(host, port, options)
  local keepalive = keepalive_of("connect", o.keepalive)
  if o.path then
    if o.host or o.port then
      check.fail("'connect' takes a path, or a host and a port")
    end
    return connections.new(native.dial_path(o.path))
  elseif not o.host then
    check.fail("'connect' takes a host and a port, or a path")
  end
  check_port("connect", o.port)
  local targets = native.resolve(o.host, o.port, "connect")
  return connections.new(native.dial(targets, o.nodelay ~= false, keepalive))
end

---@class luge.net.ListenOptions
---@field host? string a name or an address; "0.0.0.0" or "::" for all; default "127.0.0.1"
---@field port? integer default 0: any that is free
---@field path? string a UNIX socket instead; "@name": in Linux' abstract namespace
---@field backlog? integer connections that wait to be accepted; default 128
---@field max_connections? integer open ones; default 10000
---@field nodelay? boolean default true
---@field keepalive? boolean|integer

local listen_known = {
  host = "string", port = true, path = "string", backlog = "count", max_connections = "count",
  nodelay = "boolean", keepalive = true,
}

local function listen(name, o)
  local backlog, max = o.backlog or 128, math.min(o.max_connections or 10000, 0xFFFFFFFF)
  local keepalive = keepalive_of(name, o.keepalive)
  if o.path then
    if o.host or o.port then
      check.fail("'%s' takes a path, or a host and a port", name)
    end
    return servers.new(native.listen_path(o.path, backlog, max), o.path)
  end
  check_port(name, o.port or 0)
  local targets = native.resolve(o.host or "127.0.0.1", o.port or 0, "listen")
  return servers.new(native.listen(targets, backlog, max, o.nodelay ~= false, keepalive))
end

--- Listens: `for conn in net.listen { port = 7000 }:connections() do ... end`.
--- Waits only for a host that is a name. A UNIX socket's path is removed when the
--- server is closed, and one that nobody listens on any more is taken over.
---
--- Raises `io` with `errno` ("EADDRINUSE"), `limit` if there are no descriptors
--- left, and `permission`.
---@param options? luge.net.ListenOptions
---@return luge.net.Server
function net.listen(options)
  return listen("listen", check.options("listen", options, listen_known))
end

---@class luge.net.ServeOptions: luge.net.ListenOptions
---@field handler function called with each luge.net.Connection, in a task of its own
---@field on_error? function told, with a message, when a handler fails; default: the log

local serve_options = { handler = "function", on_error = "function" }
for name, kind in pairs(listen_known) do
  serve_options[name] = kind
end

--- Listens, and calls `handler(conn)` for each connection in a task of its own,
--- which closes the connection when it returns. The server belongs to the task
--- that called this, which does not end before it is closed. Raises as `listen`.
---@param options luge.net.ServeOptions
---@return luge.net.Server
function net.serve(options)
  check.options("serve", options, serve_options)
  if type(options) ~= "table" or not options.handler then
    check.fail "'serve' takes a table with a handler"
  end
  return servers.serve(listen("serve", options), options.handler, options.on_error)
end

--- The addresses of a name, as texts, in the order in which `connect` tries
--- them. Waits. Raises `network` with the code "dns" if it has none.
---@param name string
---@return string[]
function net.lookup(name)
  check.argument("lookup", 1, name, "string")
  return native.addresses(native.resolve(name, 0, "lookup"))
end

return net
