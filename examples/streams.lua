-- Streams: a producer that never runs ahead of its reader, operators that pass
-- items through, and closing, which ends whatever is behind.

local luge = require "luge"

-- Temperatures of a sensor, for ever.
local function readings(name, seconds)
  return luge.stream(function(emit)
    local _ <close> = setmetatable({}, { __close = function()
      print(name .. " was switched off")
    end })
    local value = 20
    while true do
      luge.sleep(seconds)
      value = value + math.sin(value)
      emit { sensor = name, value = value }
    end
  end)
end

local function show(reading)
  return ("%s: %.2f"):format(reading.sensor, reading.value)
end

print "The first three of one sensor:"
for text in readings("kitchen", 0.01):map(show):take(3) do
  print("  " .. text)
end

print "\nTwo, as they come, in groups of four:"
local seen = 0
for group in luge.merge { readings("attic", 0.02), readings("cellar", 0.03) }:map(show):chunk(4) do
  print("  " .. table.concat(group, ", "))
  seen = seen + #group
  if seen >= 8 then
    break -- closes both
  end
end

print "\nSide by side:"
local count = 0
for a, b in luge.zip { readings("north", 0.01), readings("south", 0.02) } do
  print(("  %.2f  %.2f"):format(a.value, b.value))
  count = count + 1
  if count == 2 then
    break
  end
end

print "\nSlow work on four items at once, in order:"
local names = luge.from { "one", "two", "three", "four", "five", "six" }
names:map(function(name)
  luge.sleep(0.05)
  return name:upper()
end, { concurrency = 4 }):each(function(name)
  print("  " .. name)
end)

-- Prints:
--   The first three of one sensor:
--     kitchen: 20.91
--     kitchen: 21.79
--     kitchen: 21.99
--   kitchen was switched off
--
--   Two, as they come, in groups of four:
--     ...: 20.91, ...
--     ...
--   ... was switched off
--   ... was switched off
--
--   Side by side:
--     20.91  20.91
--     21.79  21.79
--   ... was switched off
--   ... was switched off
--
--   Slow work on four items at once, in order:
--     ONE
--     TWO
--     THREE
--     FOUR
--     FIVE
--     SIX
