-- Work for other cores: primes are counted by worker threads, while the loop
-- goes on, as the beats of a heart show.

local luge = require "luge"
local worker = require "luge.worker"

-- Runs in a worker: it may use its arguments, globals, and what it requires.
local function count_primes(range)
  local count = 0
  for n = range.from, range.to do
    local divisor = 2
    while divisor * divisor <= n and n % divisor ~= 0 do
      divisor = divisor + 1
    end
    if n > 1 and divisor * divisor > n then
      count = count + 1
    end
  end
  return count
end

local ranges = {}
for from = 1, 190001, 10000 do
  ranges[#ranges + 1] = { from = from, to = from + 9999 }
end

local beats = 0
local heart = luge.spawn(function()
  while true do
    luge.sleep(0.005)
    beats = beats + 1
  end
end)

local total = 0
for _, count in ipairs(worker.map(ranges, count_primes)) do
  total = total + count
end
heart:cancel()
print(("%d primes below 200,000; the heart %s meanwhile"):format(
  total, beats > 0 and "beat" or "stood still"))

-- A deadline ends a job that would never end, and the pool goes on.
local _, err = pcall(luge.timeout, 0.1, worker.run, function()
  while true do end
end)
print(err)
print(worker.run(function(name) return "still here, " .. name end, "reader"))

-- Prints:
--   17984 primes below 200,000; the heart beat meanwhile
--   timeout: timed out after 0.1 seconds
--   still here, reader
