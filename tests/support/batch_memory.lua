-- A batch over many inputs that are made as they are read: `make(i)`, a table
-- whose `n` is i. Returns how many KiB of memory it took at most.
--
--   local batch_memory = dofile "tests/support/batch_memory.lua"
--   batch_memory(count, concurrency, make)
local chain = require "luge.chain"
local test = require "luge.test"

local LOOKS = 20 -- at the memory

return function(count, concurrency, make)
  local i = 0
  local function inputs()
    i = i + 1
    return i <= count and make(i) or nil
  end
  local step = chain.fn(function(x) return { x.n } end) | function(x) return x[1] + 1 end
  local most, sum = 0, 0
  collectgarbage()
  local before = collectgarbage "count"
  for _, output in step:batch_as_completed(inputs, { concurrency = concurrency }) do
    sum = sum + output
    if output % (count // LOOKS) == 0 then
      collectgarbage()
      most = math.max(most, collectgarbage "count" - before)
    end
  end
  test.equal(sum, count * (count + 1) // 2 + count)
  return most
end
