-- http.server: options, routes and handlers. Sockets, parsing and writing are
-- luge.native.http_server's. One task of the server takes requests off it and
-- spawns a task for each.

local log = require "luge.native.log".write
local native = require "luge.native.http_server"
local tasks = require "luge.native.task"
local check = require "luge.internal.check"
local closing = require "luge.internal.closing"
local requests = require "luge.internal.http_request"
local response = require "luge.internal.http_response"
local routers = require "luge.internal.http_router"

local is_error = tasks.is_error
local describe_value, check_own = check.describe, check.own

local function invalid(...)
  error(tasks.error { kind = "invalid", message = string.format(...) }, 0)
end

-- Answers that have been handed over are still sent when a server closes, for
-- so many seconds.
local FLUSH = 5

--- A server that listens; see `http.server`.
---@class luge.http.Server
---@field port integer 0 for a UNIX socket
---@field url string? of its root
local Server = {}
Server.__index = Server
Server.__name = "luge.http.Server"

local function refuse(request, status, text, extra)
  request:respond(status, extra, ("%d %s\n"):format(status, text), "text/plain; charset=utf-8")
end

local function answer(server, request, method, target, fields, repeated)
  local req, path = requests.new(request, method, target, fields, repeated)
  if not req then
    return refuse(request, path, path == 501 and "CONNECT is for proxies" or "Malformed target")
  end
  local handler, params = server.router:find(method, path)
  if handler then
    req.params = params
  elseif params then
    return refuse(request, 405, "Method Not Allowed", { Allow = table.concat(params, ", ") })
  else
    handler = server.handler
  end
  if not handler then return refuse(request, 404, "Not Found") end
  response.send(request, handler(req))
end

-- task -> where its handler failed
local traces = setmetatable({}, { __mode = "k" })

-- A message handler for xpcall: afterwards the place of the error is lost.
-- Frames below the request's handler are luge's own, and left out. The error
-- itself stays as it is: `<close>` handlers of the request's handler will see
-- it.
local function note_trace(err)
  if not is_error(err, "cancelled") then
    local trace = is_error(err) and err.traceback or debug.traceback("", 3):sub(2)
    traces[tasks.current()] = trace:gsub("\n[^\n]*luge%.internal%.http_server:.*$", "")
  end
  return err
end

local function text_of(err)
  local ok, text = pcall(tostring, err)
  return ok and text or ("an error without a text, a %s"):format(type(err))
end

local function describe(method, target, err)
  local path = target:match "^[^?]*" -- queries may hold secrets
  return ("%s %s: %s\n%s"):format(method, path, text_of(err), traces[tasks.current()] or "")
end

local function log_failure(message) log("error", "luge.http: a handler failed: " .. message) end

local function report(server, message)
  local ok, err = pcall(server.on_error, message)
  if not ok then log_failure(message .. "\nand on_error failed: " .. tostring(err)) end
end

-- What errors about a request's body name as their `answer`. Those of others may
-- have a field of that name, and mean something else.
local refusals = { [400] = true, [408] = true, [413] = true, [415] = true, [431] = true }

-- A handler raised `err`. If it was because its client has left, or because it
-- was cancelled, and so cannot answer, nobody needs to know.
local function on_failure(server, request, method, target, err)
  local status = is_error(err) and refusals[err.answer] and err.answer or 500
  local text = status == 500 and "Internal Server Error" or err.message
  local over = request:started()
  local answered = not over and pcall(refuse, request, status, text)
  if not answered then request:abort() end
  local is_quiet = status ~= 500
    or (not answered and is_error(err, "cancelled"))
    or (over and is_error(err, "closed"))
  if not is_quiet then report(server, describe(method, target, err)) end
end

local function handle(server, request, method, target, fields, repeated)
  local ok, err = xpcall(answer, note_trace, server, request, method, target, fields, repeated)
  server.running[request] = nil
  if err == "not enough memory" then collectgarbage() end -- what the handler has left
  if not ok then on_failure(server, request, method, target, err) end
