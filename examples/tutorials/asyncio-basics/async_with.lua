-- `async with`: a local marked <close> is closed where its block is left, by
-- whatever way: the end, a break, an error, a cancellation. Opening may wait, and
-- so may closing: behind a shield, since in a task that is cancelled nothing waits
-- any more.

local luge = require "luge"

local Connection = {}
Connection.__index = Connection

local function connect()
  print "connecting..."
  luge.sleep(0.1)
  print "connected"
  return setmetatable({}, Connection)
end

function Connection:query(text) -- luacheck: no self
  print("query: " .. text)
end

function Connection:__close() -- luacheck: no self
  print "disconnecting..."
  luge.shield(luge.sleep, 0.1)
  print "disconnected"
end

do
  local db <close> = connect()
  db:query "select 1"
end

-- Prints:
--   connecting...
--   connected
--   query: select 1
--   disconnecting...
--   disconnected
