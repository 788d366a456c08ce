-- Requests and tokens per minute: never more than the rate in any 60 seconds,
-- as the server sees it. A request counts from when it is sent until 60 seconds
-- after it was answered, since the server got it somewhere in between. First
-- come, first served.

local sync = require "luge.native.sync"
local tasks = require "luge.native.task"
local check = require "luge.internal.chain.check"

local WINDOW = 60
-- Clocks and networks are not exact.
local MARGIN = 0.05

local rate = {}

local Limiter = {}
Limiter.__index = Limiter

--- `requests` and `tokens` per minute; nil: no limit.
function rate.new(requests, tokens)
  return setmetatable({
    requests = requests or math.huge, tokens = tokens or math.huge,
    used_requests = 0, used_tokens = 0,
    turn = sync.semaphore(1), settled = sync.event(),
    first = 1, last = 0, -- settled reservations, in the order of their times
  }, Limiter)
end

-- Forgets reservations that are more than a window ago. Returns how long until
-- the next one is, or nil.
local function forget(self)
  local now = tasks.now()
  while self.first <= self.last do
    local oldest = self[self.first]
    local left = oldest.time + WINDOW + MARGIN - now
    -- A timer must move the clock, however little is left.
    if left > 0 then return math.max(left, 0.001) end
    self[self.first] = nil
    self.first = self.first + 1
    self.used_requests = self.used_requests - 1
    self.used_tokens = self.used_tokens - oldest.tokens
  end
end

local function fits(self, tokens)
  return self.used_requests + 1 <= self.requests
    and self.used_tokens + tokens <= self.tokens
end

-- Until the oldest is forgotten, or somebody settles one.
local function wait_change(self, seconds)
  self.settled:clear()
  if seconds == nil then return self.settled:wait() end
  pcall(tasks.timeout, seconds, self.settled.wait, self.settled)
  tasks.sleep(0) -- raises if this task itself was cancelled
end

local Reservation = {}
Reservation.__index = Reservation

--- Waits until a request of so many tokens fits. One that is larger than the
--- rate waits until it is alone.
function Limiter:reserve(tokens)
  tokens = math.min(tokens, self.tokens)
  local _ <close> = self.turn:hold()
  while true do
    local left = forget(self)
    if fits(self, tokens) then break end
    wait_change(self, left)
  end
  self.used_requests = self.used_requests + 1
  self.used_tokens = self.used_tokens + tokens
  return setmetatable({ limiter = self, tokens = tokens }, Reservation)
end

--- The request was answered, or has failed: its window begins. `used` is the
--- count of tokens that the answer gives, if it does.
function Reservation:settle(used)
  local limiter = self.limiter
  if self.time then
    if used then self:correct(used) end
    return
  end
  self.time = tasks.now()
  limiter.last = limiter.last + 1
  limiter[limiter.last] = self
  if used then self:correct(used) end
  limiter.settled:set()
end

--- The tokens were so many; no more than those of a whole minute are counted,
--- or a single large answer would block for longer.
function Reservation:correct(used)
  local limiter = self.limiter
  used = math.min(used, limiter.tokens)
  if self.time + WINDOW + MARGIN > tasks.now() then
    limiter.used_tokens = limiter.used_tokens + used - self.tokens
    self.tokens = used
    limiter.settled:set()
  end
end

--- Nothing was sent: it does not count.
function Reservation:drop()
  local limiter = self.limiter
  limiter.used_requests = limiter.used_requests - 1
  limiter.used_tokens = limiter.used_tokens - self.tokens
  limiter.settled:set()
end

local fields = { requests_per_minute = check.count, tokens_per_minute = check.count }

--- The validator of the option `rate`.
function rate.check(value)
  if type(value) ~= "table" then return "{ requests_per_minute=, tokens_per_minute= }" end
  check.options("rate", value, fields)
end

-- About four bytes of English make a token. Other languages need more tokens
-- for a letter, but also more bytes.
local BYTES_PER_TOKEN = 4
local EXPECTED_OUTPUT = 256

--- Estimates the tokens of a request by the length of its body.
function rate.estimate(body, max_tokens)
  return #body // BYTES_PER_TOKEN + (max_tokens or EXPECTED_OUTPUT)
end

return rate
