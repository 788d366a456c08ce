-- The same question several times at a high temperature; the answer that comes
-- most often wins. What cannot be read as an answer does not vote.

local flow = require "luge.flow"
local llm = require "luge.llm"

local model = llm.model(nil, { temperature = 1.5 })

local vote = flow.batch_node {
  concurrency = 5,
  retries = 2,
  prep = function(_, shared)
    local ballots = {}
    for seed = 1, shared.votes do
      ballots[seed] = { seed = seed, question = shared.question }
    end
    return ballots
  end,
  exec = function(_, ballot)
    local answer = model:bind { seed = ballot.seed } | llm.match "=%s*(%d+)"
    return answer:invoke(ballot.question)
  end,
  fallback = function()
    return false -- an abstention
  end,
  post = function(_, shared, _, answers)
    local counts, winner = {}, nil
    for i, answer in ipairs(answers) do
      print(("vote %d: %s"):format(i, answer or "abstains"))
      if answer then
        counts[answer] = (counts[answer] or 0) + 1
        if not winner or counts[answer] > counts[winner] then
          winner = answer
        end
      end
    end
    shared.answer = winner
    print(("%s wins with %d of %d votes"):format(winner, counts[winner], #answers))
  end,
}

vote:run { question = "What is 17 * 23? Answer with an equation.", votes = 5 }

-- Prints:
--   vote 1: 391
--   vote 2: 392
--   vote 3: 391
--   vote 4: 391
--   vote 5: 392
--   391 wins with 3 of 5 votes
