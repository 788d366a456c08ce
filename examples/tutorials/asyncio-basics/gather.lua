-- `asyncio.gather`: several at once, and their results in the order of the list.
-- `luge.async` makes a function whose calls start tasks, as create_task does.

local luge = require "luge"

local work = luge.async(function(name, seconds)
  print(name .. " begins")
  luge.sleep(seconds)
  print(name .. " ends")
  return name
end)

local results = luge.gather { work("task 1", 0.2), work("task 2", 0.1) }
print("all complete: " .. table.concat(results, ", "))

-- Prints:
--   task 1 begins
--   task 2 begins
--   task 2 ends
--   task 1 ends
--   all complete: task 1, task 2
