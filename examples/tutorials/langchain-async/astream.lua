-- `chain.astream`: the pieces of the answer, as the model writes them.

local env = require "luge.env"
local llm = require "luge.llm"

env.load() -- keys from a .env file, if there is one

local chain = llm.prompt "Explain {topic} in three sentences." | llm.model() | llm.text()

for token in chain:stream { topic = "tides" } do
  print(("%q"):format(token))
end

-- Prints:
--   "This"
--   " is"
--   " what"
--   ...
--   " answers"
--   " here."
