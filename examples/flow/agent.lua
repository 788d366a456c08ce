-- A research agent, as a flow: the model decides whether to search or to
-- answer, and decides again with what was found. (`llm.agent` does this in one
-- call; here every step is a node of its own.)

local flow = require "luge.flow"
local llm = require "luge.llm"

-- In place of a search engine.
local pages = {
  nobel = "The Nobel Prize in Physics 2024 went to John Hopfield and Geoffrey Hinton.",
  lua = "Lua was created in 1993 in Rio de Janeiro.",
}

local search = llm.tool {
  name = "search_web",
  description = "Searches the web for information.",
  parameters = {
    type = "object", required = { "query" },
    properties = { query = { type = "string", description = "what to look for" } },
  },
  run = function(arguments)
    for word, page in pairs(pages) do
      if arguments.query:lower():find(word, 1, true) then
        return page
      end
    end
    return "Nothing was found."
  end,
}

local model = llm.model(nil, { tools = { search } })

local decide = flow.node {
  name = "decide",
  retries = 2,
  prep = function(_, shared)
    shared.messages = shared.messages or { { role = "user", content = shared.question } }
    return { messages = shared.messages }
  end,
  exec = function(_, input)
    return model:invoke(input)
  end,
  post = function(_, shared, _, decision)
    table.insert(shared.messages, decision)
    return decision.tool_calls and "search" or "answer"
  end,
}

local look_up = flow.batch_node {
  name = "search",
  concurrency = 4, -- the searches of a turn run at the same time
  prep = function(_, shared)
    return shared.messages[#shared.messages].tool_calls
  end,
  exec = function(_, call)
    print(("  searching: %s"):format(call.arguments.query))
    return search:answer(call)
  end,
  post = function(_, shared, _, results)
    table.move(results, 1, #results, #shared.messages + 1, shared.messages)
    return "decide"
  end,
}

local answer = flow.node {
  name = "answer",
  prep = function(_, shared) return shared.messages[#shared.messages] end,
  exec = function(_, message) print("  " .. message.content) end,
}

decide:on("search", look_up):on("decide", decide)
decide:on("answer", answer)
local agent = flow.new { start = decide }

for _, question in ipairs { "Who won the Nobel prizes for physics?",
  "When was the language Lua created?", "Hello!" } do
  print("> " .. question)
  agent:run { question = question }
end

-- Prints:
--   > Who won the Nobel prizes for physics?
--     searching: ...
--     search_web says: The Nobel Prize in Physics 2024 went to John Hopfield and Geoffrey Hinton.
--   > When was the language Lua created?
--     searching: ...
--     search_web says: Lua was created in 1993 in Rio de Janeiro.
--   > Hello!
--     Hello! ...
