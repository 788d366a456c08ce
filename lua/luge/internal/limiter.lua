-- `limiter`: a token bucket. The first task holds the turn and sleeps until
-- there are enough tokens; the others wait for the turn in their order. Nothing
-- is taken before the sleep has ended, so a task that is cancelled leaves the
-- bucket as it was.
local native = require "luge.native.task"
local lock = require("luge.native.sync").lock
local check = require "luge.internal.check"
local now, sleep, min = native.now, native.sleep, math.min

--- A token bucket; see `luge.limiter`.
---@class luge.Limiter
local Limiter = { __name = "limiter" }
Limiter.__index = Limiter

local Turn = {}

function Turn.__close(turn)
  turn.lock:release()
end

local options_known = { rate = "positive", per = "positive", burst = "positive" }

local function new(options)
  if type(options) ~= "table" then
    check.bad_argument("limiter", 1, options, "a table: { rate =, per =, burst = }")
  end
  check.options("limiter", options, options_known)
  if not options.rate then
    check.fail("option 'rate' is missing for 'limiter': a number above 0")
  end
  local burst = options.burst or math.max(1, options.rate)
  return setmetatable({
    speed = options.rate / (options.per or 1), -- tokens a second
    burst = burst,
    tokens = burst, -- at the time `at`
    at = now(),
    turn = setmetatable({ lock = lock() }, Turn),
  }, Limiter)
end

local function refill(self, time)
  if time > self.at then
    self.tokens = min(self.burst, self.tokens + (time - self.at) * self.speed)
    self.at = time
  end
end

--- Takes `n` tokens (1): waits until there are as many, after those who asked
--- before. More than the burst is `invalid`.
---@param n? number above 0
function Limiter:acquire(n)
  check.own(self, Limiter, "limiter", "acquire")
  n = n == nil and 1 or check.argument("acquire", 1, n, "positive")
  if n > self.burst then
    check.fail("bad argument #1 to 'acquire': got %s, takes at most the burst, %s", n, self.burst)
  end
  self.turn.lock:acquire()
  local _ <close> = self.turn
  local time = now()
  refill(self, time)
  if self.tokens < n then
    local ready = time + (n - self.tokens) / self.speed
    sleep(ready - time)
    self.tokens, self.at = n, ready -- tokens since `ready` are still to be counted
  end
  self.tokens = self.tokens - n
end

return new
