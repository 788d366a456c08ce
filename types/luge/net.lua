---@meta luge.net
-- Made by scripts/reference from the annotations in lua/luge.

do
---@class luge.net.ConnectOptions
---@field host? string a name or an address
---@field port? integer
---@field path? string a UNIX socket instead; "@name": in Linux' abstract namespace
---@field nodelay? boolean small pieces are sent at once; default true
---@field keepalive? boolean|integer probes after so many seconds without a sign; true: 60
local class = {}

end

do
---@class luge.net.ListenOptions
---@field host? string a name or an address; "0.0.0.0" or "::" for all; default "127.0.0.1"
---@field port? integer default 0: any that is free
---@field path? string a UNIX socket instead; "@name": in Linux' abstract namespace
---@field backlog? integer connections that wait to be accepted; default 128
---@field max_connections? integer open ones; default 10000
---@field nodelay? boolean default true
---@field keepalive? boolean|integer
local class = {}

end

do
---@class luge.net.ServeOptions: luge.net.ListenOptions
---@field handler function called with each luge.net.Connection, in a task of its own
---@field on_error? function told, with a message, when a handler fails; default: the log
local class = {}

end

do
--- A connection, over TCP or a UNIX socket. Reading, `write` and `shutdown` wait,
--- and raise `network` (`code = "reset"`) when it breaks, and `closed` once it is
--- closed. It may be read by one task and written by another at the same time.
---@class luge.net.Connection
local class = {}

--- What has come, as soon as there is something: at most `count` bytes. nil at
--- the end, when the other side has closed or shut down its end.
---@param count? integer default: all that has come
---@return string?
function class:read(count) end

--- Exactly `count` bytes. Raises `truncated` if the connection ends before;
--- `partial` has what came.
---@param count integer
---@return string
function class:read_exactly(count) end

--- All up to `mark`, and the mark. Raises `truncated` if the connection ends
--- before it, with what came in `partial`; `limit` if more than `limit` bytes
--- come before it, which can still be read then.
---@param mark string
---@param limit? integer bytes, default 16 MiB
---@return string
function class:read_until(mark, limit) end

--- All that still comes, until the other side ends it. More than `limit` bytes
--- raise `limit`, and can still be read.
---@param limit? integer bytes, default 16 MiB
---@return string
function class:read_all(limit) end

--- The next line, without "\n" or "\r\n"; nil at the end. A last line may lack
--- its end. One longer than `limit` raises `limit`, and can still be read.
---@param limit? integer bytes, default 16 MiB
---@return string?
function class:read_line(limit) end

--- A Stream of lines, as by `read_line`. Closing it leaves the connection open.
---@param options? { limit?: integer }
---@return luge.Stream
function class:lines(options) end

--- A Stream of what comes, as by `read`.
---@return luge.Stream
function class:chunks() end

--- Sends strings or numbers, one behind the other. Waits while more than 64 KiB
--- have not been taken by the system, so that a slow reader slows its writer
--- down. What a cancelled task was writing is still sent.
---@param ... string|number
---@return luge.net.Connection # self
function class:write(...) end

--- Ends what is sent, after what was written: the other side reads to its end,
--- and can still answer. Waits until that was sent.
---@return luge.net.Connection # self
function class:shutdown() end

--- Closes the connection. Waits until what was written has been taken by the
--- system, for five seconds at most; a task that was cancelled does not wait, and
--- what is not sent yet is dropped. Again, it does nothing.
function class:close() end

--- This end's host and port; or the path of a UNIX socket, "" if it has none.
---@return string, integer? # host; port
function class:local_address() end

--- The other end's host and port; or the path of a UNIX socket, "" if it has
--- none; nil once it is gone.
---@return string?, integer? # host; port
function class:peer_address() end

end

do
--- Where connections come in.
---@class luge.net.Server
---@field host? string its address
---@field port? integer
---@field path? string of a UNIX socket
local class = {}

--- The next connection; nil once the server is closed. Waits. Connections that
--- nobody accepts wait in the system's queue (`backlog`), and so do those beyond
--- `max_connections`. Raises `limit` when there are no descriptors left: it can
--- be called again when some have been closed.
---@return luge.net.Connection?
function class:accept() end

--- A Stream of connections, as by `accept`: `for conn in server:connections() do`.
---@return luge.Stream
function class:connections() end

--- How many connections are open that came in here.
---@return integer
function class:count() end

--- Takes no more connections, and removes the path of a UNIX socket. With a
--- handler: waits for those that run, and what they spawned, for `grace` seconds
--- at most, then cancels them and waits until they have ended, but for one that
--- calls this, or of which a task does; else the connections stay. Again, it does
--- nothing.
---@param grace? number seconds; default 0
function class:close(grace) end

end

---@class luge.net
local net = {}

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
function net.connect(host, port, options) end

--- Listens: `for conn in net.listen { port = 7000 }:connections() do ... end`.
--- Waits only for a host that is a name. A UNIX socket's path is removed when the
--- server is closed, and one that nobody listens on any more is taken over.
---
--- Raises `io` with `errno` ("EADDRINUSE"), `limit` if there are no descriptors
--- left, and `permission`.
---@param options? luge.net.ListenOptions
---@return luge.net.Server
function net.listen(options) end

--- Listens, and calls `handler(conn)` for each connection in a task of its own,
--- which closes the connection when it returns. The server belongs to the task
--- that called this, which does not end before it is closed. Raises as `listen`.
---@param options luge.net.ServeOptions
---@return luge.net.Server
function net.serve(options) end

--- The addresses of a name, as texts, in the order in which `connect` tries
--- them. Waits. Raises `network` with the code "dns" if it has none.
---@param name string
---@return string[]
function net.lookup(name) end

return net
