-- Random numbers for a seed, in a sequence that nothing else changes and that
-- resembles no other seed's (splitmix64):
--
--   local generator = dofile "tests/support/generator.lua"
--   local random = generator(seed)
--   random(n) -- an integer from 1 to n
return function(seed)
  local state = seed * 0x9e3779b97f4a7c15
  return function(n)
    state = state + 0x9e3779b97f4a7c15
    local z = state
    z = (z ~ z >> 30) * 0xbf58476d1ce4e5b9
    z = (z ~ z >> 27) * 0x94d049bb133111eb
    z = z ~ z >> 31
    return (z >> 1) % n + 1
  end
end
