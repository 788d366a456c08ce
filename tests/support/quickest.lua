-- For promises about time: a machine that is busy with something else makes
-- everything slow now and then, luge makes it slow each time. Calls `fn`, which
-- returns seconds, until it took less than `limit`, ten times at most; false if
-- it never did.
return function(limit, fn)
  local least = math.huge
  for _ = 1, 10 do
    least = math.min(least, fn())
    if least < limit then return least end
  end
  return false
end
