-- Tasks: several at once, a deadline, and a failure that ends the others. It
-- needs no network: the services are functions that take their time.

local luge = require "luge"

local start = luge.now()

local function log(text, ...)
  print(("%4.1f s  " .. text):format(luge.now() - start, ...))
end

-- A service that answers after so many seconds.
local function service(name, seconds)
  return function()
    log("asking %s", name)
    luge.sleep(seconds)
    return "the answer of " .. name
  end
end

print "All, in the order of the list:"
local answers = luge.gather { service("alpha", 0.2), service("beta", 0.1) }
log("%s, %s", answers[1], answers[2])

print "\nThe first; the other is cancelled:"
local _, answer = luge.race { service("slow", 10), service("quick", 0.1) }
log("%s", answer)

print "\nTen items, at most four at once:"
local squares = luge.map({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, function(n)
  luge.sleep(0.05)
  return n * n
end, { concurrency = 4 })
log("%s", table.concat(squares, " "))

print "\nA deadline, and what is left behind in order:"
local ok, err = pcall(luge.timeout, 0.1, function()
  local _ <close> = setmetatable({}, { __close = function() log "cleaned up" end })
  service("a sleeper", 10)()
end)
log("%s %s", ok, err)

print "\nOne fails, the others end with it:"
ok, err = pcall(luge.scope, function(scope)
  scope:spawn(service("a long one", 10))
  scope:spawn(function()
    luge.sleep(0.1)
    error("out of paper", 0)
  end)
end)
log("%s %s", ok, err)

print "\nTrying again:"
local attempts = 0
answer = luge.retry(function()
  attempts = attempts + 1
  if attempts < 3 then
    error(luge.error { kind = "network", message = "no route" })
  end
  return "through at last"
end, {
  wait = luge.wait.exponential { multiplier = 0.05 },
  before_sleep = function(info) log("%s; again in %g s", info.error, info.wait) end,
})
log("%s", answer)

-- Prints:
--   All, in the order of the list:
--    ... s  asking alpha
--    ... s  asking beta
--    ... s  the answer of alpha, the answer of beta
--
--   The first; the other is cancelled:
--    ... s  asking slow
--    ... s  asking quick
--    ... s  the answer of quick
--
--   Ten items, at most four at once:
--    ... s  1 4 9 16 25 36 49 64 81 100
--
--   A deadline, and what is left behind in order:
--    ... s  asking a sleeper
--    ... s  cleaned up
--    ... s  false timeout: timed out after 0.1 seconds
--
--   One fails, the others end with it:
--    ... s  asking a long one
--    ... s  false out of paper
--
--   Trying again:
--    ... s  network: no route; again in 0.05 s
--    ... s  network: no route; again in 0.1 s
--    ... s  through at last
