-- A chat that remembers more than it sends. The model sees the last exchange
-- only; older ones are put aside as vectors, and the one that is nearest to a
-- question comes back with it.

local flow = require "luge.flow"
local llm = require "luge.llm"

local WINDOW = 2 -- messages that are always sent
local model, embed = llm.model(), llm.embed()

local function similarity(a, b)
  local sum = 0
  for i = 1, #a do
    sum = sum + a[i] * b[i]
  end
  return sum
end

local next_question = flow.node {
  post = function(_, shared)
    shared.question = table.remove(shared.questions, 1)
    return shared.question and "recall" or "end"
  end,
}

local recall = flow.node {
  prep = function(_, shared) return { question = shared.question, archive = shared.archive } end,
  exec = function(_, given)
    local wanted, best = embed:invoke(given.question), { likeness = 0.3 }
    for _, entry in ipairs(given.archive) do
      local likeness = similarity(wanted, entry.vector)
      if likeness > best.likeness then
        best = { likeness = likeness, messages = entry.messages }
      end
    end
    return best.messages
  end,
  post = function(_, shared, given, found)
    print("> " .. given.question)
    shared.recalled = found or {}
    if found then
      print(("  (recalled: %q)"):format(found[1].content))
    end
  end,
}

local answer = flow.node {
  prep = function(_, shared)
    local messages = { { role = "system", content = "Answer briefly." } }
    table.move(shared.recalled, 1, #shared.recalled, #messages + 1, messages)
    table.move(shared.recent, 1, #shared.recent, #messages + 1, messages)
    table.insert(messages, { role = "user", content = shared.question })
    return messages
  end,
  exec = function(_, messages) return model:invoke { messages = messages } end,
  post = function(_, shared, messages, message)
    print("  " .. message.content)
    table.insert(shared.recent, messages[#messages])
    table.insert(shared.recent, message)
    return #shared.recent > WINDOW and "archive" or "next"
  end,
}

local archive = flow.node {
  prep = function(_, shared)
    return { table.remove(shared.recent, 1), table.remove(shared.recent, 1) }
  end,
  exec = function(_, messages)
    return { messages = messages, vector = embed:invoke(messages[1].content) }
  end,
  post = function(_, shared, _, entry)
    table.insert(shared.archive, entry)
  end,
}

next_question:on("recall", recall):next(answer):on("archive", archive):next(next_question)
answer:on("next", next_question)
next_question:on("end", flow.node { exec = function() print "Goodbye." end })

flow.new { start = next_question }:run {
  recent = {}, archive = {},
  questions = { "My bicycle is red.", "My dog likes rain.", "Tell me about tides in one sentence.",
    "Which colour is my bicycle?" },
}

-- Prints:
--   > My bicycle is red.
--     I will remember that, as far as a demo model remembers.
--   > My dog likes rain.
--     I will remember that, as far as a demo model remembers.
--   > Tell me about tides in one sentence.
--     This is what luge's built-in demo model says about tides.
--   > Which colour is my bicycle?
--     (recalled: "My bicycle is red.")
--     You said: "My bicycle is red."
--   Goodbye.
