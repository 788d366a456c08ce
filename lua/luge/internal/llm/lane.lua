-- Lanes: what all calls of one model in this process share. One 429 cools the
-- lane down for every one of them; rates count over all of them.

local tasks = require "luge.native.task"
local rate = require "luge.internal.llm.rate"

local lane = {}

local Lane = {}
Lane.__index = Lane

local lanes = {}

--- The lane of a model at a base URL.
function lane.of(base_url, model)
  local key = base_url .. "\n" .. model
  local found = lanes[key]
  if not found then
    found = setmetatable({ cool_until = 0, rates = {} }, Lane)
    lanes[key] = found
  end
  return found
end

--- Nobody sends for so many seconds.
function Lane:cool(seconds)
  self.cool_until = math.max(self.cool_until, tasks.now() + seconds)
end

-- Waits while the lane is cooling; it may be cooled again meanwhile.
local function wait_cool(self)
  while true do
    local left = self.cool_until - tasks.now()
    if left <= 0 then return end
    tasks.sleep(left)
  end
end

--- The limiter of these rates, shared by all who set the same.
function Lane:limiter(rates)
  local key = ("%s/%s"):format(rates.requests_per_minute, rates.tokens_per_minute)
  local limiter = self.rates[key]
  if not limiter then
    limiter = rate.new(rates.requests_per_minute, rates.tokens_per_minute)
    self.rates[key] = limiter
  end
  return limiter
end

--- Waits for leave to send. Returns the reservation, to be settled, or nil.
function Lane:enter(limiter, tokens)
  if self.cool_until > 0 then wait_cool(self) end
  if limiter == nil then return nil end
  local reservation = limiter:reserve(tokens)
  -- Another call may have got a 429 while this one waited for its turn.
  local ok, err = pcall(wait_cool, self)
  if not ok then
    reservation:drop()
    error(err, 0)
  end
  return reservation
end

return lane
