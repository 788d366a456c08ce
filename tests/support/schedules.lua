-- Runs tests/support/random_tasks.lua for some seeds, and checks what it says:
--
--   local schedules = dofile "tests/support/schedules.lua"
--   schedules(first, last)
--
-- A failure names the seed; `LUGE_SEED=n` runs that one only.
local test = require "luge.test"

local command = os.getenv "LUGE" or "luge"

local function numbers(text)
  local set, count = {}, 0
  for number in text:gmatch "%d+" do
    set[number] = true
    count = count + 1
  end
  return set, count
end

-- Each at most once; the set of them.
local function reported(text)
  local set = {}
  for number in text:gmatch "luge: random: number (%d+)\n" do
    test.ok(not set[number], "error " .. number .. " was reported twice")
    set[number] = true
  end
  return set
end

---@param first integer
---@param last integer
return function(first, last)
  local seed = math.tointeger(tonumber(os.getenv "LUGE_SEED"))
  if seed then
    first, last = seed, seed
  end
  local pipe <close> = io.popen(("'%s' tests/support/random_tasks.lua %d %d 2>&1"):format(command,
    first, last))
  local text = pipe:read "a"
  test.ok(text:find "\nok\n", text:match "seed %d+:.*" or text:sub(-2000))
  local unseen = numbers(text:match "\nunseen ([^\n]*)\n")
  local told = reported(text)
  for number in pairs(unseen) do
    test.ok(told[number], "error " .. number .. " was lost")
  end
  test.ok(seed or tonumber(text:match "raised (%d+)\n") > 0)
end
