-- A race between two models: the first answer counts, and the request for the
-- other is ended at once: its server sees the connection close.

local luge = require "luge"
local http = require "luge.http"
local llm = require "luge.llm"

-- The slow one is this program's own, in the OpenAI format.
local hung_up = luge.event()
local slow_service <close> = http.server {
  handler = function()
    local _ <close> = setmetatable({}, { __close = function() hung_up:set() end })
    luge.sleep(60)
    return "too late"
  end,
}

local models = {
  llm.model { base_url = slow_service.url, model = "slow", api_key = "none" },
  llm.model(),
}

local function ask(model)
  return function()
    return model:invoke "What is the time?"
  end
end

local winner, message = luge.race { ask(models[1]), ask(models[2]) }
hung_up:wait()

print("the winner is number " .. winner)
print(message.content)
print "the other was hung up on"

-- Prints:
--   the winner is number 2
--   This is what luge's built-in demo model says about the time. ...
--   the other was hung up on
