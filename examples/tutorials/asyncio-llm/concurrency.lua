-- Three tasks take as long as the longest of them, not as all together.

local luge = require "luge"

local function task(name, seconds)
  return function()
    print("task " .. name .. " begins")
    luge.sleep(seconds)
    print("task " .. name .. " is complete")
    return "the result of " .. name
  end
end

local start = luge.now()
local results = luge.gather { task("A", 0.3), task("B", 0.2), task("C", 0.1) }

print(("\nall complete after %.1f s"):format(luge.now() - start))
print("results: " .. table.concat(results, ", "))

-- Prints:
--   task A begins
--   task B begins
--   task C begins
--   task C is complete
--   task B is complete
--   task A is complete
--
--   all complete after ... s
--   results: the result of A, the result of B, the result of C
