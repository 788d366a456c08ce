-- `asyncio.create_task`: `luge.spawn` starts a task in the background, and what
-- comes after it goes on. The task runs as soon as this one waits.

local luge = require "luge"

local function work(name, seconds)
  print(name .. " begins")
  luge.sleep(seconds)
  print(name .. " ends")
  return name
end

local first = luge.spawn(work, "task 1", 0.2)
local second = luge.spawn(work, "task 2", 0.1)

print "meanwhile something else..."

luge.await(first)
luge.await(second)
print "all tasks are complete"

-- Prints:
--   meanwhile something else...
--   task 1 begins
--   task 2 begins
--   task 2 ends
--   task 1 ends
--   all tasks are complete
