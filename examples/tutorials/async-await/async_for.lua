-- `async for` over the events of a chain: in luge the iterator of any `for` may
-- wait. The names of the events are those of LangChain's astream_events v2.

local llm = require "luge.llm"

local chain = llm.prompt "Explain {topic} in one sentence." | llm.model() | llm.text()

local streamed = {}
for event in chain:events({ topic = "tides" }, { include = { kinds = { "chat_model" } } }) do
  if event.event == "on_chat_model_stream" then
    streamed[#streamed + 1] = event.data.chunk.content
  else
    print(event.event, event.name)
  end
end
print(table.concat(streamed))

-- Prints:
--   on_chat_model_start	demo
--   on_chat_model_end	demo
--   This is what luge's built-in demo model says about tides.