end

-- If there is no memory even to deal with a failure, only the request ends with
-- its task, and the server goes on.
local function start(server, request, ...)
  server.running[request] = false -- or there might be no memory to note the task
  local task = tasks.spawn(handle, server, request, ...)
  server.running[request] = task
  request:bind(task)
end

-- The client has left; or the handler's task has failed, for lack of memory.
-- Until the request has been aborted, `next` gives it again.
local function stop(server, request)
  local task = server.running[request]
  if task then task:cancel("the client has left") end
  server.running[request] = nil -- a task that never ran does not do it itself
  request:abort()
  if task and task:status() == "failed" then
    local _, err = pcall(task.await, task)
    report(server, text_of(err))
  end
end

-- Waits for what happens next and sees to it; false at the end.
local function step(server, listener)
  local request, method, target, fields, repeated = listener:next()
  if not request then return false end
  if not method then
    stop(server, request)
  elseif not pcall(start, server, request, method, target, fields, repeated) then
    server.running[request] = nil
    request:abort()
  end
  return true
end

local function serve(server)
  local listener = server.native
  local failures = 0 -- in a row; what fails for ever may be a cancellation
  while true do
    local ok, more = pcall(step, server, listener)
    if not ok then
      failures = failures + 1
      if more ~= "not enough memory" or failures > 100 then error(more, 0) end
      collectgarbage() -- a request that was lost thereby is ended by it
    elseif not more then
      return
    else
      failures = 0
    end
  end
end

---Adds a route. In `path` a segment `:name` stands for any one segment and a
---last segment `*name` for the rest; `req.params` has them, percent-decoded.
---Literal paths win over others, then what was added first. GET answers HEAD.
---@param method string upper case; "*" for all
---@param path string begins with "/"
---@param handler fun(req: luge.http.ServerRequest): table|string
---@return luge.http.Server self
function Server:route(method, path, handler)
  check_own(self, Server, "server", "route")
  if type(handler) ~= "function" then
    invalid("route: handler is %s, takes a function", type(handler))
  end
  self.router:add(method, path, handler)
  return self
end

-- Whether a request that is still being answered is what calls this.
local function is_handling(server)
  for _, task in pairs(server.running) do
    if task and tasks.within(task) then return true end
  end
  return false
end

-- Until nothing is left to wait for: the answers, and what handlers spawned. A
-- task of the server's own cannot wait for itself.
local function wait_for_end(server, inside)
  if inside then return server.native:drain(is_handling(server) and 1 or 0) end
  server.task:await()
end

local function flush(server)
  server.native:drain(0)
  server.native:destroy()
  server.task:await()
end

---Takes no more requests, waits until those that are being handled have been
---answered, and the tasks that their handlers spawned have ended, for `grace`
---seconds at most, and cancels the rest. A handler that calls it, or of which a
---task does, goes on, and its answer is still sent.
---@param grace number? seconds; default 0
function Server:close(grace)
  check_own(self, Server, "server", "close")
  if grace ~= nil and (type(grace) ~= "number" or grace ~= grace or grace < 0) then
    invalid("close: grace is %s, takes seconds, from 0", describe_value(grace))
  end
  local listener = self.native
  local inside = tasks.within(self.task)
  listener:stop()
  if grace and grace > 0 then
    local _, err = pcall(tasks.timeout, grace, wait_for_end, self, inside)
    if is_error(err, "cancelled") and not self.task:done() then error(err, 0) end
  end
  tasks.close_children(self.task)
  if not inside then
    pcall(tasks.timeout, FLUSH, flush, self)
    listener:destroy()
  end
end

function Server.__close(server)
  local ok, err = pcall(closing, server.close, server)
  server.native:destroy()
  if not ok then error(err, 0) end
end

function Server:__tostring() return ("luge.http.Server: %s"):format(self.url or self.path) end

