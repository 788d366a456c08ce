-- A person in the loop, at the terminal: the model tells jokes about a topic
-- until one is liked. Answers that nobody types are typed for you.

local flow = require "luge.flow"
local llm = require "luge.llm"

local joke_about = llm.prompt [[
Tell a one-line joke about {topic}. These were not liked:
{disliked}]] | llm.model() | llm.text()

local typed_for_you = { "callbacks", "n", "n", "y" }

local function ask(question)
  io.write(question, " ")
  local line = io.read() -- waits; other tasks go on
  if not line then
    line = table.remove(typed_for_you, 1)
    print(line)
  end
  return line
end

local choose_topic = flow.node {
  exec = function() return ask "A joke about what?" end,
  post = function(_, shared, _, topic)
    shared.topic, shared.disliked = topic, {}
  end,
}

local tell = flow.node {
  prep = function(_, shared)
    return { topic = shared.topic, disliked = table.concat(shared.disliked, "\n") }
  end,
  exec = function(_, input) return joke_about:invoke(input) end,
  post = function(_, shared, _, joke)
    shared.joke = joke
    print(joke)
  end,
}

local judge = flow.node {
  exec = function() return ask "Do you like it? (y/n)" end,
  post = function(_, shared, _, line)
    if line == "y" then
      return "approve"
    end
    table.insert(shared.disliked, shared.joke)
    return "disapprove"
  end,
}

choose_topic:next(tell):next(judge)
judge:on("disapprove", tell)
judge:on("approve", flow.node { exec = function() print "Glad to hear it." end })

flow.new { start = choose_topic }:run {}

-- Prints:
--   A joke about what? callbacks
--   Why did callbacks cross the event loop? To get to the other callback.
--   Do you like it? (y/n) n
--   How many callbacks does it take to change a light bulb? One, but it has to be awaited.
--   Do you like it? (y/n) n
--   I told my computer a joke about callbacks. It is still waiting for the punch line.
--   Do you like it? (y/n) y
--   Glad to hear it.
