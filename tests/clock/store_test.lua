-- The wall clock is set a day forward or back (see jump.c) after something was
-- put into a store for an hour. Stores outlive processes and are shared by them,
-- so they go by that clock: what should last an hour is gone, or lasts longer.
local luge = require "luge"
local store = require "luge.store"

local kept <close> = store.memory()
kept:put("hour", "value", { ttl = 3600 }) -- the first look at the clock
local forward = luge.time() > os.time() + 80000
assert(forward or luge.time() < os.time() - 80000, "the clock did not jump")

local function keys()
  local list = {}
  for key in kept:scan() do
    list[#list + 1] = key
  end
  return table.concat(list, " ")
end

-- Whatever asks, the answer is the same, and a value that is gone stays so.
local expected = not forward and "value" or nil
for _ = 1, 2 do
  assert(kept:get "hour" == expected)
  assert(keys() == (forward and "" or "hour"))
end
assert(not kept:compare_and_set("hour", not forward and "other" or "value", "x"))
assert(kept:compare_and_set("hour", expected, "new", { ttl = 3600 }))
assert(kept:get "hour" == "new" and keys() == "hour")
assert(kept:delete "hour" and not kept:delete "hour")

-- What is put from now on lasts as long as it should by the new time.
kept:put("soon", 1, { ttl = 1e-6 })
kept:put("later", 2, { ttl = 60 })
kept:put("always", 3)
luge.sleep(0.001)
assert(kept:get "soon" == nil and keys() == "always later")

-- Logs know no time.
kept:log("events"):append "one"
assert(kept:log("events"):length() == 1)
