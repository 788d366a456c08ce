-- Retrieval: one flow reads documents and keeps them as vectors; another looks
-- up what is nearest to a question, and answers from that.

local flow = require "luge.flow"
local llm = require "luge.llm"

local embed = llm.embed()
local answer_from = llm.prompt [[
Answer the question from the context, and from nothing else.
Context:
{context}
Question: {question}]] | llm.model() | llm.text()

local function similarity(a, b)
  local sum = 0
  for i = 1, #a do
    sum = sum + a[i] * b[i]
  end
  return sum
end

-- Offline: documents into an index.

local split = flow.batch_node {
  prep = function(_, shared) return shared.documents end,
  exec = function(_, document)
    local parts = {}
    for sentence in document:gmatch "[^.]+%." do
      table.insert(parts, (sentence:gsub("^%s+", "")))
    end
    return parts
  end,
  post = function(_, shared, _, lists)
    shared.parts = {}
    for _, parts in ipairs(lists) do
      table.move(parts, 1, #parts, #shared.parts + 1, shared.parts)
    end
  end,
}

local index = flow.node {
  prep = function(_, shared) return shared.parts end,
  exec = function(_, parts) return embed:invoke(parts) end, -- one request for all
  post = function(_, shared, parts, vectors)
    shared.vectors = vectors
    print(("indexed %d parts"):format(#parts))
  end,
}

split:next(index)
local offline = flow.new { start = split }

-- Online: a question to an answer.

local retrieve = flow.node {
  prep = function(_, shared) return shared.question end,
  exec = function(_, question) return embed:invoke(question) end,
  post = function(_, shared, question, vector)
    local best, place = -math.huge, nil
    for i, candidate in ipairs(shared.vectors) do
      local likeness = similarity(vector, candidate)
      if likeness > best then
        best, place = likeness, i
      end
    end
    shared.context = shared.parts[place]
    print(("> %s\n  (part %d)"):format(question, place))
  end,
}

local answer = flow.node {
  prep = function(_, shared) return { context = shared.context, question = shared.question } end,
  exec = function(_, input) return answer_from:invoke(input) end,
  post = function(_, _, _, text) print("  " .. text) end,
}

retrieve:next(answer)
local online = flow.new { start = retrieve }

local shared = { documents = {
  "The kettle boils in 40 seconds. Its handle stays cool.",
  "The lamp has two bulbs. It needs no switch: it turns on when it is dark.",
  "Returns are free for 30 days. Refunds take a week.",
} }
offline:run(shared)
for _, question in ipairs { "How many bulbs has the lamp?", "How long are returns free?" } do
  shared.question = question
  online:run(shared)
end

-- Prints:
--   indexed 6 parts
--   > How many bulbs has the lamp?
--     (part 3)
--     The lamp has two bulbs.
--   > How long are returns free?
--     (part 5)
--     Returns are free for 30 days.
