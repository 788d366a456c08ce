-- Batches under random schedules of success, failure and delay: every output is
-- at the place of its input, every item is tried exactly as often as it has to
-- be, and never are more under way than allowed.
--
--   local random_batches = dofile "tests/support/random_batches.lua"
--   random_batches(first_seed, last_seed)
local luge = require "luge"
local chain = require "luge.chain"
local test = require "luge.test"

local function broken()
  error(luge.error { kind = "network", message = "broken" })
end

-- A step that fails as often as `failures` says and takes some turns, and the
-- counts of its attempts.
local function flaky_step(failures, watch)
  local attempts = {}
  return chain.fn(function(item)
    watch(1)
    local _ <close> = setmetatable({}, { __close = function() watch(-1) end })
    for _ = 1, math.random(0, 2) do luge.sleep(0) end
    attempts[item] = (attempts[item] or 0) + 1
    if attempts[item] <= failures[item] then broken() end
    return item * 10
  end), attempts
end

-- Ways to try again; each allows four attempts. A retry notes where each error
-- was raised, which takes long: it is taken now and then.
local function four_attempts(step)
  local way = math.random(20)
  if way == 1 then
    return step:retry { attempts = 4, wait = 0 }
  elseif way == 2 then
    return step:retry({ attempts = 2, wait = 0 }):fallback { step, step }
  end
  return step:fallback { step, step, step }
end

local function check_outputs(out, n, failures, attempts)
  test.equal(out.n, n)
  for i = 1, n do
    if failures[i] < 4 then
      test.equal(out[i], i * 10 + 1)
      test.equal(attempts[i], failures[i] + 1)
    else
      test.ok(luge.is_error(out[i], "network"))
      test.equal(attempts[i], 4)
    end
  end
end

local function run(seed)
  math.randomseed(seed)
  local n, concurrency = math.random(0, 12), math.random(1, 6)
  local failures, inputs, inside, most = {}, {}, 0, 0
  for i = 1, n do
    failures[i], inputs[i] = math.random(0, 4), i
  end
  local step, attempts = flaky_step(failures, function(change)
    inside = inside + change
    most = math.max(most, inside)
  end)
  local c = four_attempts(step) | function(x)
    if math.random(2) == 1 then luge.sleep(0) end
    return x + 1
  end
  local options = { concurrency = concurrency, return_errors = true }
  local out = { n = 0 }
  if math.random(2) == 1 then
    out = c:batch(inputs, options)
  else
    for index, output in c:batch_as_completed(inputs, options) do
      test.equal(out[index], nil)
      out[index], out.n = output, out.n + 1
    end
  end
  check_outputs(out, n, failures, attempts)
  test.ok(most <= concurrency)
  test.equal(inside, 0)
end

return function(first, last)
  for seed = first, last do
    local ok, err = pcall(run, seed)
    if not ok then error(("seed %d: %s"):format(seed, tostring(err)), 0) end
  end
end
