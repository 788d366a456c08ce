-- Servers: a listening socket, and the task that gives its connections to a
-- handler, each in a task of its own.
local tasks = require "luge.native.task"
local log = require "luge.native.log".write
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local connections = require "luge.internal.net_connection"
local stream = require "luge.internal.stream"

local is_error = tasks.is_error

--- Where connections come in.
---@class luge.net.Server
---@field host? string its address
---@field port? integer
---@field path? string of a UNIX socket
local Server = { __name = "Server" }
Server.__index = Server

local net_server = {}

function net_server.new(native, path)
  local self = setmetatable({ native = native, path = path }, Server)
  if not path then
    self.host, self.port = native:address()
  end
  return self
end

--- The next connection; nil once the server is closed. Waits. Connections that
--- nobody accepts wait in the system's queue (`backlog`), and so do those beyond
--- `max_connections`. Raises `limit` when there are no descriptors left: it can
--- be called again when some have been closed.
---@return luge.net.Connection?
function Server:accept()
  local native = self.native:accept()
  return native and connections.new(native)
end

--- A Stream of connections, as by `accept`: `for conn in server:connections() do`.
---@return luge.Stream
function Server:connections()
  return stream.open(function() return self:accept() end)
end

--- How many connections are open that came in here.
---@return integer
function Server:count()
  return self.native:count()
end

local function log_failure(message)
  log("error", "luge.net: a handler failed: " .. message)
end

local function report(self, err, trace)
  local message = ("%s\n%s"):format(tostring(err), trace or "")
  local ok, problem = pcall(self.on_error, message)
  if not ok then
    log_failure(message .. "\nand on_error failed: " .. tostring(problem))
  end
end

-- The tasks of all handlers but the one that closes the server, or of which a
-- task does.
local function others(self)
  local list = {}
  for task, connection in pairs(self.running) do
    if not tasks.within(task) then
      list[task] = connection
    end
  end
  return list
end

-- Until the handlers have ended, and what they spawned, which a task of the
-- server's own cannot wait for.
local function await_all(self, handlers)
  for task in pairs(handlers) do
    pcall(tasks.await, task)
  end
  if not tasks.within(self.task) and not self.task:done() then
    local ok, err = pcall(tasks.await, self.task)
    if not ok and not is_error(err, "cancelled") then
      report(self, err)
    end
  end
end

-- Closes connections, too: a handler that was cancelled before it first ran has
-- not.
local function end_all(self, handlers)
  await_all(self, handlers)
  for task, connection in pairs(handlers) do
    self.running[task] = nil
    connection.native:close()
  end
end

local function end_handlers(self, grace)
  local handlers = others(self)
  if grace > 0 then
    local ok, err = pcall(tasks.timeout, grace, await_all, self, handlers)
    if not ok and not is_error(err, "timeout") then
      error(err, 0)
    end
  end
  tasks.close_children(self.task)
  closing(end_all, self, handlers)
end

--- Takes no more connections, and removes the path of a UNIX socket. With a
--- handler: waits for those that run, and what they spawned, for `grace` seconds
--- at most, then cancels them and waits until they have ended, but for one that
--- calls this, or of which a task does; else the connections stay. Again, it does
--- nothing.
---@param grace? number seconds; default 0
function Server:close(grace)
  grace = grace == nil and 0 or check.argument("close", 1, grace, "seconds")
  self.native:close()
  if self.running then
    end_handlers(self, grace)
  end
end

function Server.__close(self)
  self:close()
end

function Server:__tostring()
  return "Server: " .. (self.path or ("%s:%d"):format(self.host, self.port))
end

-- Handlers.

-- Notes the trace beside the error, which stays as it is: the handler's own
-- `<close>` handlers will see it.
local function noting(failure)
  return function(err)
    failure.trace = is_error(err) and err.traceback or debug.traceback("", 2)
    return err
  end
end

local function handle(self, connection)
  local task, failure = tasks.current(), {}
  local ok, err = xpcall(function()
    local conn <close> = connection
    self.handler(conn)
  end, noting(failure))
  self.running[task] = nil
  if not ok and not is_error(err, "cancelled") then
    report(self, err, failure.trace)
  end
end

-- Seconds to wait when there are no descriptors: some have to be closed first.
local PAUSE <const> = 0.1

local function next_connection(self)
  local told = false
  while true do
    local ok, connection = pcall(self.accept, self)
    if ok then
      return connection
    elseif not is_error(connection, "limit") then
      error(connection, 0)
    elseif not told then
      told = true
      log("warn", "luge.net: no connection is accepted: " .. connection.message)
    end
    tasks.sleep(PAUSE)
  end
end

local function serve(self)
  local listener = self.native
  local _ <close> = setmetatable({}, { __close = function() listener:close() end })
  for connection in next_connection, self do
    self.running[tasks.spawn(handle, self, connection)] = connection
  end
end

-- Gives the connections to `handler`, each in a task; the server belongs to the
-- current one.
function net_server.serve(self, handler, on_error)
  self.handler, self.on_error, self.running = handler, on_error or log_failure, {}
  self.task = tasks.spawn(serve, self)
  self.task:name "net.server"
  return self
end

return net_server
