-- `chain.ainvoke`: one call, which waits for the whole answer. Other tasks go
-- on meanwhile; to do something else in between, start it as a task.

local luge = require "luge"
local llm = require "luge.llm"

local chain = llm.prompt "Explain {topic} in three sentences." | llm.model() | llm.text()

print(chain:invoke { topic = "tides" })

local task = luge.spawn(chain.invoke, chain, { topic = "winds" })
print "meanwhile..."
print(luge.await(task))

-- Prints:
--   This is what luge's built-in demo model says about tides. ...
--   meanwhile...
--   This is what luge's built-in demo model says about winds. ...
