-- A prompt, a model and a parser, put together with `|`: called once, streamed,
-- and run over many inputs. Without a key it runs on the demo model, which is
-- built in; LUGE_MODEL=openai:gpt-4o-mini, and OPENAI_API_KEY, make it a real
-- one.

local llm = require "luge.llm"

local explain = llm.prompt "Explain {topic} in three sentences." | llm.model() | llm.text()

print "One call:"
print(explain:invoke { topic = "tides" })

print "\nA stream, piece by piece:"
for piece in explain:stream { topic = "event loops" } do
  io.write(piece)
end
print()

print "\nA batch:"
local topics = { "Lua", "libuv", "curl" }
local inputs = {}
for i, topic in ipairs(topics) do
  inputs[i] = { topic = topic }
end
for i, answer in ipairs(explain:batch(inputs, { concurrency = 8 })) do
  print(topics[i] .. ": " .. answer)
end

-- Prints:
--   One call:
--   This is what luge's built-in demo model says about tides. ...
--
--   A stream, piece by piece:
--   This is what luge's built-in demo model says about event loops. ...
--
--   A batch:
--   Lua: This is what luge's built-in demo model says about Lua. ...
--   libuv: This is what luge's built-in demo model says about libuv. ...
--   curl: This is what luge's built-in demo model says about curl. ...
