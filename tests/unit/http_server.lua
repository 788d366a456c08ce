-- The servers that tests/unit/http_server_test.c talks to. Their ports go to the file that
-- is its argument.
local luge = require "luge"
local http = require "luge.http"

local begun, left, produced, errors = 0, 0, 0, {}
local gate, busy = luge.future(), luge.event()

-- Counts the handlers that have begun, and those that were left by cancellation.
local function watch()
  local done = false
  begun = begun + 1
  local function on_close() if not done then left = left + 1 end end
  return setmetatable({}, { __close = on_close }), function() done = true end
end

local function on_error(message) errors[#errors + 1] = message:match "^[^\n]*" end

local main = http.server {
  on_error = on_error, max_body = 1000, max_head = 2000, idle_timeout = 30,
}

main:route("GET", "/", function() return "hello" end)
main:route("GET", "/items/:id", function(req) return req.params.id end)
main:route("GET", "/items/new", function() return "literal" end)
main:route("PUT", "/items/:id", function() return { status = 204 } end)
main:route("GET", "/files/*path", function(req) return req.params.path end)

main:route("*", "/head", function(req)
  return ("%s %s q=%s a=%s all=%s"):format(req.method, req.path, req.query.q, req.headers["X-A"],
    table.concat(req.headers:all "x-a", "|"))
end)

main:route("GET", "/slow", function()
  luge.sleep(0.05)
  return "slow"
end)

main:route("POST", "/echo", function(req) return req:text() end)
main:route("POST", "/pieces", function(req)
  local n = 0
  for piece in req:chunks() do n = n + #piece end
  return tostring(n)
end)
main:route("POST", "/ignore", function() return "ignored" end)

main:route("GET", "/iterator", function()
  local n = 0
  return { stream = function()
    n = n + 1
    return n <= 3 and ("piece " .. n) or nil
  end }
end)

main:route("GET", "/producer", function()
  return { status = 201, headers = { ["X-B"] = { "1", "2" } }, stream = function(emit)
    emit "one"
    luge.sleep(0.01)
    emit ""
    emit "two"
  end }
end)

main:route("GET", "/events", function()
  return { events = function(emit)
    emit { event = "delta", data = "a\nb", id = 7, retry = 10 }
    emit "plain\r\ntext"
    emit { comment = "still here" }
    emit { event = "message", data = "" }
  end }
end)

main:route("GET", "/broken", function()
  return { stream = function(emit)
    emit "begun"
    error "broken on purpose"
  end }
end)

main:route("GET", "/raise", function() error "raised on purpose" end)
main:route("GET", "/nothing", function() end)
main:route("GET", "/inject", function() return { headers = { ["X-A"] = "a\r\nX-B: b" } } end)
main:route("GET", "/inject-name", function() return { headers = { ["X-A: b\r\nX"] = "a" } } end)
main:route("GET", "/inject-event", function()
  return { events = function(emit) emit { id = "a\nb", data = "" } end }
end)
main:route("GET", "/ours", function() return { headers = { ["content-length"] = "5" } } end)
main:route("GET", "/empty", function() return { status = 204 } end)
main:route("GET", "/date", function()
  return { headers = { Date = "today", ["content-type"] = "text/x" }, body = "x" }
end)

main:route("GET", "/wait", function()
  local _ <close>, done = watch()
  luge.sleep(20)
  done()
  return "late"
end)

main:route("POST", "/wait-body", function(req)
  local _ <close>, done = watch()
  local text = req:text()
  done()
  return text
end)

main:route("GET", "/flood", function()
  local piece = ("x"):rep(65536)
  produced = 0
  return { stream = function(emit)
    local _ <close>, done = watch()
    for _ = 1, 1024 do
      emit(piece)
      produced = produced + #piece
    end
    done()
  end }
end)

main:route("GET", "/large", function() return ("y"):rep(8 * 1024 * 1024) end)
main:route("GET", "/produced", function() return tostring(produced) end)
main:route("GET", "/begun", function() return tostring(begun) end)
main:route("GET", "/left", function() return tostring(left) end)
main:route("GET", "/running", function()
  local n = 0
  for _ in pairs(main.running) do n = n + 1 end
  return ("%d %d %d"):format(n, main.native:connections())
end)
main:route("GET", "/errors", function()
  local text = table.concat(errors, "\n")
  errors = {}
  return text
end)

local quick = http.server { handler = function(req)
  return req.method == "POST" and req:text() or "quick"
end, idle_timeout = 1 }

local few = http.server { handler = function() return "few" end, max_connections = 2 }

local path = os.tmpname()
os.remove(path)
local unix = http.server { path = path, handler = function() return "unix" end }

local closing = http.server { handler = function()
  gate:resolve()
  luge.sleep(0.1)
  return "in time"
end }

local ending = http.server { handler = function()
  local _ <close> = watch()
  busy:set()
  luge.sleep(3600)
end }

local big = http.server { idle_timeout = 2, handler = function()
  local _ <close> = watch()
  luge.sleep(20)
end }

main:route("GET", "/close", function()
  gate:await()
  closing:close(10)
  return "closed"
end)

main:route("GET", "/end", function()
  busy:wait()
  local before = left
  ending:close()
  return tostring(left - before)
end)

main:route("GET", "/quit", function()
  quick:close()
  few:close()
  unix:close()
  big:close()
  main:close(10)
  return "bye"
end)

do
  local ports <close> = assert(io.open((...), "w"))
  ports:write(table.concat(
    { main.port, quick.port, closing.port, ending.port, big.port, few.port, path }, " "), "\n")
end
