-- A supervisor checks what a worker answers, and sends it back until it is
-- right. The worker is a flow, and a node of the supervisor's flow.

local flow = require "luge.flow"
local llm = require "luge.llm"

local careless = llm.model(nil, { temperature = 1.5 })
local is_right = llm.prompt "Is this right? {answer}" | llm.model():structured {
  type = "object", properties = { right = { type = "boolean" } }, required = { "right" },
}

local solve = flow.node {
  prep = function(_, shared)
    shared.tries = (shared.tries or 1) + 1
    return { question = shared.question, seed = shared.tries }
  end,
  exec = function(_, work)
    return careless:bind({ seed = work.seed }):invoke(work.question).content
  end,
  post = function(_, shared, _, answer)
    shared.answer = answer
  end,
}

local worker = flow.new { name = "worker", start = solve }

local supervise = flow.node {
  prep = function(_, shared) return shared.answer end,
  exec = function(_, answer)
    return is_right:invoke { answer = answer }.right
  end,
  post = function(_, _, answer, right)
    print(("%s %s"):format(answer, right and "is right" or "goes back"))
    return right and "accept" or "reject"
  end,
}

worker:next(supervise)
supervise:on("reject", worker)
supervise:on("accept", flow.node {
  post = function(_, shared) print("accepted: " .. shared.answer) end,
})

local office = flow.new { name = "office", start = worker, max_steps = 20 }
office:run { question = "What is 17 * 23?" }

-- Prints:
--   17 * 23 = 392 goes back
--   17 * 23 = 391 is right
--   accepted: 17 * 23 = 391
