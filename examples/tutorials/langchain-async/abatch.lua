-- `chain.abatch`: many inputs at once, their outputs in the order of the inputs.
-- `concurrency` is LangChain's `max_concurrency`.

local llm = require "luge.llm"

local chain = llm.prompt "Explain {topic} in one sentence." | llm.model() | llm.text()

local topics = { { topic = "tides" }, { topic = "winds" }, { topic = "currents" } }

for i, answer in ipairs(chain:batch(topics, { concurrency = 2 })) do
  print(topics[i].topic .. ": " .. answer)
end

-- Prints:
--   tides: This is what luge's built-in demo model says about tides.
--   winds: This is what luge's built-in demo model says about winds.
--   currents: This is what luge's built-in demo model says about currents.
