-- Calling an asynchronous function does not give its result, but what can be
-- awaited for it. In Python that is a coroutine object, which has not begun; in
-- luge it is a Task, which is on its way already.

local luge = require "luge"

local do_async = luge.async(function()
  return "async"
end)

local task = do_async()
print(task:status())
print(luge.await(task), task:status())

-- Nothing has to be marked: any function may wait, and a plain call of one is
-- what `await` of a coroutine is in Python.
local function slow()
  luge.sleep(0.01)
  return "waited"
end

print(slow())

-- Prints:
--   ready
--   async	done
--   waited
