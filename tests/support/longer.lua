-- For tests of time limits: what has to be done before the limit is, on a machine
-- that is busy with something else, at times not. Calls `fn` with a time, and,
-- when it raises, with longer ones; raises what the last raised.
return function(seconds, fn)
  local ok, err
  for _ = 1, 3 do
    ok, err = pcall(fn, seconds)
    if ok then return end
    seconds = seconds * 8
  end
  error(err, 0)
end
