-- A chat in the terminal: one node that leads to itself until there is nothing
-- more to say. The conversation is in the table that nodes share, so the model
-- knows what was said before. Lines that nobody types are typed for you.

local flow = require "luge.flow"
local llm = require "luge.llm"

local model = llm.model()
local typed_for_you = { "My cat is called Mitsy.", "How is my cat called?", "exit" }

local chat = flow.node {
  name = "chat",
  prep = function(_, shared)
    io.write "you> "
    local line = io.read() -- waits; other tasks go on
    if not line then
      line = table.remove(typed_for_you, 1)
      print(line)
    end
    shared.messages = shared.messages or {}
    if line ~= "exit" then
      table.insert(shared.messages, { role = "user", content = line })
      return shared.messages
    end
  end,
  exec = function(_, messages)
    if not messages then
      return nil
    end
    io.write "model> "
    local whole
    for delta in model:stream { messages = messages } do
      io.write(delta.content)
      whole = whole and whole + delta or delta
    end
    print()
    return whole
  end,
  post = function(_, shared, _, answer)
    if not answer then
      return "end"
    end
    table.insert(shared.messages, answer)
    return "continue"
  end,
}

chat:on("continue", chat)
chat:on("end", flow.node { exec = function() print "Goodbye." end })

flow.new { start = chat }:run {}

-- Prints:
--   you> My cat is called Mitsy.
--   model> I will remember that, ...
--   you> How is my cat called?
--   model> You said: "My cat is called Mitsy."
--   you> exit
--   Goodbye.
