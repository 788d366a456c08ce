-- `async def`, `await` and `asyncio.run`. luge needs none of the three: any
-- function may wait, a call waits for the result, and the script is the task
-- that runs first. While it waits, other tasks go on.

local luge = require "luge"

local function fetch_data()
  print "fetching the data..."
  luge.sleep(0.2)
  return "data"
end

local result = fetch_data()
print("result:", result)

-- Prints:
--   fetching the data...
--   result:	data
