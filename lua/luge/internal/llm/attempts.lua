-- Attempts of a call: which errors are tried again, and when.

local tasks = require "luge.native.task"
local backoff = require "luge.internal.backoff"
local retry = require "luge.internal.retry"

local attempts = {}

local note_trace, xpcall = tasks.note_trace, xpcall
local MAX_HINT = 60
local computed_wait = backoff.exponential { multiplier = 0.5, max = 8, jitter = "equal" }

-- How many times a call is tried: retries do not multiply inside an outer retry,
-- unless the option was set.
local function allowed_attempts(max_retries)
  if max_retries then return max_retries + 1 end
  return retry.in_retry() and 1 or 3
end

-- The wait before the next attempt; nil if there is none.
local function wait_after(err, attempt, allowed, deadline)
  if type(err) ~= "table" or err.retryable ~= true or attempt >= allowed then return nil end
  local hinted = err.retry_after
  if hinted and hinted > MAX_HINT then return nil end
  local wait = hinted or computed_wait(attempt)
  if deadline and tasks.now() + wait >= deadline then return nil end
  return wait
end

-- Some servers answer 200 and tell of their 429 in the body.
local function cool(lane, err, wait)
  if type(err) ~= "table" or err.code == "quota" then return end
  if err.status ~= 429 and err.code ~= "rate_limit" then return end
  lane:cool(wait or math.min(err.retry_after or computed_wait(1), MAX_HINT))
end

--- Calls attempt(...) until it succeeds, and returns its results (two at most).
function attempts.run(lane, max_retries, deadline, attempt, ...)
  local n = 1
  while true do
    local ok, a, b = xpcall(attempt, note_trace, ...)
    if ok then return a, b end
    local wait = wait_after(a, n, allowed_attempts(max_retries), deadline)
    cool(lane, a, wait)
    if wait == nil then
      if type(a) == "table" and n > 1 then a.attempts = n end
      error(a, 0)
    end
    tasks.sleep(wait)
    n = n + 1
  end
end

return attempts