-- Options: name -> { default, check, what it takes }.

local function is_count(x) return math.type(x) == "integer" and x >= 1 end
local function is_port(x) return math.type(x) == "integer" and x >= 0 and x <= 65535 end
local function is_seconds(x) return type(x) == "number" and x > 0 end
local function is_function(x) return type(x) == "function" end
local function is_string(x) return type(x) == "string" and not x:find "%z" end

local known = {
  host = { "127.0.0.1", is_string, "an IPv4 or IPv6 address, or \"localhost\"" },
  port = { 0, is_port, "a port from 0 (any free one) to 65535" },
  path = { nil, is_string, "the path of a UNIX socket" },
  handler = { nil, is_function, "a function" },
  on_error = { log_failure, is_function, "a function" },
  max_body = { 64 * 1024 * 1024, is_count, "a number of bytes, from 1" },
  max_head = { 256 * 1024, is_count, "a number of bytes, from 1" },
  max_connections = { 10000, is_count, "a number of connections, from 1" },
  idle_timeout = { 60, is_seconds, "seconds, more than 0" },
}

local MAX_FIELDS = 256

local function known_names()
  local names = {}
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

local function check_options(given)
  if type(given) ~= "table" then
    invalid("http.server: got %s, takes a table of options", type(given))
  end
  local checked = {}
  for name, value in pairs(given) do
    local option = known[name]
    if not option then
      invalid("http.server: unknown option '%s', knows: %s", tostring(name), known_names())
    end
    if not option[2](value) then
      invalid("http.server: '%s' is %s, takes %s", name, describe_value(value), option[3])
    end
  end
  for name, option in pairs(known) do
    checked[name] = given[name] == nil and option[1] or given[name]
  end
  if checked.host == "localhost" then checked.host = "127.0.0.1" end
  return checked
end

local function url_of(host, port)
  return ("http://%s:%d"):format(host:find(":", 1, true) and "[" .. host .. "]" or host, port)
end

---@class luge.http.ServerOptions
---@field host? string an IPv4 or IPv6 address; default "127.0.0.1"
---@field port? integer default 0: any free one
---@field path? string of a UNIX socket, in place of host and port
---@field handler? fun(req: luge.http.ServerRequest): table|string for what no route takes
---@field on_error? fun(message: string) told of a handler that failed; default: the log
---@field max_body? integer bytes of a request's body; default 64 MiB
---@field max_head? integer bytes of a request's head; default 256 KiB
---@field max_connections? integer open at once; default 10000
---@field idle_timeout? number seconds for each wait for a client; default 60

---Starts an HTTP/1.1 server (RFC 9112). Every request is handled by a task of
---its own, which is cancelled when the client leaves. The server belongs to the
---task that called this, which does not end before it is closed.
---
---A handler returns a string, or `{ status = 200, headers = {}, body = string |
---json = value | stream = source | events = source }`, where a source is a
---Stream, an iterator, or a function that is given one to call with each item;
---of events see `luge.http`'s guide. If it raises, `on_error` is told, and the
---client gets 500, or a broken connection if the answer had begun.
---
---Raises `invalid` for options, `io` if it cannot listen, `limit` if there are
---no descriptors left. Does not wait.
---@param options luge.http.ServerOptions
---@return luge.http.Server
local function server(options)
  local o = check_options(options)
  local listener = native.listen(o.host, o.port, o.path, o.max_body, o.max_head, MAX_FIELDS,
    math.min(o.max_connections, 0xFFFFFFFF), math.max(o.idle_timeout, 0.001))
  local self = setmetatable({
    native = listener,
    router = routers.new(),
    handler = o.handler,
    on_error = o.on_error,
    running = {},
    path = o.path,
    port = listener:port(),
    url = not o.path and url_of(o.host, listener:port()) or nil,
  }, Server)
  self.task = tasks.spawn(serve, self)
  listener:bind(self.task)
  self.task:name "http.server"
  return self
end

return server
