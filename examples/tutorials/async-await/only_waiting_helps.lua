-- Only what waits lets others go on: a calculation keeps the thread until it is
-- done, a sleep (or a request, a file, a process) gives it away.

local luge = require "luge"

local function calculate()
  print "task 1 begins"
  local sum = 1 + 2
  print("task 1 ends with", sum)
end

local function wait()
  print "task 2 begins"
  luge.sleep(0.1)
  print "task 2 ends"
end

local function watch()
  print "task 3 runs while task 2 waits"
end

luge.gather { calculate, wait, watch }

-- Prints:
--   task 1 begins
--   task 1 ends with	3
--   task 2 begins
--   task 3 runs while task 2 waits
--   task 2 ends
