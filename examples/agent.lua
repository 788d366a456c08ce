-- An agent with two tools, one of which a person has to approve. Runs on the
-- demo model, which calls the tools that it is asked about; LUGE_MODEL makes it
-- a real one.

local llm = require "luge.llm"

local weather = llm.tool {
  name = "get_weather",
  description = "Tells the weather in a city.",
  parameters = {
    type = "object",
    properties = { city = { type = "string" } },
    required = { "city" },
  },
  run = function(arguments)
    return ("12 degrees and rain in %s"):format(arguments.city)
  end,
}

local booking = llm.tool {
  name = "book_train",
  description = "Books a train to a city.",
  parameters = {
    type = "object",
    properties = { city = { type = "string" }, passengers = { type = "integer" } },
    required = { "city" },
  },
  run = function(arguments)
    return ("booked for %d to %s"):format(arguments.passengers or 1, arguments.city)
  end,
}

-- Here a program would ask somebody, and wait for the answer.
local function approve(call)
  if call.name == "book_train" and (call.arguments.passengers or 1) > 4 then
    return false, "no more than four passengers"
  end
  return true
end

local agent = llm.agent {
  name = "guide",
  instructions = "You help with journeys. Use the tools.",
  tools = { weather, booking },
  approve = approve,
}

local function ask(question)
  print("> " .. question)
  for event in agent:stream(question) do
    if event.type == "text" then
      io.write(event.text)
    elseif event.type == "tool_call" then
      print(("[%s %s]"):format(event.call.name, event.call.arguments_text))
    elseif event.type == "tool_result" then
      print("[-> " .. event.content .. "]")
    end
  end
  print()
end

ask "How is the weather in Bergen?"
ask "Please book the train to Oslo for 2."
ask "And a train to Rome for 12."

-- Prints:
--   > How is the weather in Bergen?
--   [get_weather {"city":"Bergen"}]
--   [-> 12 degrees and rain in Bergen]
--   get_weather says: 12 degrees and rain in Bergen.
--   > Please book the train to Oslo for 2.
--   [book_train {"city":"Oslo","passengers":2}]
--   [-> booked for 2 to Oslo]
--   book_train says: booked for 2 to Oslo.
--   > And a train to Rome for 12.
--   [book_train {"city":"Rome","passengers":12}]
--   [-> The call was not approved: no more than four passengers]
--   book_train says: The call was not approved: no more than four passengers.
