-- A chat over TCP, a line at a time: everybody hears what one says. To try it
-- with `nc localhost 7000` in two terminals:
--
--   luge examples/tcp_chat.lua 7000
--
-- Without a port, three guests talk to each other here.

local luge = require "luge"
local net = require "luge.net"

local guests = {} -- connection -> name

local function tell_all(text)
  for guest in pairs(guests) do
    pcall(guest.write, guest, text, "\n") -- who has left is noticed below
  end
end

local function talk(conn)
  local name = conn:write("Your name?\n"):read_line(100) or "nobody"
  guests[conn] = name
  tell_all(name .. " is here")
  local _ <close> = setmetatable({}, {
    __close = function()
      guests[conn] = nil
      tell_all(name .. " has left")
    end,
  })
  for line in conn:lines { limit = 1000 } do
    tell_all(name .. ": " .. line)
  end
end

local port = tonumber((...))
local server <close> = net.serve { port = port or 0, handler = talk }

if port then
  print("listening on port " .. server.port)
  luge.event():wait() -- until Ctrl-C
end

-- A guest stays until somebody has said something. Cleo says it.
local function guest(name)
  local conn <close> = net.connect(server.host, server.port)
  conn:write(name, "\n")
  for line in conn:lines() do
    if line == "Cleo is here" and name == "Cleo" then
      conn:write "hello, all\n"
    elseif line:find ": " then
      return line
    end
  end
end

-- Ann and Bob come first.
local early = { luge.spawn(guest, "Ann"), luge.spawn(guest, "Bob") }
while not (next(guests) and next(guests, (next(guests)))) do
  luge.sleep(0.01)
end
print("Cleo heard " .. guest "Cleo")
print("Ann heard " .. early[1]:await())
print("Bob heard " .. early[2]:await())

-- Prints:
--   Cleo heard Cleo: hello, all
--   Ann heard Cleo: hello, all
--   Bob heard Cleo: hello, all
