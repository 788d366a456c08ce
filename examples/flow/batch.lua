-- A document that is too long for a model, in parts: a batch node whose `exec`
-- runs for each part, one after the other, each with its own attempts.

local flow = require "luge.flow"
local llm = require "luge.llm"
local luge = require "luge"

local document = [[
Tides are the rise and fall of the sea. They come from the pull of the moon and the sun.

Most shores have two a day. The time between them is twelve hours and a half.

Spring tides are highest. They come with the full and the new moon.]]

local summarize = llm.prompt "Summarize in one sentence:\n{part}" | llm.model() | llm.text()
local interruptions = 1

local summarize_parts = flow.batch_node {
  retries = 3, -- attempts of each part
  prep = function(_, shared)
    local parts = {}
    for part in (shared.document .. "\n\n"):gmatch "(.-)\n\n" do
      table.insert(parts, part)
    end
    return parts
  end,
  exec = function(self, part)
    print(("attempt %d of: %s..."):format(self.attempt, part:sub(1, 20)))
    if part:find "^Most" and interruptions > 0 then
      interruptions = interruptions - 1
      error(luge.error { kind = "network", message = "the line went dead" })
    end
    return summarize:invoke { part = part }
  end,
  fallback = function(_, _, err)
    return ("(left out: %s)"):format(err)
  end,
  post = function(_, shared, _, summaries)
    shared.summary = table.concat(summaries, " ")
  end,
}

local shared = { document = document }
summarize_parts:run(shared)
print(shared.summary)

-- Prints:
--   attempt 1 of: Tides are the rise a...
--   attempt 1 of: Most shores have two...
--   attempt 2 of: Most shores have two...
--   attempt 1 of: Spring tides are hig...
--   Tides are the rise and fall of the sea. Most shores have two a day. Spring tides are highest.
