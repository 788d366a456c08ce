-- Random numbers for a seed, in a sequence that nothing else changes:
--
--   local generator = dofile "tests/support/generator.lua"
--   local random = generator(seed)
--   random(n) -- an integer from 1 to n
return function(seed)
  local state = seed * 2654435761 + 12345
  return function(n)
    state = (state * 6364136223846793005 + 1442695040888963407) & math.maxinteger
    return (state >> 24) % n + 1
  end
end
