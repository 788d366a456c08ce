-- AsyncNode and AsyncFlow: a node that waits for a model, and one that shows
-- the answer. In luge every node may wait, so there is no second set of classes.

local flow = require "luge.flow"
local llm = require "luge.llm"

local model = llm.model() | llm.text()

local call_model = flow.node {
  prep = function(_, shared)
    print(("prepare: the prompt is %q"):format(shared.user_prompt))
    return shared.user_prompt
  end,
  exec = function(_, prompt)
    print "execute: the model is asked (and other tasks may run)"
    return model:invoke(prompt)
  end,
  post = function(_, shared, _, answer)
    print "conclude: the answer is kept"
    shared.answer = answer
    return "display_answer"
  end,
}

local display = flow.node {
  prep = function(_, shared) return shared.answer end,
  exec = function(_, answer)
    print("--- the answer ---\n" .. answer)
  end,
}

call_model:on("display_answer", display)

flow.new { start = call_model }:run { user_prompt = "What shall we have for lunch?" }

-- Prints:
--   prepare: the prompt is "What shall we have for lunch?"
--   execute: the model is asked (and other tasks may run)
--   conclude: the answer is kept
--   --- the answer ---
--   This is what luge's built-in demo model says about ...
