-- A limit of concurrent requests, retries with growing waits, and a batch in
-- which one failure does not end the others: a semaphore, `luge.retry` in place
-- of tenacity, and `return_errors`. The service is this program's own: it
-- refuses every second request, and one prompt for good.

local luge = require "luge"
local http = require "luge.http"

local requests = 0

local service <close> = http.server {
  handler = function(req)
    local prompt = req:json().prompt
    requests = requests + 1
    if prompt == "something forbidden" then
      return { status = 400, body = "no" }
    elseif requests % 2 == 1 then
      return { status = 429, headers = { ["Retry-After"] = "0" }, body = "slow down" }
    end
    return { json = { content = "an answer about " .. prompt } }
  end,
}

local session <close> = http.client { base_url = service.url }
local permits = luge.semaphore(5)

local function call_api(prompt)
  return luge.retry(function()
    local _ <close> = permits:hold() -- while waiting for the next attempt, others have it
    local response = session:post("/answer", { json = { prompt = prompt } })
    return response:raise_for_status():json().content
  end, {
    attempts = 10,
    wait = luge.wait.exponential { multiplier = 0.01, max = 0.1, jitter = "full" },
  })
end

local prompts = { "tides", "something forbidden", "winds", "currents" }
local results = luge.map(prompts, call_api, { return_errors = true })

for i, prompt in ipairs(prompts) do
  local result = results[i]
  if luge.is_error(result) then
    print(("%s: failed with %d"):format(prompt, result.status))
  else
    print(("%s: %s"):format(prompt, result))
  end
end

-- Prints:
--   tides: an answer about tides
--   something forbidden: failed with 400
--   winds: an answer about winds
--   currents: an answer about currents
